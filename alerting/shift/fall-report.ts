import { z } from "zod";
import type { TimelineEntry } from "../console/api.ts";
import type { Role } from "../console/roles.ts";
import type { Actor, EpisodeState } from "../episode-state.ts";
import type { ReportTexts, ShiftWords } from "./words.ts";

/** A fall report as the alarm can fill it in: fields of a form, and the same as text to copy. No name: whoever was there writes it in. */
export const FallReport = z
  .object({
    episodeId: z.string(),
    title: z.string(),
    fields: z.array(
      z.object({
        id: z.string().meta({ description: "What it is, the same in each language" }),
        label: z.string(),
        value: z.string(),
      }),
    ),
    floor: z.object({ minutes: z.number().int(), isLeast: z.boolean() }).nullable().meta({
      description: "Time on the floor; `isLeast`: nobody has said, it is from the fall until somebody was there",
    }),
    text: z.string(),
  })
  .meta({ id: "FallReport" });
export type FallReport = z.infer<typeof FallReport>;
type FieldId = keyof ReportTexts["fields"];

export interface ReportedEpisode {
  state: EpisodeState;
  /** Its story, as the log tells it. */
  story: readonly TimelineEntry[];
  /** What the accounts in it are. */
  roles: ReadonlyMap<string, Role>;
  nameOf(responderId: string): string;
}

/** Prefills the report of a fall, or of an alarm button, that somebody has been to or that is closed. */
export function composeFallReport(reported: ReportedEpisode, words: ShiftWords): FallReport {
  const { state, story, nameOf } = reported;
  const { report } = words;
  const { facts, outcome, done, arrivedAt, closedAt, takenAt } = state;
  const { place, detection } = facts;
  const floor = floorOf(state);
  const who = (actor: Actor | null) => actorWords(actor, nameOf, words);
  const key = place.alias === null ? (detection?.deviceId ?? "") : words.key(place.alias);
  const parts = (...texts: (string | false | null | undefined)[]) => texts.filter(Boolean).join(" ");

  const values: [FieldId, string][] = [
    ["who", report.fillInName(key)],
    ["unit", place.unit ?? report.fillIn],
    ["place", [place.area, place.room].filter(Boolean).join(", ") || report.fillIn],
    ["fell", fellAt()],
    [
      "noticed",
      parts(
        detection && report.reason[detection.reason],
        detection?.late && report.late(words.dateAndTime(state.openedAt)),
        state.longLie && (state.longLie.isUnheard ? report.notSeenUpUnheard : report.notSeenUp),
      ),
    ],
    ["found", found()],
    [
      "what",
      outcome === null ? parts(report.notClosed, report.fillIn) : report.fillInWhat(capital(words.outcome[outcome])),
    ],
    ["floor", floorSays()],
    ["done", done === null ? report.fillIn : capital(words.done[done])],
    ["course", capital(courseOf(reported, words).join(" · "))],
    ["answer", answerTimes() || report.fillIn],
    ["reference", report.madeFrom(facts.code, facts.id)],
    ["written", report.fillIn],
  ];

  function fellAt(): string {
    const at = words.dateAndTime(facts.since);
    const fell = facts.kind === "help" ? report.beforeButton(at) : at;
    return detection?.clockSuspect ? `${fell} (${report.clockUnsure})` : fell;
  }

  function found(): string {
    if (arrivedAt !== null) return report.foundBy(words.dateAndTime(arrivedAt), who(state.arrivedBy));
    return state.closeReason && closedAt !== null ? report.closedFromAfar(state.closeReason) : report.notFound;
  }

  function floorSays(): string {
    if (floor) return (floor.isLeast ? report.floorLeast : report.floorSaid)(words.minutes(floor.minutes));
    return outcome === "already-up" ? report.floorNone : report.floorUnknown;
  }

  function answerTimes(): string {
    const raisedAt = story.find(({ what }) => what === "episode-opened")?.at ?? state.openedAt;
    const after = (at: number) => words.minutes(minutesBetween(raisedAt, at));
    const first = story.find(({ what }) => what === "taken")?.at ?? takenAt;
    return [
      ...(first === null ? [] : [report.raisedToTaken(after(first))]),
      ...(arrivedAt === null ? [] : [report.raisedToThere(after(arrivedAt))]),
    ].join(", ");
  }

  const fields = values.map(([id, value]) => ({ id, label: report.fields[id], value }));
  const text = [report.title, report.check, "", ...fields.map(({ label, value }) => `${label}: ${value}`), ""].join(
    "\n",
  );
  return { episodeId: facts.id, title: report.title, fields, floor, text };
}

/**
 * Minutes on the floor: as somebody there has said, else from the fall until somebody was there, in whole minutes that have passed, for it is the least that
 * it can have been. Null where nobody came, nobody stayed down, or a button was pressed: who knows how long after.
 */
function floorOf({ facts, floorMinutes, arrivedAt, outcome }: EpisodeState): FallReport["floor"] {
  if (floorMinutes !== null) return { minutes: floorMinutes, isLeast: false };
  if (facts.kind !== "fall" || outcome === "already-up" || arrivedAt === null) return null;
  return { minutes: minutesBetween(facts.since, arrivedAt), isLeast: true };
}

const minutesBetween = (from: number, until: number) => Math.max(0, Math.floor((until - from) / 60_000));

/** A patrol by its name; whoever was at the console by what they are: the report is copied elsewhere. */
function actorWords(actor: Actor | null, nameOf: (id: string) => string, words: ShiftWords): string {
  if (actor?.kind === "responder") return nameOf(actor.id);
  return actor?.kind === "user" ? words.role[actor.role] : words.report.fillIn;
}

/** The alarm from raised to closed, each thing once with its time. */
function courseOf({ state, story, roles, nameOf }: ReportedEpisode, words: ShiftWords): string[] {
  const { event } = words.report;
  const first = story.find(({ what }) => what === "episode-opened")?.at ?? state.openedAt;
  const paged = new Set<string>();
  return story.flatMap(({ at, what, who: name, via, detail }, index): string[] => {
    const role = via === "console" ? roles.get(name ?? "") : undefined;
    const who = role ? words.role[role] : (name ?? "");
    const time = words.near(at, first);
    switch (what) {
      case "episode-opened":
        return [event.raised(time)];
      case "detection":
        return at > first ? [event.again(time)] : [];
      case "page-queued": {
        if (detail !== "alarm" || paged.has(who)) return [];
        paged.add(who);
        return [event.paged(time, who)];
      }
      case "not-taken":
        return [event.notTaken(time)];
      case "taken":
        return [event.taken(time, who)];
      case "released":
        return [event.released(time, who)];
      case "on-the-way":
        return [event.onTheWay(time, who)];
      case "arrived":
        return [event.there(time, who)];
      case "backup-asked": {
        // What was asked for is the letter of the reply before it.
        const letter = story.findLast((entry, i) => i <= index && entry.what === "reply")?.detail;
        return [letter === "D" ? event.twoNeeded(time, who) : event.cannotGetIn(time, who)];
      }
      case "not-arrived":
        return [event.notArrived(time)];
      case "undone":
        return [event.undone(time, who)];
      case "closed":
        return [event.closed(time, state.closedBy ? actorWords(state.closedBy, nameOf, words) : who)];
      default:
        return [];
    }
  });
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
