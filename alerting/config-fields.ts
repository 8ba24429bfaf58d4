import { z } from "zod";
import { isGsm7 } from "./messages/gsm7.ts";

/** What the settings call something by: a responder, a rota, a shift. */
export const Id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "write up to 40 lower-case letters, digits and hyphens, such as patrol-2");

/** A name as it stands in a text. */
export const shownName = (most: number) =>
  z
    .string()
    .trim()
    .min(1, "give a name, as it shall stand in a text")
    .max(most, `use at most ${most} characters, so that it fits in one SMS`)
    .refine(isGsm7, "use letters an SMS can hold (a–z, å ä ö é ü …, digits); others halve the length of the text");
