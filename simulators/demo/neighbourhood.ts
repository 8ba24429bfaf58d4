import type { Placement } from "../../firmware-contracts/detection.ts";

/** Where a simulated device stands in the register. */
export interface SimulatedDwelling {
  deviceId: string;
  placement: Placement;
  /** Key number of the dwelling. */
  key: string;
  area: string;
}

/** Areas of Värmdö; each gets its share of the dwellings. */
const areas = ["Gustavsberg syd", "Hemmesta", "Djurö", "Ingarö"];

/** The n-th dwelling of a neighbourhood. Key numbers follow one another: a simulated patrol does not mistake them. */
export function dwelling(n: number, placement: Placement): SimulatedDwelling {
  return {
    deviceId: `sim-${String(n + 1).padStart(5, "0")}`,
    placement,
    key: String(n + 101),
    area: areas[n % areas.length] ?? "",
  };
}
