/** The parts of what shall be, each with a version of its own. `registry`: devices and their secrets. */
export const controlParts = ["registry", "consents", "pauses", "placements", "thresholds", "revocations"] as const;
export type ControlPart = (typeof controlParts)[number];
