import { join } from "node:path";
import { type ConfirmedAlarm, confirmedAlarms } from "../alerting/registry/confirmed.ts";
import type { ThresholdVersion } from "../alerting/store/store.ts";
import { type ModelCard, readCard } from "../detector/classifier/card.ts";
import { loadClassifier } from "../detector/classifier/classifier.ts";
import { modelInput } from "../detector/model-input.ts";
import { type ModelPlacement, modelFor, type RangeClass, rangeClassOf } from "../detector/operating-points.ts";
import { type ThresholdLimits, thresholdLimits } from "../detector/tuning/limits.ts";
import type { Scored } from "../detector/tuning/redecide.ts";
import { windowOf } from "../detector/window.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { detectionId, type Placement } from "../firmware-contracts/detection.ts";
import { readCandidates } from "../gateway/candidates/read.ts";
import type { CandidateRow } from "../gateway/candidates/row.ts";
import { readKeptControl } from "../gateway/outbox/read-control.ts";
import { type Config, readConfig } from "./config.ts";
import { withStore } from "./with-register.ts";

const dayMs = 86_400_000;

/** A candidate of the log, with the score that the model of now gives it. */
export interface LoggedCandidate extends Scored {
  detectionId: string;
  rangeG: number;
  decided: CandidateRow["decided"];
}

/** The gateway's log of one device, as far as it can be decided anew. */
export interface LoggedCandidates {
  days: number;
  candidates: LoggedCandidate[];
  /** Scored by another model, and without a window from which this one could. */
  otherModel: number;
  /** Worn elsewhere, where another model judges. */
  otherPlace: number;
  /** Largest reading of one axis in the windows, milli-g, and of how many windows. */
  largest: { milliG: number; windows: number };
}

/** All that is known of a device here. */
export interface DeviceEvidence {
  deviceId: string;
  placement: Placement;
  model: ModelPlacement;
  card: ModelCard;
  /** Its own threshold, or null where the model's is in force. */
  threshold: number | null;
  /** By the frames of its candidates and alarms; empty where none is known. */
  ranges: RangeClass[];
  /** Of whichever of them allows least. */
  limits: ThresholdLimits;
  /** Null where no gateway keeps its log in this data folder. */
  log: LoggedCandidates | null;
  /** Its fall alarms that this model has scored here, with what was found; null where alerting's store is elsewhere. */
  alarms: (ConfirmedAlarm & { score: number })[] | null;
  /** Fall alarms of another model, place or without a score: nobody can hold them against a threshold. */
  notComparable: number;
  versions: ThresholdVersion[];
}

interface FromStore {
  placement: Placement;
  threshold: number | null;
  alarms: ConfirmedAlarm[];
  /** Since when it is worn where it is, wall ms. */
  placedAt: number;
  versions: ThresholdVersion[];
}

/** The configuration of whichever half is here. @throws with its problems. */
export function readEither(path: string): Config {
  try {
    return readConfig(path, "alerting");
  } catch (error) {
    try {
      return readConfig(path, "gateway");
    } catch {
      throw error;
    }
  }
}

/**
 * Gathers what this machine knows of a device, beside a service that may be running.
 * @throws where there is no such device.
 */
export async function gatherEvidence(path: string, deviceId: string, days: number): Promise<DeviceEvidence> {
  const config = readEither(path);
  const clock = systemClock();
  const gatewayFolder = join(config.dataDir, "gateway");
  const stored = config.alerting ? await fromStore(path, deviceId) : fromControl(gatewayFolder, deviceId);
  const card = await readCard();
  const model = modelFor(stored.placement);
  const rows = readCandidates(gatewayFolder, deviceId, clock.wallNow() - days * dayMs);
  const log = rows && (await judged(rows, days, model, card));
  const scores = new Map(log?.candidates.map((one) => [one.detectionId, one.score]));
  const alarms = config.alerting
    ? stored.alarms.flatMap((alarm) => {
        const isOwn = alarm.model === card.version && alarm.impactAt >= stored.placedAt;
        const score = scores.get(alarm.detectionId) ?? (isOwn ? alarm.score : null);
        return score === null ? [] : [{ ...alarm, score }];
      })
    : null;
  const seen = [...(log?.candidates ?? []), ...(alarms ?? [])];
  const ranges = [...new Set(seen.flatMap(({ rangeG }) => (rangeG === null ? [] : [rangeClassOf(rangeG)])))];
  return {
    deviceId,
    placement: stored.placement,
    model,
    card,
    threshold: stored.threshold,
    ranges,
    limits: strictest(card, model, ranges),
    log,
    alarms,
    notComparable: stored.alarms.length - (alarms?.length ?? 0),
    versions: stored.versions,
  };
}

/** Where the range is not known, or more than one is, what holds for all of them. */
export function strictest(card: ModelCard, model: ModelPlacement, ranges: readonly RangeClass[]): ThresholdLimits {
  const all = ranges.length > 0 ? ranges : (["wide", "2g"] as const);
  return all.map((range) => thresholdLimits(card, model, range)).reduce((a, b) => (b.most < a.most ? b : a));
}

const unknown = (deviceId: string) =>
  new Error(`no device has the id ${deviceId}, or it was revoked; see fallvakt device list`);

/** From alerting's register and store. */
function fromStore(path: string, deviceId: string): Promise<FromStore> {
  return withStore({ config: path }, async ({ store }) => {
    const known = await store.registry.device(deviceId);
    if (!known || known.device.revoked) throw unknown(deviceId);
    const moves = (await store.control.changes()).filter(
      (change) => change.part === "placements" && change.deviceId === deviceId,
    );
    return {
      placement: known.device.placement,
      threshold: known.device.threshold ?? null,
      alarms: await confirmedAlarms(store, deviceId),
      placedAt: moves.at(-1)?.at ?? 0,
      versions: await store.registry.thresholdVersions(deviceId),
    };
  });
}

/** From what the gateway keeps of the register: it knows no outcomes. */
function fromControl(folder: string, deviceId: string): FromStore {
  const control = readKeptControl(folder);
  if (!control) throw new Error(`no gateway has kept a register in ${folder}; is this the right configuration?`);
  const device = control.devices.find((one) => one.deviceId === deviceId && !one.revoked);
  if (!device) throw unknown(deviceId);
  return { placement: device.placement, threshold: device.threshold ?? null, alarms: [], placedAt: 0, versions: [] };
}

/** The rows with scores of the model of now: its own, or asked for again from the window. */
async function judged(
  rows: readonly CandidateRow[],
  days: number,
  model: ModelPlacement,
  card: ModelCard,
): Promise<LoggedCandidates> {
  const here = rows.filter(({ placement }) => modelFor(placement) === model);
  const again = here.filter((row) => row.model !== card.version && row.window !== null);
  const scores = new Map<CandidateRow, number>();
  if (again.length > 0) {
    const classifier = await loadClassifier({ backend: "auto" });
    const inputs = again.map(({ window }) => modelInput(windowOf(window!)));
    for (const [i, score] of classifier.score(model, inputs).entries()) scores.set(again[i]!, score);
    classifier.dispose();
  }
  const candidates = here.flatMap((row): LoggedCandidate[] => {
    const score = row.model === card.version ? row.score : scores.get(row);
    if (score === undefined) return [];
    return [
      {
        id: row.candidateId,
        at: row.impactAt,
        lane: row.lane,
        score,
        rangeClass: rangeClassOf(row.rangeG),
        rangeG: row.rangeG,
        afterwards: row.afterwards,
        cancelled: row.decided === "cancelled",
        decided: row.decided,
        detectionId: detectionId(row.deviceId, row.bootId, row.sequence, "fall"),
      },
    ];
  });
  return {
    days,
    candidates,
    otherModel: here.length - candidates.length,
    otherPlace: rows.length - here.length,
    largest: largestIn(here),
  };
}

function largestIn(rows: readonly CandidateRow[]): LoggedCandidates["largest"] {
  let milliG = 0;
  let windows = 0;
  for (const { window } of rows) {
    if (!window) continue;
    windows++;
    // Every fourth value is a magnitude.
    for (let i = 0; i < window.length; i++) if (i % 4 < 3) milliG = Math.max(milliG, Math.abs(window[i]!));
  }
  return { milliG, windows };
}
