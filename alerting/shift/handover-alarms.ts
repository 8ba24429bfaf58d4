import type { Actor, EpisodeState } from "../episode-state.ts";
import type { FollowUpRow } from "../store/store.ts";
import type { Telling } from "./handover.ts";
import type { HandoverAlarm, HandoverFollowUp } from "./handover-list.ts";
import type { ShiftWords, ToldKind } from "./words.ts";

type AlarmState = EpisodeState & { facts: { kind: "fall" | "help" | "welfare" } };
const isAlarm = (state: EpisodeState): state is AlarmState => ["fall", "help", "welfare"].includes(state.facts.kind);

/** A fall report can be made once somebody is there, and once it is closed where it may have been a fall. */
export function hasFallReport({ facts, status, outcome }: EpisodeState): boolean {
  if (facts.test || (facts.kind !== "fall" && facts.kind !== "help")) return false;
  if (status === "arrived") return true;
  return status === "closed" && ["injury", "unhurt", "already-up", "unknown"].includes(outcome ?? "");
}

/** Alarms of the shift, and those of before that were open in it. */
export function alarmsOf(told: readonly EpisodeState[], telling: Telling): HandoverAlarm[] {
  return told
    .filter(isAlarm)
    .filter(({ closedAt }) => closedAt === null || closedAt >= telling.from)
    .map((state) => {
      const { facts, status, takenAt, arrivedAt, closedAt, outcome, done } = state;
      const { id, code, kind, place } = facts;
      const takenBy = actorName(state.takenBy, telling);
      return {
        ...{ key: place.alias, unit: place.unit ?? null, episodeId: id, code, kind, area: place.area },
        ...{ room: place.room, at: Math.round(facts.since), status, takenBy, takenAt, arrivedAt, closedAt },
        ...{ outcome, done, hasReport: hasFallReport(state), says: alarmSays(state, telling) },
      };
    });
}

function alarmSays(state: AlarmState, telling: Telling): string {
  const { facts, takenAt, arrivedAt, closedAt, onTheWayAt, status, outcome, done } = state;
  const { words, time, where } = telling;
  const { place, kind, code, detection } = facts;
  const rooms = [where(place) || (detection?.deviceId ?? ""), place.area, place.room].filter(Boolean).join(", ");
  const course = [
    takenAt === null ? words.notTaken : words.taken(time(takenAt), actorName(state.takenBy, telling) ?? "?"),
    ...(onTheWayAt !== null && arrivedAt === null ? [words.onTheWay(time(onTheWayAt))] : []),
    arrivedAt === null ? (status === "open" ? null : words.notThere) : words.there(time(arrivedAt)),
    closedAt === null ? words.stillOpen : words.closed(time(closedAt), outcomeSays(state, words)),
  ].filter((part) => part !== null);
  const did = outcome === null || done === null ? "" : ` ${words.did(words.done[done])}`;
  return `${time(facts.since)} ${rooms}: ${words.kind[kind]}, ${words.code(code)}. ${capital(course.join(", "))}.${did}`;
}

/** What is open, and what was left to do by how it ended. */
export function followUpsOf(
  told: readonly EpisodeState[],
  ticks: readonly FollowUpRow[],
  telling: Telling,
): HandoverFollowUp[] {
  const { words } = telling;
  return told.flatMap((state): HandoverFollowUp[] => {
    const { facts, status, outcome, done, closedBy } = state;
    if (facts.kind !== "technical" && !isAlarm(state)) return [];
    if (status !== "closed") {
      const what = facts.trouble ? `${words.trouble[facts.trouble.kind]}${subjectOf(state, telling)}; ` : "";
      return followUp(state, "not-closed", `${what}${words.followUp["not-closed"]}`, ticks, telling);
    }
    const isByPerson = closedBy?.kind === "responder" || closedBy?.kind === "user";
    if (facts.kind === "technical" || !isByPerson) return [];
    if (outcome === "not-home" || outcome === "unknown") {
      return followUp(state, outcome, words.followUp[outcome], ticks, telling);
    }
    const isNoted = done !== null && done !== "nothing";
    return outcome === "injury" && !isNoted ? followUp(state, "injury", words.followUp.injury, ticks, telling) : [];
  });
}

/** Which phone, gateway or rota it is about, where no key number says it. */
function subjectOf({ facts: { place, trouble } }: EpisodeState, { nameOf }: Telling): string {
  if (place.alias !== null || !trouble) return "";
  return ` (${trouble.kind === "contact-unreachable" ? nameOf(trouble.subject) : trouble.subject})`;
}

/** Hurt, or somebody was told or taken there: the nurse is to know. */
export function nurseOf(
  told: readonly EpisodeState[],
  ticks: readonly FollowUpRow[],
  telling: Telling,
): HandoverFollowUp[] {
  const { words } = telling;
  return told
    .filter(isAlarm)
    .filter(({ outcome, done }) => outcome === "injury" || carers.includes(done ?? ""))
    .flatMap((state) => {
      const did = state.done === null ? words.notNoted : words.did(words.done[state.done]);
      return followUp(state, "nurse", `${outcomeSays(state, words)}. ${did.replace(/\.$/, "")}`, ticks, telling);
    });
}

const carers = ["nurse", "1177", "ambulance", "hospital"];

/** What is to be done after an alarm; one that was done before the shift is told no more. Told to the nurse, an injury is followed up. */
function followUp(
  { facts, closedAt }: EpisodeState,
  kind: HandoverFollowUp["kind"],
  what: string,
  ticks: readonly FollowUpRow[],
  { from, words, where, time }: Telling,
): HandoverFollowUp[] {
  const { id, code, place, since } = facts;
  const settledBy = kind === "injury" ? ["injury", "nurse"] : [kind];
  const done = ticks.find((tick) => tick.episodeId === id && settledBy.includes(tick.kind)) ?? null;
  if (done && done.at < from && (closedAt ?? from) < from) return [];
  const about = [where(place), `${words.kind[facts.kind as ToldKind]} ${time(since)}`].filter(Boolean).join(", ");
  const end = done ? ` ${words.followedUp(time(done.at), done.by)}` : "";
  return [
    {
      ...{ key: place.alias, unit: place.unit ?? null, episodeId: id, code, kind, at: Math.round(since) },
      done: done && { at: done.at, by: done.by },
      says: `${about} (${words.code(code)}): ${what}.${end}`,
    },
  ];
}

function outcomeSays({ facts, outcome }: EpisodeState, words: ShiftWords): string {
  if (outcome === null) return "";
  return (facts.kind === "welfare" ? words.welfareOutcome[outcome] : undefined) ?? words.outcome[outcome];
}

function actorName(actor: Actor | null, { nameOf }: Pick<Telling, "nameOf">): string | null {
  if (actor?.kind === "responder") return nameOf(actor.id);
  return actor?.kind === "user" ? actor.name : null;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
