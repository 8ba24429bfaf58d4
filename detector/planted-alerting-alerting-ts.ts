import * as wrong from "../alerting/alerting.ts";
export const planted = wrong;
