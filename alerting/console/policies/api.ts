import { z } from "zod";
import { dryRunAnswers, dryRunKinds } from "../../dry-run.ts";
import { troubleKinds } from "../../episode-state.ts";
import { GivenTime, LocalMoment } from "../local-moment.ts";
import { RotaPerson } from "../rota/api.ts";

const Group = z.object({ id: z.string(), members: z.array(RotaPerson) });
const Rota = z.object({
  id: z.string(),
  name: z.string(),
  onCall: z.array(RotaPerson).meta({ description: "Now, in the order of paging" }),
});

export const PolicyStepView = z
  .object({
    responders: z.array(RotaPerson),
    groups: z.array(Group),
    rotas: z.array(Rota),
    waitSeconds: z.number(),
  })
  .meta({ id: "PolicyStep" });
export type PolicyStepView = z.infer<typeof PolicyStepView>;

export const PolicyView = z
  .object({
    id: z.string().nullable().meta({ description: "As the settings call it; null: for whatever has none of its own" }),
    unit: z.string().nullable().meta({ description: "The unit it is for; null: all" }),
    kinds: z.array(z.enum(["fall", "help", "welfare"])),
    version: z
      .string()
      .meta({ description: "A fingerprint: it changes with the policy, and stands in each episode's log" }),
    steps: z.array(PolicyStepView),
    receiptSeconds: z.number().nullable(),
    setOffMinutes: z.number(),
    graceMinutes: z.number(),
    arriveMinutes: z.number(),
    outcomeMinutes: z.number(),
    operatorsFirstDays: z.number(),
  })
  .meta({ id: "Policy" });
export type PolicyView = z.infer<typeof PolicyView>;

export const PoliciesView = z
  .object({
    policies: z.array(PolicyView).meta({ description: "The common one last" }),
    technical: z.object({
      version: z.string(),
      steps: z.array(PolicyStepView),
      repeatMinutes: z.number(),
      gatherSeconds: z.number(),
      digestMinutes: z.number(),
      quietHours: z.object({ from: z.string(), to: z.string() }).nullable(),
    }),
    operators: z.array(RotaPerson),
    keyHolders: z.array(RotaPerson),
    people: z.array(RotaPerson),
    units: z.array(z.string()).meta({ description: "Of the settings, as far as the account may see them" }),
    now: LocalMoment,
  })
  .meta({ id: "Policies" });
export type PoliciesView = z.infer<typeof PoliciesView>;

export const DryRunRequest = z
  .strictObject({
    at: GivenTime.optional().meta({ description: "Left out: now" }),
    kind: z.enum(dryRunKinds).default("fall"),
    unit: z.string().trim().min(1).max(60).nullable().default(null),
    strength: z.enum(["strong", "medium"]).default("strong").meta({ description: "Of a fall" }),
    trouble: z.enum(troubleKinds).default("gateway-lost").meta({ description: "Of a technical alarm" }),
    newResident: z.boolean().default(false).meta({ description: "In the policy's silent period" }),
    answers: z.enum(dryRunAnswers).default("nobody").meta({
      description: "declined: the first say that they cannot; not-set-off: the first takes it and does not go",
    }),
    busy: z.array(z.string()).max(100).default([]).meta({ description: "Responders who have another alarm" }),
  })
  .meta({ id: "DryRunRequest" });
export type DryRunRequest = z.input<typeof DryRunRequest>;

export const DryRunView = z
  .object({
    at: LocalMoment,
    policy: z.object({ id: z.string().nullable(), version: z.string() }),
    moments: z.array(
      z.object({
        at: LocalMoment,
        afterSeconds: z.number(),
        cause: z.enum([
          "raised",
          "no-answer",
          "no-texts",
          "operators-did-not",
          "again",
          "declined",
          "taken",
          "not-set-off",
          "still-not-set-off",
          "other",
        ]),
        round: z.number().int(),
        step: z.number().int().nullable().meta({ description: "Of the policy, from 0" }),
        pages: z.array(
          z.object({
            responderId: z.string(),
            name: z.string(),
            purpose: z.string(),
            ways: z.array(z.object({ by: z.enum(["name", "rota", "group", "operator"]), name: z.string().nullable() })),
            getsTexts: z.boolean(),
            leavesAt: LocalMoment,
          }),
        ),
        passedOver: z.array(
          z.object({
            step: z.number().int(),
            responderId: z.string(),
            name: z.string(),
            why: z.enum(["busy", "no-texts"]),
          }),
        ),
        gaps: z.array(z.object({ step: z.number().int(), rotaId: z.string(), name: z.string() })),
        heldUntil: LocalMoment.nullable(),
      }),
    ),
    ends: z.enum(["again", "long"]),
  })
  .meta({ id: "DryRun" });
export type DryRunView = z.infer<typeof DryRunView>;
