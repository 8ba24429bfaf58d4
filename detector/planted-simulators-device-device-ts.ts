import * as wrong from "../simulators/device/device.ts";
export const planted = wrong;
