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

/**
 * The n-th dwelling of a neighbourhood. Its key number ends in a Damm check digit, so that no two of them differ by one digit or by a swap of neighbours:
 * a register refuses such pairs within an area.
 */
export function dwelling(n: number, placement: Placement): SimulatedDwelling {
  return {
    deviceId: `sim-${String(n + 1).padStart(5, "0")}`,
    placement,
    key: withCheckDigit(String(n + 100)),
    area: areas[n % areas.length] ?? "",
  };
}

/** The totally anti-symmetric quasigroup of order 10 from H. M. Damm's thesis (Marburg, 2004). */
const damm = [
  "0317598642",
  "7092154863",
  "4206871359",
  "1750983426",
  "6123045978",
  "3674209581",
  "5869720134",
  "8945362017",
  "9438617205",
  "2581436790",
];

function withCheckDigit(digits: string): string {
  let interim = 0;
  for (const digit of digits) interim = Number(damm[interim]?.[Number(digit)]);
  return `${digits}${interim}`;
}
