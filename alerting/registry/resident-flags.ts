import { z } from "zod";

/** What whoever goes to a resident must know before the door opens: it decides how many go, and what they take with them. */
export const ResidentFlag = z
  .enum([
    "two-needed",
    "blood-thinner",
    "hoist",
    "oxygen",
    "dog",
    "door-chain",
    "hard-of-hearing",
    "poor-sight",
    "other-language",
  ])
  .meta({ id: "ResidentFlag", description: "What whoever goes there must know before the door opens" });
export type ResidentFlag = z.infer<typeof ResidentFlag>;
