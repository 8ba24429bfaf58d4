import type { Evidence } from "../firmware-contracts/detection.ts";
import { actorOf } from "./backup.ts";
import type { EpisodeDetail, EpisodeView, PageView, TimelineEntry } from "./console/api.ts";
import { step } from "./episode.ts";
import type { Actor, EpisodeFacts, EpisodeInput, EpisodeState } from "./episode-state.ts";
import type { ServiceEvent } from "./events.ts";
import { floorMs } from "./ladder.ts";
import { undoMs } from "./reply-effects.ts";
import type { PageRow, PageStatus, Store } from "./store/store.ts";
import { deviceTroubleKinds, dwellingTroubleKinds } from "./trouble-kinds.ts";

/** Closed episodes are shown this long, ms. */
export const shownAfterClosingMs = 12 * 3_600_000;
/** Entries of one story that are kept in memory, the newest: an alarm that nobody takes for days goes on and on. */
const longestStory = 2_000;

/** Pages of one episode that are shown, the newest: an alarm that nobody takes for days is paged on and on. */
const shownPages = 200;

/** An episode with all that is shown of it. */
export interface Shown {
  state: EpisodeState;
  pages: PageRow[];
  timeline: TimelineEntry[];
  /** When somebody last said that 112 was called. */
  called112At: number | null;
  evidence: Evidence | null;
  model: string | null;
}

/** Open and lately closed episodes as they are shown and looked up. A view of the store, rebuilt from it at the start. */
export interface Board {
  load(now: number): Promise<void>;
  /** Takes in what was committed: `pages` are those that are new or have changed. */
  put(
    now: number,
    state: EpisodeState,
    pages: PageRow[],
    events: TimelineEntry[],
    opened?: { evidence: Evidence | null; model: string | null },
  ): void;
  /** Forgets what was erased. */
  remove(id: string): void;
  states(): EpisodeState[];
  view(now: number): EpisodeView[];
  detail(id: string): EpisodeDetail | null;
}

export function createBoard(store: Store, nameOf: (responderId: string) => string): Board {
  const shown = new Map<string, Shown>();

  const forget = (now: number) => {
    for (const [id, { state }] of shown) {
      if (state.closedAt !== null && state.closedAt < now - shownAfterClosingMs) shown.delete(id);
    }
  };

  return {
    async load(now) {
      shown.clear();
      for (const state of await store.episodes.episodesSince(now - shownAfterClosingMs)) {
        shown.set(state.facts.id, await readShown(store, state, nameOf));
      }
    },
    put(now, state, pages, events, opened) {
      forget(now);
      const known = shown.get(state.facts.id);
      shown.set(state.facts.id, {
        state,
        pages: merged(known?.pages ?? [], pages).slice(-shownPages),
        timeline: [...(known?.timeline ?? []), ...events].slice(-longestStory),
        called112At: calledAt112(events) ?? known?.called112At ?? null,
        evidence: opened?.evidence ?? known?.evidence ?? null,
        model: opened?.model ?? known?.model ?? null,
      });
    },
    remove: (id) => void shown.delete(id),
    states: () => [...shown.values()].map(({ state }) => state),
    view(now) {
      forget(now);
      return [...shown.values()]
        .sort((a, b) => rank(a.state) - rank(b.state) || b.state.openedAt - a.state.openedAt)
        .map((one) => viewOf(one, nameOf));
    },
    detail(id) {
      const one = shown.get(id);
      return one ? detailOf(one, nameOf) : null;
    },
  };
}

/** Reads all that is shown of an episode. */
export async function readShown(store: Store, state: EpisodeState, nameOf: (id: string) => string): Promise<Shown> {
  const { id, detection } = state.facts;
  const [pages, log, first] = await Promise.all([
    store.pages.pagesOf(id, shownPages),
    store.episodes.log(id),
    detection && store.episodes.detection(detection.id),
  ]);
  const timeline = replayTimeline(log, nameOf).slice(-longestStory);
  const called112At = calledAt112(timeline);
  return { state, pages, timeline, called112At, evidence: first?.evidence ?? null, model: first?.model ?? null };
}

/** The episode as its own page shows it. */
export function detailOf(one: Shown, nameOf: (id: string) => string): EpisodeDetail {
  const { timeline, evidence, model } = one;
  const { detection } = one.state.facts;
  return {
    ...viewOf(one, nameOf),
    timeline,
    evidence,
    reported: detection?.reported ?? null,
    detection: detection && {
      deviceId: detection.deviceId,
      impactAt: Math.round(detection.impactAt),
      arrivedAt: Math.round(detection.arrivedAt),
      detectedAt: Math.round(detection.detectedAt),
      clockSuspect: detection.clockSuspect,
    },
    model,
  };
}

/** `known` with what has changed in its place, and what is new at its end. */
function merged(known: readonly PageRow[], changed: readonly PageRow[]): PageRow[] {
  const byId = new Map(known.map((page) => [page.id, page]));
  for (const page of changed) byId.set(page.id, page);
  return [...byId.values()];
}

/** Written by phone, or pressed on the console. */
const calledAt112 = (events: readonly TimelineEntry[]) =>
  events.findLast(({ what, detail }) => what === "called-112" || (what === "reply" && detail === "A"))?.at ?? null;

const rank = (state: EpisodeState) => (state.status === "closed" ? 1 : 0);

/** Of a page, as the board tells it. */
export const pageStatus: Record<PageStatus, PageView["status"]> = {
  pending: "waiting",
  sending: "waiting",
  accepted: "accepted",
  delivered: "delivered",
  failed: "failed",
  unknown: "unknown",
  withdrawn: "failed",
};

export function viewOf({ state, pages, called112At }: Shown, nameOf: (id: string) => string): EpisodeView {
  const { facts } = state;
  const { detection, place, trouble } = facts;
  const [deadline] = Object.entries(state.due).sort((a, b) => a[1] - b[1]);
  const name = (actor: Actor | null) => (actor === null ? null : actorName(actor, nameOf));
  return {
    id: facts.id,
    code: facts.code,
    kind: facts.kind,
    status: state.status,
    alias: awaitsKey(state)
      ? (detection?.deviceId ?? "")
      : (place.alias ?? detection?.deviceId ?? subjectOf(facts, nameOf)),
    unit: place.unit ?? null,
    ofDwelling: place.alias !== null,
    area: place.area,
    room: place.room,
    reason: detection?.reason ?? null,
    strength: detection?.strength ?? null,
    trouble: trouble && { kind: trouble.kind, subject: subjectOf(facts, nameOf) },
    impactAt: Math.round(facts.since),
    openedAt: Math.round(state.openedAt),
    late: detection?.late ?? false,
    test: facts.test,
    notInOperation: facts.notInOperation ?? null,
    longLie: longLieOf(state),
    activeAt: state.activeAt ?? null,
    repeats: state.repeats,
    takenBy: name(state.takenBy),
    takenAt: state.takenAt,
    onTheWayAt: state.onTheWayAt,
    arrivedAt: state.arrivedAt,
    closedAt: state.closedAt,
    closedBy: name(state.closedBy),
    outcome: state.outcome,
    done: state.done,
    floorMinutes: minutesOf(floorMs(state)),
    backup: backupOf(state, nameOf),
    called112At,
    undo: undoOf(state),
    step: state.step,
    nextDeadline: deadline ? { purpose: deadline[0], at: Math.round(deadline[1]) } : null,
    pages: pages
      .filter((page) => page.status !== "withdrawn")
      .map(({ id, responderId, step: pageStep, purpose, createdAt, status }) => ({
        id,
        responder: nameOf(responderId),
        step: pageStep,
        purpose,
        at: createdAt,
        status: pageStatus[status],
      })),
  };
}

/** A device's test alarm asks for the key number: whoever answers it reads it from the key, and not from here. */
const awaitsKey = ({ facts, status }: EpisodeState) => facts.testAlarm?.purpose === "device" && status !== "closed";

function actorName(actor: Actor, nameOf: (id: string) => string): string | null {
  if (actor.kind === "responder") return nameOf(actor.id);
  return actor.kind === "user" ? actor.name : null;
}

function backupOf({ status, ...state }: EpisodeState, nameOf: (id: string) => string): EpisodeView["backup"] {
  const { backupAskedBy, backupNeed, backupJoined } = state;
  if (status === "closed" || backupAskedBy === null || backupNeed === null) return null;
  const by = actorName(actorOf(backupAskedBy), nameOf);
  return { need: backupNeed, by, coming: backupJoined.map(nameOf) };
}

function undoOf({ undo }: EpisodeState): EpisodeView["undo"] {
  if (!undo || typeof undo.by === "string") return null;
  return { by: undo.by.name, until: Math.round(undo.at + undoMs) };
}

/** Once somebody is there, or it is closed, it is part of the story. */
function longLieOf({ status, longLie }: EpisodeState): EpisodeView["longLie"] {
  if (!longLie || status === "arrived" || status === "closed") return null;
  return { since: Math.round(longLie.since), isUnheard: longLie.isUnheard };
}

/** What an episode of no device is about. */
function subjectOf({ trouble, signOn, place }: EpisodeFacts, nameOf: (id: string) => string): string {
  if (signOn) return nameOf(signOn.responderId);
  if (trouble?.kind === "contact-unreachable") return nameOf(trouble.subject);
  if (trouble && [...dwellingTroubleKinds, ...deviceTroubleKinds].includes(trouble.kind)) {
    return place.alias ?? trouble.subject;
  }
  return trouble?.subject ?? "";
}

const minutesOf = (ms: number | null) => (ms === null ? null : Math.round(ms / 60_000));

/** The story of an episode, from its log. Replaying it rebuilds the state too. */
export function replayTimeline(
  log: readonly { at: number; input: EpisodeInput }[],
  nameOf: (id: string) => string,
): TimelineEntry[] {
  let state: EpisodeState | null = null;
  const entries: TimelineEntry[] = [];
  for (const { at, input } of log) {
    const [next, commands] = step(state, input, at);
    const events = commands.flatMap((command) => (command.do === "tell" ? [command.event] : []));
    entries.push(...timelineOf(input, events, at, nameOf));
    state = next;
  }
  return entries;
}

/** What one step adds to the story. */
export function timelineOf(
  input: EpisodeInput,
  events: readonly ServiceEvent[],
  at: number,
  nameOf: (id: string) => string,
): TimelineEntry[] {
  const entry = (what: string, who: string | null = null, via: string | null = null, detail: string | null = null) => ({
    at: Math.round(at),
    what,
    who,
    via,
    detail,
  });
  const user = input.type === "console" || input.type === "handed-on" ? input.user : null;
  const via = input.type === "reply" ? "sms" : user ? "console" : null;
  const by = (tag: string) => user?.name ?? nameOf(tag);
  const own: TimelineEntry[] = [];
  if (input.type === "opened") {
    const { detection, trouble } = input.facts;
    if (detection) own.push(entry("detection", null, null, detection.reason));
    if (trouble) own.push(entry("trouble", null, null, trouble.kind));
    if (input.facts.kind === "welfare") own.push(entry("inactive"));
  }
  if (input.type === "repeat") own.push(entry("detection", null, null, input.detection.reason));
  if (input.type === "page-result") {
    own.push(entry("page-sent", nameOf(input.responderId), "sms", input.result.outcome));
  }
  if (input.type === "console" && input.action.action === "called-112") {
    own.push(entry("called-112", input.user.name, via));
  }
  const told = events.flatMap((event): TimelineEntry[] => {
    switch (event.type) {
      case "page-queued":
        return [entry(event.type, nameOf(event.responderId), "sms", event.purpose)];
      case "receipt":
        return [entry(event.type, nameOf(event.responderId), "sms", event.status)];
      case "reply":
        return [entry(event.type, nameOf(event.responderId), "sms", event.letter)];
      case "taken":
      case "released":
      case "on-the-way":
      case "arrived":
      case "not-arrived":
      case "not-set-off":
      case "undone":
      case "backup-joined":
        return [entry(event.type, input.type === "due" ? nameOf(event.by) : by(event.by), via)];
      case "backup-asked":
        return [entry(event.type, by(event.by), via, event.letter)];
      case "closed": {
        const reason = input.type === "console" && input.action.action === "close" ? input.action.reason : undefined;
        return [entry(event.type, by(event.by), via, reason ? `${event.outcome}: ${reason}` : event.outcome)];
      }
      case "detection":
      case "page-sent":
      case "contact":
      case "device":
      case "supervision":
      case "gateway":
        return [];
      default:
        return [entry(event.type)];
    }
  });
  return [...own, ...told];
}
