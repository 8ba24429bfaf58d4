import { z } from "zod";
import { PauseReason } from "../../firmware-contracts/intake.ts";
import { blindReasons } from "../blind-time/causes.ts";
import { OutcomeDone, OutcomeWhat } from "../console/api.ts";
import type { FollowUpKind } from "../store/store.ts";

// The hand-over list as it is told: what one shift hands over to the next.

const wallMs = z.number().int();
const says = z.string().meta({ description: "The same in words, in the language asked for" });
const ofDwelling = {
  key: z.string().nullable().meta({ description: "Key number; null: it is about no dwelling" }),
  unit: z.string().nullable(),
};

export const HandoverAlarm = z
  .object({
    ...ofDwelling,
    episodeId: z.string(),
    code: z.string(),
    kind: z.enum(["fall", "help", "welfare"]),
    area: z.string().nullable(),
    room: z.string().nullable(),
    at: wallMs.meta({ description: "When it happened" }),
    status: z.enum(["open", "taken", "arrived", "closed"]),
    takenBy: z.string().nullable(),
    takenAt: wallMs.nullable(),
    arrivedAt: wallMs.nullable(),
    closedAt: wallMs.nullable(),
    outcome: OutcomeWhat.nullable(),
    done: OutcomeDone.nullable(),
    hasReport: z.boolean().meta({ description: "Whether a fall report can be made from it" }),
    says,
  })
  .meta({ id: "HandoverAlarm" });
export type HandoverAlarm = z.infer<typeof HandoverAlarm>;

/** What can be to do after an alarm. One that is not closed goes by being closed; the others are ticked. */
export const followUpKinds = ["not-home", "injury", "unknown", "nurse"] as const satisfies readonly FollowUpKind[];

export const HandoverFollowUp = z
  .object({
    ...ofDwelling,
    episodeId: z.string(),
    code: z.string(),
    kind: z.enum(["not-closed", ...followUpKinds]),
    at: wallMs,
    done: z.object({ at: wallMs, by: z.string() }).nullable().meta({ description: "Who ticked it, and when" }),
    says,
  })
  .meta({ id: "HandoverFollowUp" });
export type HandoverFollowUp = z.infer<typeof HandoverFollowUp>;

export const HandoverCharge = z
  .object({
    ...ofDwelling,
    deviceId: z.string(),
    battery: z.number().nullable().meta({ description: "Charge left, per cent" }),
    daysLeft: z.number().nullable(),
    chargingSince: wallMs.nullable().meta({ description: "It lies on its charger, and nobody wears it" }),
    by: z.enum(["next-visit", "today", "this-week"]),
    says,
  })
  .meta({ id: "HandoverCharge" });
export type HandoverCharge = z.infer<typeof HandoverCharge>;

export const HandoverPause = z
  .object({ ...ofDwelling, from: wallMs, until: wallMs, reason: PauseReason, endsToday: z.boolean(), says })
  .meta({ id: "HandoverPause" });
export type HandoverPause = z.infer<typeof HandoverPause>;

export const HandoverBlind = z
  .object({ ...ofDwelling, reason: z.enum(blindReasons), since: wallMs, says })
  .meta({ id: "HandoverBlind" });
export type HandoverBlind = z.infer<typeof HandoverBlind>;

export const HandoverAwaitingTest = z
  .object({ ...ofDwelling, deviceId: z.string(), since: wallMs, says })
  .meta({ id: "HandoverAwaitingTest" });
export type HandoverAwaitingTest = z.infer<typeof HandoverAwaitingTest>;

/** What a shift hands over. By key number: no names, no addresses. */
export const Handover = z
  .object({
    unit: z.string().nullable().meta({ description: "Null: every unit that whoever asks may see" }),
    from: wallMs,
    until: wallMs,
    at: wallMs.meta({ description: "When it was made; all but the alarms is as it was then" }),
    alarms: z.array(HandoverAlarm),
    followUps: z.array(HandoverFollowUp),
    nurse: z.array(HandoverFollowUp),
    charge: z.array(HandoverCharge),
    pauses: z.array(HandoverPause),
    blind: z.array(HandoverBlind),
    awaitingTest: z.array(HandoverAwaitingTest),
  })
  .meta({ id: "Handover" });
export type Handover = z.infer<typeof Handover>;
