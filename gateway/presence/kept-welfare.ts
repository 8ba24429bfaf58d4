import { z } from "zod";
import type { Kept } from "../outbox/kept-tables.ts";
import type { DwellingWelfare } from "./dwelling-welfare.ts";

/** What is known of a dwelling, as it lies on the disk, as far as it is looked at here: what is in it is the state machine's, which another version may have written otherwise under another `v`. */
const Body = z.object({
  v: z.literal(1),
  welfare: z.looseObject({
    state: z.looseObject({
      now: z.number(),
      roster: z.looseObject({ sensors: z.array(z.looseObject({ deviceId: z.string() })) }),
      habits: z.looseObject({ days: z.array(z.looseObject({ day: z.number() })) }),
      unheard: z.array(z.looseObject({ deviceId: z.string() })),
    }),
    listeningSince: z.number(),
    unheardSince: z.number().nullable(),
    isUnheardTold: z.boolean(),
  }),
});

export function keptOf(dwelling: string, welfare: DwellingWelfare): Kept {
  return { id: dwelling, body: JSON.stringify({ v: 1, welfare }) };
}

/** Null where it cannot be read. Never throws. */
export function welfareIn({ body }: Kept): DwellingWelfare | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  return Body.safeParse(parsed).success ? (parsed as { welfare: DwellingWelfare }).welfare : null;
}
