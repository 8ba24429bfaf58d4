import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { z } from "zod";
import { dayOfDate, type Zone } from "../rota/local-time.ts";
import type { LookUp } from "../store/store.ts";

/** So long before an episode was opened and after it was closed it explains a look, ms: somebody reads up on the way, or writes it down afterwards. */
export const explainsMarginMs = 30 * 60_000;

/** A month as `2026-11`. */
export const Month = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/, "write a month, such as 2026-11")
  .meta({ id: "Month", description: "A month, such as 2026-11" });

/** What explains a look: an episode of the dwelling that was open then, or else a shift of the account's. */
export type Explanation = "alarm" | "shift";

export interface JudgedLookUp extends LookUp {
  /** Null: nothing that is known does. */
  explainedBy: Explanation | null;
}

export function judged(lookUp: LookUp): JudgedLookUp {
  const explainedBy = lookUp.episodes.length > 0 ? "alarm" : lookUp.onShift === true ? "shift" : null;
  return { ...lookUp, explainedBy };
}

/** From the first of a month up to the first of the next, by the service's own calendar. Wall ms. */
export function spanOfMonth(month: string, zone: Zone): { from: number; until: number } {
  const first = dayOfDate(`${month}-01`);
  const next = new Date(`${month}-01T00:00:00Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return { from: zone.at(first, 0), until: zone.at(dayOfDate(next.toISOString().slice(0, 10)), 0) };
}

/** `size` of them drawn by lot, in their own order. The same seed and the same list give the same sample, so that another can draw it again. */
export function drawn<T>(all: readonly T[], size: number, seed: number): T[] {
  const rng = xoroshiro128plus(seed);
  const places = all.map((_, i) => i);
  for (let i = 0; i < Math.min(size, places.length); i++) {
    const j = uniformInt(rng, i, places.length - 1);
    [places[i], places[j]] = [places[j] as number, places[i] as number];
  }
  return places
    .slice(0, size)
    .sort((a, b) => a - b)
    .map((place) => all[place] as T);
}

/** The seed where nobody gives one: the month's figures, so that everybody draws the same. */
export const seedOfMonth = (month: string) => Number(month.replace("-", ""));
