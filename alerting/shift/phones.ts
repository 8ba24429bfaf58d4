import { z } from "zod";
import { EpisodeStatus, type EpisodeView, PageView } from "../console/api.ts";
import type { EpisodeState } from "../episode-state.ts";
import { signOnMs } from "../policies.ts";
import type { Rotas, StintWithSignOn } from "../rota/duty-rota.ts";
import type { RotaConfig } from "../rota/rota-config.ts";

// Who has the alarm phone now. Nothing here does I/O or reads a clock.

const wallMs = z.number().int();

/** An alarm that somebody on the shift has taken. */
export const HeldEpisode = z
  .object({
    id: z.string(),
    code: z.string(),
    alias: z.string(),
    kind: z.string(),
    status: EpisodeStatus,
    takenAt: wallMs.nullable(),
    onTheWayAt: wallMs.nullable(),
    arrivedAt: wallMs.nullable(),
  })
  .meta({ id: "HeldEpisode" });

/** `signed-on`: its test alarm was answered. `asked`: it was sent, and there is time left to answer. `not-asked`: none was sent yet. */
export const phoneStates = ["signed-on", "asked", "not-answered", "not-asked"] as const;

/** One phone's time in a shift that runs now. No number. */
export const ShiftPhone = z
  .object({
    responderId: z.string(),
    name: z.string(),
    shiftId: z.string(),
    shift: z.string().nullable().meta({ description: "The shift's name; null: it is of a change of the rota" }),
    from: wallMs,
    until: wallMs,
    state: z.enum(phoneStates),
    since: wallMs.nullable().meta({ description: "When it signed on, was asked, or had not answered in time" }),
    lostSince: wallMs.nullable().meta({ description: "Texts do not reach it, since then" }),
    crew: z.string().nullable().meta({ description: "Who is with it, in initials" }),
    test: z
      .object({ at: wallMs, answerBy: wallMs, sms: PageView.shape.status.nullable(), answeredAt: wallMs.nullable() })
      .nullable()
      .meta({ description: "The last test alarm to it in this time, and how its text fared" }),
    holds: z.array(HeldEpisode).meta({ description: "Alarms that it has taken and that are not closed" }),
  })
  .meta({ id: "ShiftPhone" });
export type ShiftPhone = z.infer<typeof ShiftPhone>;

export const ShiftRota = z
  .object({
    id: z.string(),
    name: z.string(),
    unit: z.string().nullable(),
    isStaffed: z.boolean().meta({ description: "Whether a phone is signed on that texts reach" }),
    phones: z.array(ShiftPhone).meta({ description: "In the order in which they are paged" }),
    next: z
      .object({ at: wallMs, names: z.array(z.string()) })
      .nullable()
      .meta({ description: "When somebody next comes or goes, and who is on call then" }),
  })
  .meta({ id: "ShiftRota" });
export type ShiftRota = z.infer<typeof ShiftRota>;

export interface PhonesKnown {
  rotas: Pick<Rotas, "onDuty" | "onCall" | "plan">;
  /** As the board shows them, those of 12 h ago and less. */
  episodes: readonly EpisodeView[];
  /** The same, as they are. */
  states: readonly EpisodeState[];
  /** Since when texts do not reach a phone. */
  lostSince(responderId: string): number | null;
  nameOf(responderId: string): string;
  now: number;
}

export function shiftRotaNow(rota: RotaConfig, known: PhonesKnown): ShiftRota {
  const { rotas, states, lostSince, nameOf, now } = known;
  const episodes = new Map(known.episodes.map((view) => [view.id, view]));
  const heldBy = (responderId: string) =>
    states.flatMap(({ facts, status, takenBy }) => {
      const view = episodes.get(facts.id);
      const isTheirs = takenBy?.kind === "responder" && takenBy.id === responderId && status !== "closed";
      return view && isTheirs && !facts.signOn && !facts.testAlarm ? [heldOf(view)] : [];
    });
  const order = rotas.onCall(rota.id, now);
  const phones = rotas
    .onDuty(rota.id, now)
    .toSorted((a, b) => order.indexOf(a.responderId) - order.indexOf(b.responderId))
    .map((stint): ShiftPhone => {
      const { responderId, shiftId, startsAt, endsAt, signOn } = stint;
      const pattern = rota.shifts.find(({ id }) => id === shiftId);
      return {
        ...{ responderId, name: nameOf(responderId), shiftId, shift: pattern ? (pattern.name ?? pattern.id) : null },
        ...{ from: startsAt, until: endsAt, ...stateOf(stint), crew: signOn.crew },
        lostSince: lostSince(responderId),
        test: lastTest(states, episodes, stint),
        holds: heldBy(responderId),
      };
    });
  const nextAt = rotas.plan(rota.id).nextChangeAt(now);
  return {
    ...{ id: rota.id, name: rota.name, unit: rota.unit ?? null, phones },
    isStaffed: phones.some(({ state, lostSince: lost }) => state === "signed-on" && lost === null),
    next: nextAt === null ? null : { at: nextAt, names: rotas.onCall(rota.id, nextAt).map(nameOf) },
  };
}

function stateOf({ signOn }: StintWithSignOn): Pick<ShiftPhone, "state" | "since"> {
  const { signedOnAt, missedAt, askedAt } = signOn;
  if (signedOnAt !== null) return { state: "signed-on", since: signedOnAt };
  if (missedAt !== null) return { state: "not-answered", since: missedAt };
  return askedAt === null ? { state: "not-asked", since: null } : { state: "asked", since: askedAt };
}

/** A test alarm to sign on is an episode of its own. */
function lastTest(
  states: readonly EpisodeState[],
  episodes: ReadonlyMap<string, EpisodeView>,
  { responderId, startsAt }: StintWithSignOn,
): ShiftPhone["test"] {
  const last = states
    .filter(({ facts }) => facts.signOn?.responderId === responderId && facts.signOn.startsAt === startsAt)
    .reduce<EpisodeState | null>((latest, one) => (latest && latest.openedAt > one.openedAt ? latest : one), null);
  if (!last) return null;
  const { openedAt, closedBy, closedAt, facts } = last;
  const page = episodes.get(facts.id)?.pages.findLast(({ purpose }) => purpose === "sign-on");
  const isAnswered = closedBy?.kind === "responder" && closedBy.id === responderId;
  const at = Math.round(openedAt);
  return { at, answerBy: at + signOnMs, sms: page?.status ?? null, answeredAt: isAnswered ? closedAt : null };
}

function heldOf(view: EpisodeView): z.infer<typeof HeldEpisode> {
  const { id, code, alias, kind, status, takenAt, onTheWayAt, arrivedAt } = view;
  return { id, code, alias, kind, status, takenAt, onTheWayAt, arrivedAt };
}
