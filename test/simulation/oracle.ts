import { isDeepStrictEqual } from "node:util";
import type { OutgoingPage } from "../../alerting/channels/channel.ts";
import { codeRestMs } from "../../alerting/codes.ts";
import type { AlertingConfig } from "../../alerting/config.ts";
import type { step } from "../../alerting/episode.ts";
import { callingOut, type EpisodeState } from "../../alerting/episode-state.ts";
import { ladderText } from "../../alerting/ladder.ts";
import type { Database } from "../../alerting/store/database.ts";
import type { EpisodeChange, LogEntry, NewPage, ReplyRow, Store } from "../../alerting/store/store.ts";
import { checkCommit, recentMs } from "./commit-rules.ts";
import { readStore, type StoreReader, type WaitingPage, type Watched } from "./facts.ts";
import type { Said } from "./staff.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface Violation {
  rule: string;
  what: string;
  /** Monotonic, ms. */
  at: number;
}

/** Somebody at the console. */
export interface Act {
  episodeId: string;
  user: string;
  action: string;
}

/**
 * What must be, kept apart from the code that is tried: it is told what the world did (detections handed in, texts written, buttons pressed), sees each
 * commit and each request to the provider, and reads the store by SQL.
 */
export class Oracle {
  readonly store: StoreReader;
  readonly watched = new Map<string, Watched>();
  readonly pages = new Map<string, WaitingPage>();
  /** Detections handed in, by id; and the episode that each was committed into. */
  readonly detections = new Map<string, { dwelling: string; accepted: boolean }>();
  readonly taken = new Map<string, string>();
  /** Detections after which nobody was seen to get up: as the gateway was told that it is kept, and as it was committed. */
  readonly acceptedUpdates = new Set<string>();
  readonly longLies = new Set<string>();
  readonly replies = new Map<string, Said>();
  /** What is being done at the console, and what was when the process died: it may have been done. */
  readonly acting = new Set<Act>();
  /** The process runs, the store works, and requests to the provider are not at their limit. */
  isUp = false;
  /** The last time that was not so, or the clock jumped. */
  settledAt = 0;
  /** The clock jumped while nobody ran: deadlines of before cannot be right. */
  blindSince = -1;
  violation: Violation | null = null;
  commits = 0;
  readonly #options: OracleOptions;
  readonly #log: { episodeId: string; input: string }[] = [];
  readonly #byPhone: Map<string, string>;
  /** When the clock was last set forward. */
  forwardAt = Number.NEGATIVE_INFINITY;

  constructor(options: OracleOptions) {
    this.#options = options;
    this.store = readStore(options.db);
    this.#byPhone = new Map(options.config.responders.map(({ phone, id }) => [phone, id]));
  }

  get now(): number {
    return this.#options.time.now;
  }

  fail(rule: string, what: string): void {
    this.violation ??= { rule, what, at: this.now };
  }

  responderOf(phone: string): string | undefined {
    return this.#byPhone.get(phone);
  }

  get operators(): readonly string[] {
    return this.#options.config.operators;
  }

  get firstPhone(): string {
    return this.#options.config.responders[0]?.phone ?? "";
  }

  isPaged(one: Watched, phone: string): boolean {
    const responder = this.#byPhone.get(phone);
    return responder !== undefined && this.store.wasPaged(one.id, responder);
  }

  /** The wall clock was set: codes may have rested by its word. */
  jumped(byMs: number): void {
    this.settledAt = this.now;
    if (byMs > 0) this.forwardAt = this.now;
  }

  /** It was set while nobody ran, or nobody lived to follow it: nobody can know, and what stands in the store is taken at its word. */
  jumpedUnseen(): void {
    this.blindSince = this.now;
    for (const { due } of this.watched.values()) {
      for (const deadline of due.values()) deadline.falls = this.now + deadline.at - this.#options.time.wall;
    }
  }

  codesRestSince(): number {
    return Math.max(this.now - codeRestMs + 60_000, this.forwardAt);
  }

  /** Whether a text without code from this responder could mean another episode than `id`. */
  couldBeMeant(responderId: string, id: string): boolean {
    return [...this.watched.values()].some(
      (other) =>
        other.id !== id &&
        this.store.wasPaged(other.id, responderId) &&
        (other.status !== "closed" || (other.statusSince > this.now - recentMs && other.statusSince > this.forwardAt)),
    );
  }

  /** A step was committed. */
  committed(change: EpisodeChange): void {
    this.commits++;
    const { id } = change.state.facts;
    const known = this.watched.get(id) ?? null;
    const row = this.store.episode(id);
    if (!row) {
      this.fail("stored", `${id} was committed and is not there`);
      return;
    }
    this.#log.push({ episodeId: id, input: JSON.stringify(change.input) });
    if (this.violation) return;
    checkCommit(this, change, known);
    const state = JSON.parse(row.state) as EpisodeState;
    if (row.status !== change.state.status || (row.closed_at === null) !== (row.status !== "closed")) {
      this.fail("stored", `${change.state.facts.code} is ${row.status} in the store, and not ${change.state.status}`);
    }
    const one = known ?? this.#begin(state);
    this.#follow(one, state, change);
    this.#deadlines(one, state, change.input.type === "clock");
    if (this.commits % 61 === 0) {
      this.checkReplay(id).catch((error: unknown) => this.fail("log-chain", `the log cannot be read: ${error}`));
    }
  }

  /** A reply about no episode was committed, with its answer or without. */
  committedLoose(reply: ReplyRow, page: NewPage | null): void {
    if (page || reply.effect === "stop" || reply.effect === "start") return;
    const guesses = this.store.unknownCodes(reply.responderId, Math.round(this.#options.time.wall) - 600_000);
    if (guesses < 5) this.fail("reply-answered", `${reply.responderId} got no answer`);
  }

  /** A page is handed to the provider. */
  sent({ pageId, phone, body }: OutgoingPage): void {
    const page = this.store.page(pageId);
    if (!page) {
      this.fail("known-page", `${pageId} is not in the store`);
      return;
    }
    if (this.#byPhone.get(phone) !== page.responder_id) this.fail("known-phone", `a page to ${phone}, who is nobody's`);
    if (page.status !== "sending") this.fail("begun", `${pageId} is sent while it is ${page.status}`);
    const one = page.episode_id === null ? undefined : this.watched.get(page.episode_id);
    if (!one) return;
    const { now } = this;
    // Several technical alarms go as one text, which names the first few.
    if (!body.includes(one.code) && one.kind !== "technical")
      this.fail("own-code", `${pageId} does not name ${one.code}`);
    const isWelfare = page.purpose === "welfare";
    if (callingOut.has(page.purpose) || isWelfare) one.calledAt = now;
    if (page.purpose === "backup") one.backupAt = now;
    if (page.purpose === "reminder" || page.purpose === "not-arrived") one.remindedAt = now;
    if (page.purpose === "not-taken" || page.purpose === "not-arrived" || isWelfare)
      one.operatorsTold.set(page.responder_id, now);
    const alarms = page.purpose === "alarm" || page.purpose === "not-taken" || isWelfare;
    if (alarms && one.status !== "open" && now - one.statusSince > 2_000) {
      const ago = Math.round((now - one.statusSince) / 1000);
      this.fail("stops-in-2s", `${pageId} calls to ${one.code}, which is ${one.status} since ${ago} s`);
    }
  }

  #begin(state: EpisodeState): Watched {
    const { now } = this;
    const { id, code, dwelling, kind, test } = state.facts;
    const one: Watched = {
      id,
      code,
      dwelling,
      test,
      kind,
      state,
      openedAt: now,
      status: state.status,
      statusSince: now,
      takenSince: now,
      movedBy: null,
      setOffSince: now,
      backupAt: now,
      batchAt: now,
      delivered: new Set(),
      calledAt: null,
      remindedAt: now,
      operatorsTold: new Map(),
      batch: new Map(),
      failed: new Set(),
      declined: new Set(),
      betweenRounds: false,
      present: new Set(),
      called: new Set(),
      due: new Map(),
    };
    this.watched.set(id, one);
    return one;
  }

  /** Whoever was called to help, and is not needed any more, is told. */
  #followCall(one: Watched, state: EpisodeState, { input, pages }: Pick<EpisodeChange, "input" | "pages">): void {
    const before = one.state;
    for (const { purpose, responderId } of pages) if (purpose === "backup") one.called.add(responderId);
    const isOver = before.backupAskedBy !== null && state.backupAskedBy === null;
    if (!isOver || (state.status !== "taken" && state.status !== "arrived")) return;
    const { arrivedBy } = state;
    const there = arrivedBy?.kind === "responder" ? arrivedBy.id : arrivedBy?.kind === "user" ? arrivedBy.name : null;
    const asker = typeof before.backupAskedBy === "string" ? before.backupAskedBy : before.backupAskedBy?.name;
    if (
      before.status !== "arrived" &&
      state.status === "arrived" &&
      before.backupNeed === "two-needed" &&
      there === asker
    ) {
      this.fail("backup-called", `${asker} needs a second person at ${one.code}, is there alone, and the call is over`);
    }
    const knows = new Set([...state.present, ...pages.map(({ responderId }) => responderId), there]);
    if (input.type === "reply") knows.add(input.responderId);
    for (const id of one.called) {
      if (!knows.has(id)) this.fail("called-off", `${id} was called to ${one.code}, is not needed there, and not told`);
    }
    one.called.clear();
  }

  #follow(one: Watched, state: EpisodeState, { input, pages }: EpisodeChange): void {
    const { now } = this;
    const before = one.state;
    if (one.status !== state.status) {
      one.statusSince = now;
      one.remindedAt = now;
      if (state.status === "open") {
        one.calledAt = null;
        one.operatorsTold.clear();
      }
    }
    if (before.takenAt !== state.takenAt || !isDeepStrictEqual(before.takenBy, state.takenBy)) one.takenSince = now;
    const moved = (key: "status" | "takenBy" | "onTheWayAt") => !isDeepStrictEqual(before[key], state[key]);
    if (moved("status") || moved("takenBy") || moved("onTheWayAt")) one.setOffSince = now;
    if (ladderText(before) !== ladderText(state)) {
      const byReply = input.type === "reply" && input.letter !== "Z" ? input.responderId : null;
      const byPress = input.type === "console" && input.action.action !== "undo" ? input.user.name : null;
      one.movedBy = byReply ?? byPress;
    }
    const isSameCall = isDeepStrictEqual(before.backupAskedBy, state.backupAskedBy);
    if (!isSameCall || before.backupJoined.length !== state.backupJoined.length) {
      one.backupAt = now;
    }
    const waits = state.status === "closed" ? null : state.backupAskedBy;
    const gone = before.backupJoined.find((id) => !state.backupJoined.includes(id));
    // Whoever asked at the console sees it there.
    if (gone !== undefined && isSameCall && typeof waits === "string" && input.type === "reply") {
      // Who asked again, for another reason, waits for new ones.
      const isToldToWait = input.responderId === waits || pages.some(({ responderId }) => responderId === waits);
      if (!isToldToWait) this.fail("waiter-told", `${gone} is not coming to ${one.code}, and ${waits} is not told`);
    }
    this.#followCall(one, state, { input, pages });
    one.status = state.status;
    one.state = state;
    const { batch, failed, declined } = one;
    const { operators } = this.#options.config;
    const toOperators = (page: NewPage) => page.purpose === "welfare" && operators.includes(page.responderId);
    const alarms = pages.filter(
      (page) => page.purpose === "alarm" || (page.purpose === "welfare" && !toOperators(page)),
    );
    if (pages.some((page) => page.purpose === "not-taken" || toOperators(page))) one.betweenRounds = true;
    if (alarms.length > 0) {
      batch.clear();
      failed.clear();
      declined.clear();
      one.batchAt = now;
      one.delivered.clear();
      one.betweenRounds = false;
      for (const { id, responderId } of alarms) batch.set(id, responderId);
    }
    const stands = one.status === "open" && !one.betweenRounds && alarms.length === 0;
    if (input.type === "reply") {
      const { responderId, letter } = input;
      if (letter === "F" || letter === "S" || letter === "U") one.present.add(responderId);
      if (stands && letter === "N" && [...batch.values()].includes(responderId) && !declined.has(responderId)) {
        this.fail("no-pages-next", `${responderId} said N to ${one.code}, and nobody else is paged`);
      }
      if (letter === "N") declined.add(responderId);
    }
    if (input.type === "console" && input.action.action === "arrived" && state.takenBy?.kind === "responder") {
      one.present.add(state.takenBy.id);
    }
    if (input.type === "contact-lost") {
      // What goes out because of it is tried anew.
      if (alarms.length === 0) {
        for (const [pageId, responderId] of batch) if (responderId === input.responderId) failed.add(pageId);
      }
      if (stands && batch.size > 0 && failed.size === batch.size) {
        this.fail(
          "failed-pages-next",
          `${input.responderId} gets no texts about ${one.code}, and nobody else is paged`,
        );
      }
    }
    const outcome = input.type === "page-result" ? input.result.outcome : null;
    const undelivered = input.type === "receipt" && (input.status === "undelivered" || input.status === "failed");
    if (outcome === "accepted" || (input.type === "receipt" && input.status === "delivered")) {
      if ("pageId" in input) {
        failed.delete(input.pageId);
        if (input.type === "receipt" && batch.has(input.pageId)) one.delivered.add(input.pageId);
      }
    }
    if ((outcome === "permanent" || outcome === "unknown" || undelivered) && "pageId" in input) {
      // What a phone has it has, whatever a second text of the same page met; but a request that failed calls the next all the same.
      if (batch.has(input.pageId) && !(undelivered && one.delivered.has(input.pageId))) failed.add(input.pageId);
      if (stands && batch.size > 0 && failed.size === batch.size) {
        this.fail("failed-pages-next", `no page of ${one.code} will arrive, and nobody else is paged`);
      }
    }
  }

  #deadlines(one: Watched, state: EpisodeState, clockSet: boolean): void {
    const { time } = this.#options;
    const rows = this.store.due(one.id);
    const wanted = Object.entries(state.due);
    const asStated =
      rows.length === wanted.length &&
      rows.every(({ purpose, at }) => Math.ceil(state.due[purpose as keyof typeof state.due] ?? -1) === at);
    if (!asStated) {
      this.fail(
        "deadlines-stored",
        `${one.code}: ${rows.map(({ purpose }) => purpose)} stand, ${wanted.map(([purpose]) => purpose)} should`,
      );
    }
    const due: Watched["due"] = new Map();
    for (const { purpose, at } of rows) {
      const known = one.due.get(purpose);
      const falls = this.now + at - time.wall;
      if (!known || known.at === at || !clockSet || known.setAt <= this.blindSince) {
        due.set(purpose, known?.at === at ? known : { at, falls, setAt: this.now });
        continue;
      }
      // A deadline that follows the clock falls when it always did. One that calls the next may come early: the machine may have slept.
      const earlier = falls < known.falls && (purpose === "next-page" || purpose === "receipt");
      if (!earlier && Math.abs(falls - known.falls) > 2_000) {
        this.fail(
          "follows-clock",
          `${purpose} of ${one.code} is moved by ${Math.round((falls - known.falls) / 1000)} s`,
        );
      }
      due.set(purpose, { ...known, at, falls: earlier ? falls : known.falls });
    }
    one.due = due;
  }

  /** Replaying the log gives the state as it is. */
  async checkReplay(episodeId: string, known?: readonly LogEntry[]): Promise<void> {
    const log = known ?? (await this.#options.storeItself.episodes.log(episodeId));
    const stored = this.store.episode(episodeId);
    if (!stored) return;
    let state: EpisodeState | null = null;
    for (const { at, input } of log) [state] = this.#options.step(state, input, at);
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(state)), JSON.parse(stored.state))) {
      this.fail("log-gives-state", `the log of ${episodeId} gives another state than the store holds`);
    }
  }

  /** At the end of a seed: the whole chain, each episode's log, each detection that was accepted. */
  async checkEnd(): Promise<void> {
    const { storeItself } = this.#options;
    const { entries, brokenAt } = await storeItself.episodes.verifyLog();
    if (brokenAt !== null) {
      this.fail("log-chain", `the log is broken at ${brokenAt}`);
      return;
    }
    if (entries !== this.#log.length) this.fail("log-whole", `${entries} entries, ${this.#log.length} commits`);
    for (const id of this.watched.keys()) {
      const wanted = this.#log.filter((entry) => entry.episodeId === id).map(({ input }) => input);
      const log = await storeItself.episodes.log(id);
      const got = log.map(({ input }) => JSON.stringify(input));
      if (!isDeepStrictEqual(got, wanted)) this.fail("log-whole", `the log of ${id} is not what was committed`);
      await this.checkReplay(id, log);
    }
    for (const [id, { accepted }] of this.detections) {
      if (accepted && this.store.episodeOfDetection(id).length !== 1)
        this.fail("accepted-kept", `${id} was accepted and is lost`);
    }
    for (const id of this.acceptedUpdates) {
      if (this.detections.has(id) && !this.longLies.has(id))
        this.fail("accepted-kept", `that nobody gets up after ${id} was accepted and is lost`);
    }
  }
}

export interface OracleOptions {
  db: Database;
  /** Past every gate. */
  storeItself: Store;
  config: AlertingConfig;
  time: VirtualTime;
  /** As the service has it: a planted fault must be found by what it does, not by a replay without it. */
  step: typeof step;
}
