import { hrefOf } from "../route.ts";

/** A dwelling as the page goes by it: its key number, and its unit where that is known. */
export interface OfDwelling {
  key: string;
  /** Null: in no unit. Undefined: the address did not say; the server knows where the number is one dwelling's alone. */
  unit: string | null | undefined;
}

/** The page of a dwelling. The unit stands in the address, as key numbers repeat between units. */
export const dwellingHref = ({ key, unit }: OfDwelling) =>
  unit === undefined ? hrefOf("residents", key) : hrefOf("residents", key, unit ?? "");

/** As the server's addresses have it. */
export const dwellingPath = ({ key }: OfDwelling, part = "") => `/residents/${encodeURIComponent(key)}${part}`;

/** For a query; empty where the unit is not known. */
export function unitQuery({ unit }: OfDwelling, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ ...(unit !== undefined && { unit: unit ?? "" }), ...more }).toString();
  return query && `?${query}`;
}

/** For a body. */
export const unitBody = ({ unit }: OfDwelling) => (unit === undefined ? {} : { unit: unit ?? "" });
