import { step as trueStep } from "../../alerting/episode.ts";
import type { EpisodeInput, EpisodeState } from "../../alerting/episode-state.ts";
import type { ReplyDesk } from "../../alerting/reply-desk.ts";
import type { Database } from "../../alerting/store/database.ts";
import type { EpisodeChange, EpisodeStore, PageStore, Store } from "../../alerting/store/store.ts";
import type { Oracle } from "./oracle.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface Around {
  time: VirtualTime;
  db: Database;
  oracle: Oracle;
}

/** A fault, planted through one of the seams: the state machine, the store, the reply desk, or what stands before the provider. */
export interface Fault {
  /** What is wrong. */
  tells: string;
  step?: typeof trueStep;
  store?(store: Store, around: Around): Store;
  desk?(desk: ReplyDesk, around: Around): ReplyDesk;
}

/** The state machine, with what it does bent afterwards. */
function bent(
  tells: string,
  bend: (next: EpisodeState, input: EpisodeInput, before: EpisodeState, now: number) => void,
): Fault {
  return {
    tells,
    step(state, input, now) {
      const [next, commands] = trueStep(state, input, now);
      if (state) bend(next, input, state, now);
      return [next, commands];
    },
  };
}

/** The state machine, deaf to some inputs. */
function deaf(tells: string, ignores: (input: EpisodeInput, state: EpisodeState) => boolean): Fault {
  return {
    tells,
    step: (state, input, now) =>
      state && ignores(input, state) ? [structuredClone(state), []] : trueStep(state, input, now),
  };
}

/** The state machine, with some of its commands left out. */
function silent(tells: string, leavesOut: (command: Command, input: EpisodeInput) => boolean): Fault {
  return {
    tells,
    step(state, input, now) {
      const [next, commands] = trueStep(state, input, now);
      return [next, commands.filter((command) => !leavesOut(command, input))];
    },
  };
}
type Command = ReturnType<typeof trueStep>[1][number];

function episodes(tells: string, bend: (store: EpisodeStore, around: Around) => Partial<EpisodeStore>): Fault {
  return {
    tells,
    store: (store, around) => ({ ...store, episodes: { ...store.episodes, ...bend(store.episodes, around) } }),
  };
}

function pages(tells: string, bend: (store: PageStore, around: Around) => Partial<PageStore>): Fault {
  return { tells, store: (store, around) => ({ ...store, pages: { ...store.pages, ...bend(store.pages, around) } }) };
}

/** A commit that is changed on its way. */
function commits(tells: string, bend: (change: EpisodeChange, around: Around) => EpisodeChange): Fault {
  return episodes(tells, (store, around) => ({ commitStep: (change) => store.commitStep(bend(change, around)) }));
}

/** Faults that the simulation must find; planted-faults.test.ts plants each. */
export const plantedFaults: Readonly<Record<string, Fault>> = {
  "deadline-dropped": bent("whoever takes it has for ever to get there", (next, input) => {
    if (input.type === "reply" && input.letter === "T") next.due = {};
  }),
  "policy-stops": {
    tells: "past the last step the policy does not begin again",
    step(state, input, now) {
      const [next, commands] = trueStep(state, input, now);
      if (!state || next.round === state.round || next.status !== "open") return [next, commands];
      return [
        { ...next, due: { "next-page": now + 24 * 3_600_000 } },
        commands.filter((command) => command.do !== "page"),
      ];
    },
  },
  "closed-by-timer": bent("an alarm that nobody took for a while is closed", (next, input, before, now) => {
    if (input.type !== "due" || before.round < 2 || next.status !== "open") return;
    Object.assign(next, { status: "closed", closedAt: now, closedBy: before.takenBy, outcome: "unknown", due: {} });
  }),
  "receipt-acknowledges": bent("a text that was delivered counts as taken", (next, input, before, now) => {
    if (input.type !== "receipt" || input.status !== "delivered" || before.status !== "open") return;
    Object.assign(next, {
      status: "taken",
      takenBy: { kind: "responder", id: input.responderId },
      takenAt: now,
      due: { arrive: now + next.facts.policy.arriveWithinMs },
    });
  }),
  "sent-acknowledges": bent("what the provider took needs no next page", (next, input) => {
    if (input.type === "page-result" && input.result.outcome === "accepted" && next.status === "open") {
      next.due = { "next-page": (next.due["next-page"] ?? 0) + 12 * 3_600_000 };
    }
  }),
  "permanent-waits": deaf(
    "a phone that can never be reached is waited for",
    (input) => input.type === "page-result" && input.result.outcome === "permanent",
  ),
  "unknown-waits": deaf(
    "a text of which nobody knows is waited for",
    (input) => input.type === "page-result" && input.result.outcome === "unknown",
  ),
  "no-is-ignored": {
    tells: "N is answered, and pages nobody",
    step(state, input, now) {
      const [next, commands] = trueStep(state, input, now);
      if (input.type !== "reply" || input.letter !== "N" || state?.status !== "open") return [next, commands];
      const answers = commands.filter((command) => command.do !== "page" || command.purpose === "answer");
      return [{ ...structuredClone(state), declined: next.declined, nextPageNumber: next.nextPageNumber }, answers];
    },
  },
  "retry-forgotten": silent("what was not sent is not tried again", ({ do: what }) => what === "retry"),
  "withdrawal-forgotten": silent("pages that wait go out after it was taken", ({ do: what }) => what === "withdraw"),
  "operators-not-told": silent(
    "operators hear nothing of an alarm that nobody takes",
    (command) => command.do === "page" && command.purpose === "not-taken",
  ),
  "answer-forgotten": silent(
    "whoever takes it is not told so",
    (command, input) => command.do === "page" && input.type === "reply" && command.responderId === input.responderId,
  ),
  "not-arrived-forgotten": bent("nobody there in time: nobody is paged again", (next, input, before) => {
    if (input.type !== "due" || input.purpose !== "arrive" || before.status !== "taken") return;
    Object.assign(next, structuredClone(before));
    next.due.arrive = (before.due.arrive ?? 0) + 24 * 3_600_000;
  }),
  "closed-from-afar": {
    tells: "X closes, also where nobody was there",
    step: (state, input, now) =>
      state && input.type === "reply" && input.letter === "X" && state.status !== "closed"
        ? trueStep({ ...state, present: [...state.present, input.responderId] }, input, now)
        : trueStep(state, input, now),
  },
  "long-lie-ignored": deaf(
    "nobody is called sooner for somebody who was not seen to get up",
    (input) => input.type === "long-lie",
  ),
  "movement-ends-what-is-taken": bent("movement ends a welfare alarm that somebody has", (next, input, before, now) => {
    if (input.type !== "movement" || before.status !== "taken") return;
    Object.assign(next, { status: "closed", closedAt: now, closedBy: { kind: "system" }, outcome: "unknown", due: {} });
  }),
  "receipt-not-awaited": bent("what no phone has by the deadline is waited for", (next) => {
    delete next.due.receipt;
  }),
  "set-off-forgotten": bent("whoever takes it need not set off", (next) => {
    delete next.due["set-off"];
  }),
  "backup-not-called": silent(
    "who cannot get in, or needs another, is told that others were called",
    (command) => command.do === "page" && command.purpose === "backup",
  ),
  "waiter-not-told": silent(
    "who was coming to help is not, and whoever waits is not told",
    (command) => command.do === "page" && command.message.kind === "backup-not-coming",
  ),
  "called-not-told": silent(
    "whoever was called to help is not needed any more, and goes all the same",
    (command) => command.do === "page" && ["backup-off", "arrived-other"].includes(command.message.kind),
  ),
  "busy-are-asked": {
    tells: "whoever has an alarm is asked first about the next",
    step: (state, input, now) =>
      trueStep(state, input.duty ? { ...input, duty: { ...input.duty, busy: [] } } : input, now),
  },
  "undo-by-anybody": {
    tells: "anybody's Z takes back what another did",
    step: (state, input, now) =>
      state?.undo && input.type === "reply" && input.letter === "Z"
        ? trueStep({ ...state, undo: { ...state.undo, by: input.responderId } }, input, now)
        : trueStep(state, input, now),
  },
  "console-undoes-anybody's": {
    tells: "whoever is at the console takes back what another did there",
    step: (state, input, now) =>
      state?.undo && input.type === "console" && input.action.action === "undo"
        ? trueStep({ ...state, undo: { ...state.undo, by: input.user } }, input, now)
        : trueStep(state, input, now),
  },
  "lost-phone-is-waited-for": deaf("a phone that said STOP is waited for", (input) => input.type === "contact-lost"),
  "clock-not-followed": {
    tells: "deadlines stay where they are when the wall clock is set",
    step: (state, input, now) => trueStep(state, input.type === "clock" ? { ...input, jumpMs: 0 } : input, now),
  },
  "clock-followed-twice": {
    tells: "deadlines move twice when the wall clock is set",
    step: (state, input, now) =>
      trueStep(state, input.type === "clock" ? { ...input, jumpMs: 2 * input.jumpMs } : input, now),
  },
  "wrong-episode": {
    tells: "an acknowledgement counts for another open alarm",
    desk: (desk, { oracle }) => ({
      ...desk,
      reply(inbound) {
        const open = [...oracle.watched.values()].filter(({ status }) => status !== "closed");
        const meant = open.find(({ code }) => inbound.body.includes(code));
        const other = open.find((one) => one !== meant && oracle.isPaged(one, inbound.from));
        const body = meant && other ? inbound.body.replace(meant.code, other.code) : inbound.body;
        return desk.reply({ ...inbound, body });
      },
    }),
  },
  "codeless-hits-newest": {
    tells: "a text without code counts for the newest alarm",
    desk: (desk, { oracle }) => ({
      ...desk,
      reply(inbound) {
        const newest = [...oracle.watched.values()]
          .filter((one) => one.status !== "closed" && oracle.isPaged(one, inbound.from))
          .at(-1);
        const body = newest && !/\d/.test(inbound.body) ? `${newest.code} ${inbound.body}` : inbound.body;
        return desk.reply({ ...inbound, body });
      },
    }),
  },
  "stranger-takes": {
    tells: "a phone that is nobody's is taken for the first responder's",
    desk: (desk, { oracle }) => ({
      ...desk,
      reply: (inbound) =>
        desk.reply(oracle.responderOf(inbound.from) === undefined ? { ...inbound, from: oracle.firstPhone } : inbound),
    }),
  },
  "same-detection-twice": {
    tells: "a detection that comes again is taken for a new one",
    store: (store) => ({
      ...store,
      episodes: {
        ...store.episodes,
        episodeOfDetection: async () => null,
        async commitStep({ detection, ...change }) {
          const isKnown = detection && (await store.episodes.episodeOfDetection(detection.id)) !== null;
          return store.episodes.commitStep(detection && !isKnown ? { ...change, detection } : change);
        },
      },
    }),
  },
  "two-open": {
    tells: "a further fall opens another episode beside the open one",
    store: (store) => ({
      ...store,
      registry: {
        ...store.registry,
        async device(deviceId) {
          const found = await store.registry.device(deviceId);
          if (!found?.dwelling) return found;
          const open = await store.episodes.openEpisode(found.dwelling.id, false);
          return open ? { ...found, dwelling: { ...found.dwelling, id: `${found.dwelling.id}-2` } } : found;
        },
      },
    }),
  },
  "accepted-too-early": commits(
    "a detection is accepted, and only its first step is kept",
    ({ detection, ...change }) => ({
      ...change,
      ...(detection && change.input.type === "opened" ? { detection } : {}),
    }),
  ),
  "code-does-not-rest": episodes("codes are given without a look at those in use", () => ({
    usedCodes: async () => [],
  })),
  "codes-too-near": {
    tells: "codes are given that differ in one digit",
    step(state, input, now) {
      if (input.type !== "opened" || input.facts.test) return trueStep(state, input, now);
      const code = `22${2 + (input.facts.id.charCodeAt(6) % 8)}`;
      return trueStep(state, { ...input, facts: { ...input.facts, code } }, now);
    },
  },
  "due-lost-at-restart": pages("deadlines that fall while nobody runs are thrown away", (store, { db, time }) => ({
    resumeCutOff(at) {
      db.run("DELETE FROM due WHERE at < ?", time.wall);
      return store.resumeCutOff(at);
    },
  })),
  "page-lost-at-restart": pages("a text that was being sent at a crash is left as it is", () => ({
    resumeCutOff: async () => 0,
  })),
  "page-resent-for-nothing": pages(
    "after a restart alarms go out again, also where somebody has them",
    (store, { db }) => ({
      async resumeCutOff(at) {
        const count = await store.resumeCutOff(at);
        return (
          count +
          db.run(
            "UPDATE pages SET status = 'pending', not_before = ? WHERE purpose = 'alarm' AND status IN ('accepted', 'delivered')",
            at,
          )
        );
      },
    }),
  ),
  "log-entry-missing": episodes("now and then a step is not logged", (store, { db }) => ({
    async commitStep(change) {
      const pages = await store.commitStep(change);
      if (change.input.type !== "page-result" || change.input.tries < 2) return pages;
      db.run("DROP TRIGGER IF EXISTS episode_log_no_delete");
      db.run("DELETE FROM episode_log WHERE seq = (SELECT MAX(seq) FROM episode_log)");
      return pages;
    },
  })),
  "log-entry-altered": episodes("somebody changes what was logged", (store, { db }) => ({
    async commitStep(change) {
      const pages = await store.commitStep(change);
      if (change.input.type !== "reply" || change.input.letter !== "N") return pages;
      db.run("DROP TRIGGER IF EXISTS episode_log_no_update");
      db.run("UPDATE episode_log SET at = at + 1000 WHERE seq = (SELECT MAX(seq) FROM episode_log)");
      return pages;
    },
  })),
  "log-in-two-parts": commits(
    "state and log are not of one piece: a receipt is stored and not logged as it was",
    (change) =>
      change.input.type === "receipt" ? { ...change, input: { ...change.input, errorCode: "other" } } : change,
  ),
  "slow-listener": episodes("a commit waits for whoever listens to events", (store, { time }) => ({
    commitStep: (change) =>
      new Promise((resolve, reject) => {
        const isSlow = change.input.type === "due";
        time.after(isSlow ? 20_000 : 0, () => store.commitStep(change).then(resolve, reject));
      }),
  })),
};

/**
 * Which rules find a fault first; by which of them depends on the seed. A replay of the log finds none of the state machine's: it is played with the
 * fault in it.
 */
export const foundBy: Readonly<Record<keyof typeof plantedFaults, readonly string[]>> = {
  "deadline-dropped": ["one-deadline", "not-set-off", "not-arrived"],
  "policy-stops": ["goes-on", "operators-told", "receipt-missing"],
  "closed-by-timer": ["only-persons"],
  "receipt-acknowledges": ["only-persons"],
  "sent-acknowledges": ["goes-on", "receipt-missing", "operators-told"],
  "permanent-waits": ["failed-pages-next"],
  "unknown-waits": ["failed-pages-next", "tried-again"],
  "no-is-ignored": ["no-pages-next"],
  "retry-forgotten": ["tried-again"],
  "withdrawal-forgotten": ["stops-in-2s"],
  "operators-not-told": ["operators-told", "failed-pages-next", "no-pages-next", "goes-on", "receipt-missing"],
  "answer-forgotten": ["reply-right"],
  "not-arrived-forgotten": ["not-arrived", "stops-in-2s"],
  "closed-from-afar": ["reply-right"],
  "long-lie-ignored": ["long-lie"],
  "movement-ends-what-is-taken": ["only-persons"],
  "receipt-not-awaited": ["receipt-missing"],
  "set-off-forgotten": ["not-set-off"],
  "backup-not-called": ["backup-called", "console-right"],
  "waiter-not-told": ["waiter-told"],
  "called-not-told": ["called-off"],
  "busy-are-asked": ["busy-passed-over"],
  "undo-by-anybody": ["reply-right"],
  "console-undoes-anybody's": ["console-right"],
  "lost-phone-is-waited-for": ["failed-pages-next"],
  "clock-not-followed": ["follows-clock", "in-time", "goes-on", "not-early"],
  "clock-followed-twice": ["follows-clock", "in-time", "not-early"],
  "wrong-episode": ["reply-right"],
  "codeless-hits-newest": ["reply-right"],
  "stranger-takes": ["reply-right"],
  "same-detection-twice": ["detection-once", "accepted-kept"],
  "two-open": ["detection-once", "one-open"],
  "accepted-too-early": ["accepted-kept", "detection-once"],
  "code-does-not-rest": ["code-rests", "codes-apart"],
  "codes-too-near": ["codes-apart", "code-rests"],
  "due-lost-at-restart": ["one-deadline", "in-time", "goes-on"],
  "page-lost-at-restart": ["pages-go"],
  "page-resent-for-nothing": ["stops-in-2s"],
  "log-entry-missing": ["log-whole"],
  "log-entry-altered": ["log-chain", "log-gives-state", "log-whole"],
  "log-in-two-parts": ["log-whole", "log-gives-state"],
  "slow-listener": ["in-time", "pages-go", "goes-on"],
};
