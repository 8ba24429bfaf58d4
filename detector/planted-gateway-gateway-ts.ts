import * as wrong from "../gateway/gateway.ts";
export const planted = wrong;
