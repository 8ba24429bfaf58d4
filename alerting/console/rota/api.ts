import { z } from "zod";
import { GivenTime, LocalMoment } from "../local-moment.ts";

const Id = z.string().min(1).max(60);
const ChangeId = z.number().int().min(1);

/** A phone that can be paged, by the name that staff know. */
export const RotaPerson = z
  .object({
    id: z.string(),
    name: z.string(),
    getsTexts: z.boolean().meta({ description: "False: its texts do not arrive, as after STOP or with a dead number" }),
  })
  .meta({ id: "RotaPerson" });
export type RotaPerson = z.infer<typeof RotaPerson>;

export const RotaRow = z
  .object({
    from: LocalMoment,
    until: LocalMoment,
    shift: z
      .object({
        id: z.string(),
        name: z.string().nullable().meta({ description: "Null: an override, which has no name" }),
        startsAt: z.number().int(),
        endsAt: z.number().int(),
        isOverride: z.boolean(),
        hasBegun: z.boolean(),
      })
      .nullable()
      .meta({ description: "Null: nobody is on call" }),
    responders: z.array(z.string()),
    changes: z.array(ChangeId).meta({ description: "The changes that made it so" }),
    continues: z.boolean().meta({ description: "It began the day before, and is told there" }),
    isNow: z.boolean(),
  })
  .meta({ id: "RotaRow" });
export type RotaRow = z.infer<typeof RotaRow>;

const Span = z.object({ from: LocalMoment, until: LocalMoment });
const ofPerson = { responderId: z.string(), since: LocalMoment, ...Span.shape };

export const RotaFault = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("gap"), ...Span.shape }),
    z.object({ kind: z.literal("pattern-gap"), ...Span.shape, more: z.number().int() }),
    z.object({ kind: z.literal("no-texts"), ...ofPerson }),
    z.object({ kind: z.literal("not-answered"), ...ofPerson }),
    z.object({ kind: z.literal("holidays-end"), date: z.string() }),
    z.object({ kind: z.literal("left-out"), change: ChangeId, responderId: z.string() }),
  ])
  .meta({
    id: "RotaFault",
    description:
      "gap: nobody on call within a week; pattern-gap: the pattern itself leaves it; no-texts: a phone that is on call gets none; not-answered: its test alarm was not; left-out: a change names somebody who is in the settings no more",
  });
export type RotaFault = z.infer<typeof RotaFault>;

const shared = { id: ChangeId, madeBy: z.string().nullable(), madeAt: LocalMoment, ...Span.shape };
export const RotaChangeView = z
  .object({
    ...shared,
    state: z.enum(["ahead", "running", "over", "withdrawn"]),
    what: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("override"), mode: z.enum(["instead", "also"]), responders: z.array(z.string()) }),
      z.object({
        kind: z.literal("swap"),
        shifts: z.array(z.object({ id: z.string(), name: z.string(), startsAt: LocalMoment })),
      }),
      z.object({ kind: z.literal("hand-over"), shift: z.string(), out: z.string(), in: z.string() }),
    ]),
  })
  .meta({ id: "RotaChange" });
export type RotaChangeView = z.infer<typeof RotaChangeView>;

export const RotaView = z
  .object({
    id: z.string(),
    name: z.string(),
    unit: z.string().nullable().meta({ description: "Null: it is for all units" }),
    mayChange: z.boolean().meta({ description: "Whether whoever asks may" }),
    days: z.array(z.array(RotaRow)).meta({ description: "For each of the week's days, by beginning" }),
    onCall: z
      .array(
        z.object({
          responderId: z.string(),
          until: LocalMoment,
          signOn: z.enum(["signed-on", "asked", "not-answered", "not-asked"]),
        }),
      )
      .meta({ description: "Now, in the order of paging" }),
    changes: z.array(RotaChangeView).meta({ description: "Those that touch the week" }),
    faults: z.array(RotaFault),
  })
  .meta({ id: "Rota" });
export type RotaView = z.infer<typeof RotaView>;

export const RotaDayView = z
  .object({
    date: z.string(),
    from: z.number().int(),
    until: z.number().int(),
    hours: z.array(LocalMoment).meta({ description: "23 or 25 where the clock is set" }),
    holidays: z.array(z.string()),
    clock: z.enum(["forward", "back"]).nullable(),
  })
  .meta({ id: "RotaDay" });
export type RotaDayView = z.infer<typeof RotaDayView>;

export const RotaWeek = z
  .object({
    week: z.string().meta({ description: "As 2026-W48" }),
    previous: z.string().nullable(),
    next: z.string().nullable(),
    current: z.string(),
    now: LocalMoment,
    days: z.array(RotaDayView),
    people: z.array(RotaPerson),
    rotas: z.array(RotaView),
  })
  .meta({ id: "RotaWeek" });
export type RotaWeek = z.infer<typeof RotaWeek>;

const ShiftKey = z.strictObject({ shiftId: Id, startsAt: z.number().int() });

/** What is asked of a rota. Times left out are now, or the shift's end. */
export const RotaChangeRequest = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("override"),
      mode: z.enum(["instead", "also"]),
      from: GivenTime.optional(),
      until: GivenTime,
      responders: z.array(Id).max(50),
    }),
    z.strictObject({ kind: z.literal("swap"), shifts: z.tuple([ShiftKey, ShiftKey]) }),
    z.strictObject({
      kind: z.literal("hand-over"),
      from: Id.meta({ description: "Who has the shift" }),
      to: Id.meta({ description: "Who takes it, or a part of it" }),
      at: GivenTime.optional(),
      until: GivenTime.optional(),
      shiftId: Id.optional().meta({ description: "Needed where the first is in several shifts at that time" }),
    }),
  ])
  .meta({ id: "RotaChangeRequest" });
export type RotaChangeRequest = z.infer<typeof RotaChangeRequest>;

/** A change to look at before it is made, or the withdrawal of one. */
export const RotaPreviewRequest = z
  .strictObject({
    change: z.union([RotaChangeRequest, z.strictObject({ kind: z.literal("withdrawal"), withdraws: ChangeId })]),
  })
  .meta({ id: "RotaPreviewRequest" });
export type RotaPreviewRequest = z.infer<typeof RotaPreviewRequest>;

const acceptGaps = z
  .boolean()
  .default(false)
  .meta({ description: "Said by a person who has read that it leaves nobody on call for a time" });
export const RotaChangeOrder = z
  .strictObject({ change: RotaChangeRequest, acceptGaps })
  .meta({ id: "RotaChangeOrder" });
export const RotaWithdrawal = z.strictObject({ acceptGaps }).meta({ id: "RotaWithdrawal" });

const OnCall = z.object({ ...Span.shape, responders: z.array(z.string()) });
export const RotaPreview = z
  .object({
    ...Span.shape,
    before: z.array(OnCall),
    after: z.array(OnCall),
    gaps: z.array(Span).meta({ description: "Times in which it would leave nobody on call" }),
    warnings: z.array(
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("no-texts"), responderId: z.string() }),
        z.object({ kind: z.literal("also-on-call"), responderId: z.string(), rota: z.string() }),
      ]),
    ),
  })
  .meta({ id: "RotaPreview" });
export type RotaPreview = z.infer<typeof RotaPreview>;

export const RotaChanged = RotaPreview.extend({ change: ChangeId }).meta({ id: "RotaChanged" });
