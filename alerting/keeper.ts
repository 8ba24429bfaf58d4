import { createHash } from "node:crypto";
import type { Clock } from "../firmware-contracts/clock.ts";
import type { Detection } from "../firmware-contracts/detection.ts";
import { type Board, timelineOf } from "./board.ts";
import { chooseCode, codeRestMs } from "./codes.ts";
import type { AlertingConfig, ResponderConfig } from "./config.ts";
import { cryptoDraws, type Draws } from "./draws.ts";
import { step as stepOfEpisode } from "./episode.ts";
import type { EpisodeFacts, EpisodeInput, EpisodePolicy, EpisodeState, Refusal } from "./episode-state.ts";
import type { ServiceEvent } from "./events.ts";
import { createMessageWriter, type MessageWriter, textPlace } from "./messages/texts.ts";
import { createSerial } from "./serial.ts";
import type { EpisodeChange, Store } from "./store/store.ts";

/** An area in a text has at least this many dwellings, or it would tell who is meant. */
const dwellingsInNamedArea = 5;

export interface KeeperOptions {
  config: AlertingConfig;
  store: Store;
  board: Board;
  clock: Clock;
  /** Called after each commit, with what has happened; must not throw. */
  onEvent(event: ServiceEvent): void;
  onChange(episodeId: string): void;
  /** Called after each commit that may have given the dispatcher something to do. */
  wake(): void;
  draws?: Draws;
  /** The episode's state machine; a test may plant a fault in it. */
  step?: typeof stepOfEpisode;
}

/** What a step is committed together with. */
export type WithStep = Partial<Pick<EpisodeChange, "detection" | "attemptEnd" | "receipt" | "reply">>;

/**
 * Keeps episodes: carries each input through the state machine and commits what came of it, one after the other.
 * A method that rejects has changed nothing, and may be called again.
 */
export interface Keeper {
  readonly writer: MessageWriter;
  readonly responders: ReadonlyMap<string, ResponderConfig>;
  nameOf(responderId: string): string;
  /** Opens an episode or joins one. The same id twice does nothing. */
  detect(detection: Detection): Promise<void>;
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

export function createKeeper(options: KeeperOptions): Keeper {
  const { config, store, board, clock, draws = cryptoDraws, step = stepOfEpisode } = options;
  const responders = new Map(config.responders.map((responder) => [responder.id, responder]));
  // A responder who was taken out of the configuration still stands in old episodes.
  const nameOf = (id: string) => responders.get(id)?.name ?? id;
  const writer = createMessageWriter(config.timeZone, nameOf);
  const policy = policyOf(config);
  const serial = createSerial();

  async function commit(
    state: EpisodeState | null,
    input: EpisodeInput,
    also: WithStep,
    before: ServiceEvent[],
  ): Promise<Refusal | null> {
    const at = Math.round(clock.wallNow());
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
        const language = responders.get(responderId)?.language ?? config.language;
        const body = writer.write(message, textPlace(next.facts), language);
        change.pages.push({ id: pageId, responderId, purpose, step: policyStep, language, body });
      }
    }
    await store.episodes.commitStep(change);
    const opened = state === null ? also.detection : undefined;
    const { id } = next.facts;
    board.put(at, next, await store.pages.pagesOf(id), timelineOf(input, events, at, nameOf), opened);
    for (const event of events) options.onEvent(event);
    options.onChange(id);
    options.wake();
    return null;
  }

  const applyNow: Keeper["apply"] = async (episodeId, input, also = {}, events = []) => {
    const state = await store.episodes.episode(episodeId);
    return state ? commit(state, input, also, events) : "missing";
  };

  async function detectNow(detection: Detection): Promise<void> {
    if ((await store.episodes.episodeOfDetection(detection.id)) !== null) return;
    const { place, dwelling } = await findPlace(store, detection.deviceId);
    const open = await store.episodes.openEpisode(dwelling, detection.test);
    if (open) {
      const { id, deviceId, kind, reason, impactAt, arrivedAt, late } = detection;
      const joined = { id, deviceId, kind, reason, impactAt, arrivedAt, late };
      const input: EpisodeInput = { type: "repeat", detection: joined };
      await commit(open, input, { detection }, [detectionEvent(open.facts, detection, clock.wallNow(), true)]);
      return;
    }
    const now = clock.wallNow();
    const used = await store.episodes.usedCodes(now - codeRestMs);
    // A code shared with another open alarm would be ambiguous, and the store refuses it: the id's own digits are the last resort.
    const code =
      chooseCode(used, now, draws.fraction(), detection.test) ??
      String(Math.floor((0.1 + 0.9 * draws.fraction()) * 1e9));
    const { evidence: _evidence, model: _model, ...rest } = detection;
    const facts: EpisodeFacts = {
      id: `e${draws.id()}`,
      code,
      dwelling,
      place,
      detection: rest,
      policy,
    };
    await commit(null, { type: "opened", facts }, { detection }, [detectionEvent(facts, detection, now, false)]);
  }

  return {
    writer,
    responders,
    nameOf,
    detect: (detection) => serial(() => detectNow(detection)),
    apply: (...args) => serial(() => applyNow(...args)),
    inTurn: (work) => serial(() => work(applyNow)),
  };
}

/** Where a device is. One that is in no register still alarms: as itself. */
async function findPlace(store: Store, deviceId: string): Promise<Pick<EpisodeFacts, "place" | "dwelling">> {
  const found = await store.registry.device(deviceId);
  if (!found) {
    return { dwelling: `device:${deviceId}`, place: { alias: null, area: null, areaInTexts: false, room: null } };
  }
  const { alias, area, room, unit, id } = found.dwelling;
  const areaInTexts = area !== null && (await store.registry.dwellingsInArea(area, unit)) >= dwellingsInNamedArea;
  return { dwelling: id, place: { alias, area, areaInTexts, room: found.device.room ?? room } };
}

function policyOf(config: AlertingConfig): EpisodePolicy {
  const { policy, operators } = config;
  const content = {
    steps: policy.steps.map(({ responders, waitSeconds }) => ({ responders, waitMs: waitSeconds * 1000 })),
    operators,
    arriveWithinMs: policy.arriveWithinMinutes * 60_000,
    outcomeWithinMs: policy.outcomeWithinMinutes * 60_000,
  };
  const version = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 12);
  return { version, ...content };
}

function detectionEvent(facts: EpisodeFacts, detection: Detection, at: number, joined: boolean): ServiceEvent {
  const { id, deviceId, kind, strength, reason, impactAt, late, test, evidence } = detection;
  return {
    type: "detection",
    at: Math.round(at),
    episodeId: facts.id,
    code: facts.code,
    alias: facts.place.alias,
    test,
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
