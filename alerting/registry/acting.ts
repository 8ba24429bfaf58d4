import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Act, Via } from "../store/store.ts";

/** Who acts, or vouches for something: a name or an account of the staff's. It is kept in the history. */
export const ActingPerson = z
  .string()
  .trim()
  .min(1, "give the name or account of who does it")
  .max(60, "at most 60 characters: a name or an account of the staff's")
  .regex(/^\P{C}*$/u, "letters, digits and punctuation only: it is printed in lists");

/** An act of now. @throws where `by` is given and is no name. */
export function actOf(clock: Clock, by: string | undefined, via?: Via): Act {
  const at = Math.round(clock.wallNow());
  const where = via === undefined ? {} : { via };
  if (by === undefined) return { at, by: null, ...where };
  const checked = ActingPerson.safeParse(by);
  if (!checked.success) throw new Error(`by: ${checked.error.issues[0]?.message}`);
  return { at, by: checked.data, ...where };
}
