import { z } from "zod";
import { Month } from "../../audit/sample.ts";
import { EpisodeView } from "../api.ts";

/** Whose look-ups of a month; without, everybody's. */
export const LookUpsQuery = z.object({
  month: Month.optional().meta({ description: "Left out: the month that runs" }),
  account: z.string().trim().min(1).max(100).optional(),
  key: z.string().trim().min(1).max(60).optional(),
});

export const LookUpView = z
  .object({
    seq: z.number().int().meta({ description: "Its place in the audit log" }),
    at: z.number().int(),
    account: z.string().nullable(),
    via: z.enum(["cli", "console", "service"]),
    what: z.enum(["sheet", "consents"]),
    key: z.string().nullable().meta({ description: "Null: erased since" }),
    unit: z.string().nullable(),
    onShift: z.boolean().nullable().meta({ description: "Signed on to a shift then; null: not known" }),
    explainedBy: z.enum(["alarm", "shift"]).nullable(),
    episodes: z.array(z.object({ id: z.string(), code: z.string(), kind: EpisodeView.shape.kind })),
  })
  .meta({ id: "LookUp" });
export type LookUpView = z.infer<typeof LookUpView>;

/** Look-ups of a month: those first that neither an alarm nor a shift explains. */
export const LookUps = z
  .object({
    month: Month,
    months: z.array(Month).meta({ description: "Those that may be asked for, the newest first" }),
    marginMinutes: z.number().int().meta({ description: "So long before and after it an alarm explains a look" }),
    unexplained: z.number().int(),
    explained: z.number().int(),
    accounts: z.array(z.string()).meta({ description: "Who looked in that month" }),
    lookUps: z.array(LookUpView).meta({ description: "The unexplained first, each part the newest first" }),
    leftOut: z.number().int().meta({ description: "So many more there are: ask for one account or key" }),
  })
  .meta({ id: "LookUps" });
export type LookUps = z.infer<typeof LookUps>;
