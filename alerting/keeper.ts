import type { Clock } from "../firmware-contracts/clock.ts";
import type { Detection } from "../firmware-contracts/detection.ts";
import type { FallUpdate, WelfareEvent } from "../firmware-contracts/intake.ts";
import { type Board, timelineOf } from "./board.ts";
import { createClockJumps } from "./clock-jumps.ts";
import type { AlertingConfig, ResponderConfig } from "./config.ts";
import { cryptoDraws, type Draws } from "./draws.ts";
import { dutyOf, dutyOfEpisode } from "./duty.ts";
import { step as stepOfEpisode } from "./episode.ts";
import type {
  Duty,
  EpisodeFacts,
  EpisodeInput,
  EpisodeState,
  PagePurpose,
  Refusal,
  SignOnFacts,
  Trouble,
} from "./episode-state.ts";
import type { ServiceEvent } from "./events.ts";
import { createMessageWriter, type MessageWriter, textPlace } from "./messages/texts.ts";
import { createOpening, signOnKey, type Whereabouts } from "./opening.ts";
import { createPolicies } from "./policies.ts";
import { createSerial } from "./serial.ts";
import { movesWithClock } from "./set-clock.ts";
import { createStaff, type Staff } from "./staff.ts";
import type { ContactChange, EpisodeChange, OperationTest, PageRow, Store } from "./store/store.ts";
import { technicalNotBefore } from "./technical.ts";
import { joinsTestMs, selfTestKey } from "./test-alarm-facts.ts";
import { troubleKey, welfareEpisodeId, welfareKey } from "./welfare-keys.ts";

export interface KeeperOptions {
  config: AlertingConfig;
  store: Store;
  board: Board;
  clock: Clock;
  /** Whom a rota has on call, in the order of paging. Left out: nobody. */
  onCall?: (rotaId: string, at: number) => readonly string[];
  /** Called after each commit, with what has happened; must not throw. */
  onEvent(event: ServiceEvent): void;
  onChange(episodeId: string): void;
  /** Called after each commit that may have given the dispatcher something to do. */
  wake(): void;
  /** Called after the deadlines have followed a clock that was set by so much. */
  onClockSet?(jumpMs: number): void;
  draws?: Draws;
  /** Of an alarm of the self-test's device: the test that it belongs to, and how long it may take from here, ms. Null: no test is under way. */
  selfTest?(detection: Detection, now: number): Promise<{ runId: string; forMs: number } | null>;
  /** The episode's state machine; a test may plant a fault in it. */
  step?: typeof stepOfEpisode;
}

/** What a step is committed together with. */
export type WithStep = Partial<Pick<EpisodeChange, "detection" | "attemptEnd" | "receipt" | "reply" | "operationTest">>;

/**
 * Keeps episodes: carries each input through the state machine and commits what came of it, one after the other.
 * A method that rejects has changed nothing, and may be called again.
 */
export interface Keeper {
  readonly writer: MessageWriter;
  readonly responders: ReadonlyMap<string, ResponderConfig>;
  readonly staff: Staff;
  nameOf(responderId: string): string;
  /** Reads what is known of phones. Called once, before anything else. */
  load(): Promise<void>;
  /** Opens an episode or joins one. The same id twice does nothing. */
  detect(detection: Detection): Promise<void>;
  /** What became of somebody after a fall: `unknown` where its Detection is not known, or was erased; `known` where it was told before. */
  fallUpdate(update: FallUpdate): Promise<"taken" | "unknown" | "known">;
  /** A dwelling's inactivity, and its end. `unknown` where there is no such dwelling, or it is being erased; `known` where it was told before. */
  welfare(event: WelfareEvent): Promise<"taken" | "unknown" | "known">;
  /** Raises a technical alarm, one for each outage. */
  raise(trouble: Trouble): Promise<void>;
  /** Ends the technical alarm about this, where there is one: it is so no more. */
  end(trouble: Pick<Trouble, "kind" | "subject">): Promise<void>;
  /** Ends it where it is part of another alarm now: nobody is told that it is over. */
  join(trouble: Pick<Trouble, "kind" | "subject">): Promise<void>;
  /** A device's test alarm awaits its key number no longer, since its test was called off: its alarm goes to the operators. */
  callOffTest(episodeId: string): Promise<void>;
  /** The self-test is over, and its alarm with it. */
  endSelfTest(deviceId: string): Promise<void>;
  /** Asks a shift's phone to sign on. One that is still asked about an earlier time is asked anew; `again`: so is one that is asked about this. */
  askSignOn(signOn: SignOnFacts, again?: boolean): Promise<void>;
  /** Its time on call is over: nobody needs to answer any more. */
  endSignOn(responderId: string): Promise<void>;
  /** One text for several technical alarms to one phone. */
  digest(pages: readonly PageRow[]): Promise<string>;
  /** The wearer of a device has pressed cancel. */
  cancel(deviceId: string, at: number, upright: boolean): Promise<void>;
  /** A phone gets no more texts: what waits for it goes to the next, and whoever leads is told. */
  contactLost(responderId: string, reason: string): Promise<void>;
  /** It does again. */
  contactBack(responderId: string): Promise<void>;
  /** At a start: nobody knows what the clock did meanwhile. */
  resumeClock(): Promise<void>;
  /** Where the wall clock was set, deadlines follow it. So they do before anything else that the keeper does. */
  followClock(): Promise<void>;
  /** Applies one input. Returns why it was refused, or null; `missing` where there is no such episode. */
  apply(
    episodeId: string,
    input: EpisodeInput,
    also?: WithStep,
    events?: ServiceEvent[],
  ): Promise<Refusal | "missing" | null>;
  /** Runs work between two steps, so that what it reads stays so until it has written. */
  inTurn<T>(work: (apply: Keeper["apply"]) => Promise<T>): Promise<T>;
}

/** Inputs that page nobody: what they come with is not worth a place in the log. */
function pagesNobody(input: EpisodeInput): boolean {
  if (input.type === "page-result") return input.result.outcome === "accepted";
  return (
    input.type === "clock" || (input.type === "receipt" && (input.status === "sent" || input.status === "delivered"))
  );
}

export function createKeeper(options: KeeperOptions): Keeper {
  const { config, store, board, clock, draws = cryptoDraws, step = stepOfEpisode, onCall = () => [] } = options;
  const staff = createStaff(config, store, onCall);
  const { responders, nameOf } = staff;
  const writer = createMessageWriter(config.timeZone, nameOf);
  const opening = createOpening({ store, policies: createPolicies(config), draws });
  const oneByOne = createSerial();
  const jumps = createClockJumps(clock);
  /** Nothing is worked out by a clock that was set before the deadlines have followed it: what is new would be moved with what is old. */
  const serial = <T>(work: () => Promise<T>): Promise<T> =>
    oneByOne(async () => {
      const jumpMs = jumps.jumpedBy();
      if (jumpMs !== 0) {
        await clockSetNow(jumpMs);
        jumps.followed(jumpMs);
        options.onClockSet?.(jumpMs);
      }
      return work();
    });

  /** Who can be paged about this episode now, where that is more than its policy says by itself. */
  function dutyFor(facts: EpisodeFacts, now: number): Duty | null {
    const others = openStates().filter((state) => state.facts.id !== facts.id);
    const { timeZone, technical } = config;
    const unreachable = [...staff.lost.keys()].sort();
    const around = { staffing: staff.at(now), others, unreachable, quietHours: technical.quietHours, timeZone };
    const duty = dutyOfEpisode(facts, around, now);
    return JSON.stringify(duty) === JSON.stringify(dutyOf(facts.policy)) ? null : duty;
  }

  async function pageTime(facts: EpisodeFacts, purpose: PagePurpose, responderId: string, now: number) {
    if (purpose !== "technical" || !facts.trouble) return {};
    const last = await store.pages.lastTechnicalTo(responderId);
    return { notBefore: technicalNotBefore(facts.trouble.kind, config.technical, last, now) };
  }

  async function commit(
    state: EpisodeState | null,
    bare: EpisodeInput,
    also: WithStep,
    before: ServiceEvent[],
    shown = also.detection,
  ): Promise<Refusal | null> {
    const at = Math.round(clock.wallNow());
    const duty = pagesNobody(bare)
      ? null
      : dutyFor(bare.type === "opened" ? bare.facts : (state?.facts as EpisodeFacts), at);
    const input: EpisodeInput = duty ? { ...bare, duty } : bare;
    const [next, commands] = step(state, input, at);
    const change: EpisodeChange = { state: next, input, at, pages: [], withdraw: false, retries: [], ...also };
    const events = [...before];
    for (const command of commands) {
      if (command.do === "refuse") return command.problem;
      if (command.do === "withdraw") change.withdraw = true;
      else if (command.do === "retry") change.retries.push(command);
      else if (command.do === "tell") events.push(command.event);
      else {
        const { pageId, responderId, purpose, step: policyStep, message } = command;
        const language = staff.languageOf(responderId);
        const body = writer.write(message, textPlace(next.facts), language);
        const when = await pageTime(next.facts, purpose, responderId, at);
        change.pages.push({ id: pageId, responderId, purpose, step: policyStep, language, body, ...when });
      }
    }
    const contact = await contactIn(input);
    if (contact) change.contact = contact;
    const pages = await store.episodes.commitStep(change);
    const opened = state === null ? shown : undefined;
    const { id } = next.facts;
    board.put(at, next, pages, timelineOf(input, events, at, nameOf), opened);
    if (contact) staff.contact(contact, at);
    for (const event of events) options.onEvent(event);
    options.onChange(id);
    options.wake();
    if (contact) await followContact(contact, at);
    return null;
  }

  /** What an input tells of a phone, where that is news. */
  async function contactIn(input: EpisodeInput): Promise<ContactChange | null> {
    if (input.type === "receipt") {
      const { pageId, responderId, status, errorCode } = input;
      if (status === "delivered") {
        const lost = staff.lost.get(responderId);
        // The receipt of an earlier text may come after a STOP: it tells nothing of the next.
        const isLater = lost !== undefined && ((await store.pages.page(pageId))?.createdAt ?? 0) > lost.since;
        return isLater ? staff.change(responderId, null) : null;
      }
      if (input.lost) return staff.lost.has(responderId) ? null : staff.change(responderId, errorCode ?? status);
    }
    if (input.type === "page-result" && input.result.outcome === "permanent" && input.result.fault === "phone") {
      const { responderId, result } = input;
      return staff.lost.has(responderId) ? null : staff.change(responderId, result.reason);
    }
    return null;
  }

  async function followContact({ responderId, lost }: ContactChange, at: number): Promise<void> {
    const trouble = { kind: "contact-unreachable", subject: responderId } as const;
    options.onEvent({ type: "contact", at, responderId, lost });
    if (lost === null) await endNow(troubleKey(trouble), false);
    else await raiseNow({ ...trouble, since: at });
  }

  const applyNow: Keeper["apply"] = async (episodeId, input, also = {}, events = []) => {
    const state = await store.episodes.episode(episodeId);
    if (!state) return "missing";
    if (input.type === "due" && isDeviceTest(state) && (state.due[input.purpose] ?? Infinity) <= clock.wallNow()) {
      await handOn(state);
      return commit(state, input, { ...also, operationTest: endedTest(state, "unanswered") }, events);
    }
    return commit(state, input, also, events);
  };

  const isDeviceTest = ({ facts, status }: EpisodeState) =>
    facts.testAlarm?.purpose === "device" && status !== "closed";

  const endedTest = ({ facts }: EpisodeState, outcome: "unanswered" | "called-off") =>
    ({ testId: facts.testAlarm?.id ?? "", what: "ended", outcome }) as const;

  /** The alarm behind a device's test alarm that nobody has answered: it may be a fall. Done before the test is ended, and once however often it is begun. */
  async function handOn({ facts }: EpisodeState): Promise<string | null> {
    const detection = facts.detection && (await store.episodes.detection(facts.detection.id));
    if (!detection) return null;
    const id = handedOnId(facts.id);
    if (await store.episodes.episode(id)) return id;
    return alarmNow(detection, await opening.find(detection.deviceId), { id });
  }

  /** Opens an alarm or joins one; `again`: its Detection is kept already, of a test alarm. Returns the episode. */
  async function alarmNow(detection: Detection, where: Whereabouts, again?: { id: string }): Promise<string> {
    const now = clock.wallNow();
    const also = again ? {} : { detection };
    const open = await store.episodes.openEpisode(where.dwelling, detection.test);
    if (open) {
      const { id, deviceId, kind, strength, reason, impactAt, arrivedAt, late } = detection;
      const operatorsFirst = (await opening.operatorsFirst(detection, where, now)) !== null;
      const joined = { id, deviceId, kind, strength, reason, impactAt, arrivedAt, late, operatorsFirst };
      const events = [detectionEvent(open.facts, detection, now, true)];
      await commit(open, { type: "repeat", detection: joined }, also, events);
      return open.facts.id;
    }
    const facts = { ...(await opening.ofDetection(detection, where, now)), ...again };
    await commit(null, { type: "opened", facts }, also, [detectionEvent(facts, detection, now, false)], detection);
    return facts.id;
  }

  /** A test alarm where the device awaits one: it was asked for, and this came after that. Returns false where it is an alarm like any other. */
  async function deviceTestNow(detection: Detection, where: Whereabouts): Promise<boolean> {
    if (where.notInOperation !== "awaiting-test" || detection.test) return false;
    const now = clock.wallNow();
    const test = await store.operation.findTest(detection.deviceId);
    if (!test || test.dwellingId !== where.dwelling || test.endedAt !== null) return false;
    if (test.episodeId !== null) return joinTest(test, detection, now);
    if (detection.impactAt < test.openedAt || now > test.untilAt) return false;
    const facts = await opening.ofDeviceTest(detection, where, test, now);
    const also: WithStep = { detection, operationTest: { testId: test.id, what: "came" } };
    await commit(null, { type: "opened", facts }, also, [detectionEvent(facts, detection, now, false)]);
    return true;
  }

  /** The same press, or the same fall, told once more. What comes later may be a fall. */
  async function joinTest({ episodeId }: OperationTest, detection: Detection, now: number): Promise<boolean> {
    const state = episodeId === null ? null : await store.episodes.episode(episodeId);
    if (!state || state.status === "closed" || now - state.openedAt > joinsTestMs) return false;
    const { id, deviceId, kind, strength, reason, impactAt, arrivedAt, late } = detection;
    const joined = { id, deviceId, kind, strength, reason, impactAt, arrivedAt, late };
    const events = [detectionEvent(state.facts, detection, now, true)];
    await commit(state, { type: "repeat", detection: joined }, { detection }, events);
    return true;
  }

  async function callOffTestNow(episodeId: string): Promise<void> {
    const state = await store.episodes.episode(episodeId);
    if (!state || !isDeviceTest(state)) return;
    await handOn(state);
    await commit(state, { type: "ended" }, { operationTest: endedTest(state, "called-off") }, []);
  }

  /** The self-test's alarm, and what its device says when no test is under way: that is a test too, and is let go. */
  async function selfTestNow(detection: Detection): Promise<void> {
    const now = clock.wallNow();
    const run = await options.selfTest?.(detection, now);
    if (!run || (await store.episodes.openEpisode(selfTestKey(detection.deviceId), true))) return;
    const facts = await opening.ofSelfTest(detection, run.runId, run.forMs, now);
    await commit(null, { type: "opened", facts }, { detection }, [detectionEvent(facts, detection, now, false)]);
  }

  async function detectNow(detection: Detection): Promise<void> {
    if ((await store.episodes.episodeOfDetection(detection.id)) !== null) return;
    const where = await opening.find(detection.deviceId);
    if (where.isSelfTest) return selfTestNow(detection);
    if (!(await deviceTestNow(detection, where))) await alarmNow(detection, where);
  }

  async function fallUpdateNow(update: FallUpdate): Promise<"taken" | "unknown" | "known"> {
    const { detectionId, lyingSeconds, unknownSeconds } = update;
    const episodeId = await store.episodes.episodeOfDetection(detectionId);
    const state = await alarmOf(episodeId === null ? null : await store.episodes.episode(episodeId));
    if (state === "test") return "known";
    if (!state) return "unknown";
    if (state.longLies?.includes(detectionId)) return "known";
    await commit(state, { type: "long-lie", detectionId, lyingSeconds, unknownSeconds }, {}, []);
    return "taken";
  }

  /** Behind a test alarm: the alarm that it was handed on as. Whoever lies for five minutes in a test does not wait for its end. */
  async function alarmOf(state: EpisodeState | null): Promise<EpisodeState | "test" | null> {
    if (!state?.facts.testAlarm) return state;
    if (isDeviceTest(state)) await callOffTestNow(state.facts.id);
    return (await store.episodes.episode(handedOnId(state.facts.id))) ?? "test";
  }

  async function welfareNow(event: WelfareEvent): Promise<"taken" | "unknown" | "known"> {
    const dwelling = await store.registry.dwelling(event.dwelling);
    if (!dwelling) return "unknown";
    const trouble = { kind: "presence-unheard", subject: dwelling.id } as const;
    const { at, since = at } = event;
    if (event.event === "unheard") await raiseNow({ ...trouble, since: at });
    if (event.event === "heard") await endNow(troubleKey(trouble), false);
    if (event.event === "unheard" || event.event === "heard") return "taken";
    const open = await store.episodes.openEpisode(welfareKey(dwelling.id), false);
    if (event.event === "active") {
      // What comes again may be of before the inactivity that is open now.
      if (!open || open.activeAt !== undefined || at <= open.facts.since) return "known";
      await commit(open, { type: "movement", at }, {}, []);
      return "taken";
    }
    if (open) {
      if (open.activeAt === undefined) return "known";
      await commit(open, { type: "inactive", since }, {}, []);
      return "taken";
    }
    if (await store.episodes.episode(welfareEpisodeId(event.id))) return "known";
    await commit(null, { type: "opened", facts: await opening.ofWelfare(event, dwelling, clock.wallNow()) }, {}, []);
    return "taken";
  }

  async function raiseNow(trouble: Trouble): Promise<void> {
    if (await store.episodes.openEpisode(troubleKey(trouble), false)) return;
    await commit(null, { type: "opened", facts: await opening.ofTrouble(trouble, clock.wallNow()) }, {}, []);
  }

  async function endNow(key: string, test: boolean, more: { joined?: true } = {}): Promise<void> {
    const open = await store.episodes.openEpisode(key, test);
    if (open) await commit(open, { type: "ended", ...more }, {}, []);
  }

  async function askSignOnNow(signOn: SignOnFacts, again: boolean): Promise<void> {
    const key = signOnKey(signOn.responderId);
    const open = await store.episodes.openEpisode(key, true);
    const isSame = open?.facts.signOn?.startsAt === signOn.startsAt;
    if (isSame && !again) return;
    // Asked once more: the text that comes instead is enough.
    await endNow(key, true, isSame ? { joined: true } : {});
    await commit(null, { type: "opened", facts: await opening.ofSignOn(signOn, clock.wallNow()) }, {}, []);
  }

  async function cancelNow(deviceId: string, at: number, upright: boolean): Promise<void> {
    const { dwelling } = await opening.find(deviceId);
    const open = await store.episodes.openEpisode(dwelling, false);
    if (open) await commit(open, { type: "cancel", at, upright }, {}, []);
  }

  async function contactLostNow(responderId: string, reason: string): Promise<void> {
    const at = Math.round(clock.wallNow());
    const isNews = !staff.lost.has(responderId);
    const change = staff.change(responderId, reason);
    if (isNews) await store.contacts.put(change, at);
    staff.contact(change, at);
    for (const { facts, current } of openStates()) {
      if (!Object.values(current).some((page) => page.responderId === responderId)) continue;
      await applyNow(facts.id, { type: "contact-lost", responderId });
    }
    if (isNews) await followContact(change, at);
  }

  async function contactBackNow(responderId: string): Promise<void> {
    if (!staff.lost.has(responderId)) return;
    const at = Math.round(clock.wallNow());
    const change = staff.change(responderId, null);
    await store.contacts.put(change, at);
    staff.contact(change, at);
    await followContact(change, at);
  }

  async function loadNow(): Promise<void> {
    for (const responderId of await staff.load()) {
      await store.contacts.put(staff.change(responderId, null), Math.round(clock.wallNow()));
      await endNow(troubleKey({ kind: "contact-unreachable", subject: responderId }), false);
    }
  }

  const openStates = () => board.states().filter((state) => state.status !== "closed");

  async function clockSetNow(jumpMs: number): Promise<void> {
    const now = clock.wallNow();
    // Longer than any page waits to be tried again, or to be gathered. At a start a call that waits is not worth waiting for.
    const { gatherSeconds, digestMinutes } = config.technical;
    const latest = now + Math.max(60, gatherSeconds, digestMinutes * 60) * 1000;
    const latestCall = jumpMs === 0 ? now : now + 60_000;
    const at = Math.round(now);
    const input: EpisodeInput = { type: "clock", jumpMs };
    const changes = openStates()
      .filter((state) => movesWithClock(state, jumpMs, at))
      .map((state): EpisodeChange => {
        const [next] = step(state, input, at);
        return { state: next, input, at, pages: [], withdraw: false, retries: [] };
      });
    // All or none: where this fails it is done again, and what had moved would move twice.
    await store.episodes.followClock(changes, { jumpMs: Math.min(0, jumpMs), latest, latestCall });
    for (const { state } of changes) {
      board.put(at, state, [], []);
      options.onChange(state.facts.id);
    }
    options.wake();
  }

  async function digest(pages: readonly PageRow[]): Promise<string> {
    const ids = [...new Set(pages.flatMap(({ episodeId }) => episodeId ?? []))];
    const states = await Promise.all(ids.map((id) => store.episodes.episode(id)));
    const open = states.flatMap((state) => (state && state.status !== "closed" ? [state.facts.code] : []));
    const last = pages.at(-1);
    // What is over meanwhile is told by its own text; several texts about one alarm are the last of them.
    if (open.length < 2) return last?.body ?? "";
    return writer.writeLoose({ kind: "digest", codes: open }, last?.language ?? config.language);
  }

  return {
    writer,
    digest,
    responders,
    staff,
    nameOf,
    load: () => serial(loadNow),
    detect: (detection) => serial(() => detectNow(detection)),
    fallUpdate: (update) => serial(() => fallUpdateNow(update)),
    welfare: (event) => serial(() => welfareNow(event)),
    raise: (trouble) => serial(() => raiseNow(trouble)),
    end: (trouble) => serial(() => endNow(troubleKey(trouble), false)),
    join: (trouble) => serial(() => endNow(troubleKey(trouble), false, { joined: true })),
    callOffTest: (episodeId) => serial(() => callOffTestNow(episodeId)),
    endSelfTest: (deviceId) => serial(() => endNow(selfTestKey(deviceId), true)),
    askSignOn: (signOn, again = false) => serial(() => askSignOnNow(signOn, again)),
    endSignOn: (responderId) => serial(() => endNow(signOnKey(responderId), true)),
    cancel: (deviceId, at, upright) => serial(() => cancelNow(deviceId, at, upright)),
    contactLost: (responderId, reason) => serial(() => contactLostNow(responderId, reason)),
    contactBack: (responderId) => serial(() => contactBackNow(responderId)),
    resumeClock: () => serial(() => clockSetNow(0)),
    followClock: () => serial(async () => undefined),
    apply: (...args) => serial(() => applyNow(...args)),
    inTurn: (work) => serial(() => work(applyNow)),
  };
}

const handedOnId = (testEpisodeId: string) => `${testEpisodeId}r`;

function detectionEvent(facts: EpisodeFacts, detection: Detection, at: number, joined: boolean): ServiceEvent {
  const { id, deviceId, kind, strength, reason, impactAt, late, evidence } = detection;
  return {
    type: "detection",
    at: Math.round(at),
    episodeId: facts.id,
    code: facts.code,
    alias: facts.place.alias,
    test: facts.test,
    detectionId: id,
    deviceId,
    kind,
    strength,
    reason,
    impactAt,
    late,
    joined,
    score: evidence?.score ?? null,
    peakG: evidence?.peakG ?? null,
  };
}
