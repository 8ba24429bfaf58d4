import { z } from "zod";
import { followUpKinds, Handover } from "../../shift/handover-list.ts";
import { ShiftRota } from "../../shift/phones.ts";

const wallMs = z.number().int();
const id = z.string().trim().min(1).max(64);

/** Who has the alarm phone now. */
export const ShiftNow = z
  .object({
    now: wallMs,
    rotas: z.array(ShiftRota),
    responders: z.array(z.object({ id: z.string(), name: z.string(), isReached: z.boolean() })).meta({
      description: "Whose phones a shift can be handed over to; `isReached`: texts reach them as far as is known",
    }),
  })
  .meta({ id: "ShiftNow" });
export type ShiftNow = z.infer<typeof ShiftNow>;

export const SignOnRequest = z.strictObject({ rotaId: id, responderId: id }).meta({ id: "SignOnRequest" });

export const CrewRequest = z
  .strictObject({
    rotaId: id,
    responderId: id,
    crew: z.string().trim().max(200).meta({ description: "Who is with the phone, in initials; no numbers" }),
  })
  .meta({ id: "CrewRequest" });

export const HandOverBody = z
  .strictObject({
    rotaId: id,
    from: id,
    to: id,
    shiftId: id.optional().meta({ description: "Where `from` is in several shifts: which" }),
    handOn: z
      .array(z.string().max(100))
      .max(50)
      .default([])
      .meta({ description: "Episodes that `from` has taken and that are asked anew of those on call" }),
  })
  .meta({ id: "HandOverRequest" });

export const HandedOver = z
  .object({
    change: z.number().int().meta({ description: "Number of the rota's change" }),
    handedOn: z.array(z.string()),
    kept: z.array(z.string()).meta({ description: "Those that were not theirs to hand on any more: as they are" }),
    shift: ShiftNow,
  })
  .meta({ id: "HandedOver" });
export type HandedOver = z.infer<typeof HandedOver>;

const language = z.enum(["sv", "en"]).optional().meta({ description: "Of what is in words; else the service's" });

export const HandoverQuery = z.object({
  unit: z.string().trim().min(1).max(60).optional(),
  from: z.coerce
    .number()
    .int()
    .optional()
    .meta({ description: "Wall time, ms; left out with `until`: the shift of now" }),
  until: z.coerce.number().int().optional(),
  language,
});

const Span = z.object({ from: wallMs, until: wallMs });

export const HandoverAnswer = z
  .object({
    list: Handover,
    titles: z.record(z.string(), z.string()).meta({ description: "What each part of the list is called" }),
    text: z.string().meta({ description: "All of it as plain text" }),
    shifts: z.array(Span).meta({ description: "Shifts that can be asked for, the newest first" }),
    units: z.array(z.string()).meta({ description: "Units that whoever asks may see" }),
  })
  .meta({ id: "HandoverAnswer" });
export type HandoverAnswer = z.infer<typeof HandoverAnswer>;

export const FollowUpRequest = z
  .strictObject({
    episodeId: z.string().max(100),
    kind: z.enum(followUpKinds),
    isDone: z.boolean(),
  })
  .meta({ id: "FollowUpRequest" });

export const ReportQuery = z.object({ language });
