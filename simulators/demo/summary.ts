import type { WallMs } from "../../firmware-contracts/clock.ts";
import { impactSpan, type Trial } from "../../firmware-contracts/recordings/format.ts";
import type { PlayedFrame } from "../replay/play.ts";

/** What the counts need of a trial as it was played. */
export interface PlayedTrial {
  deviceId: string;
  trial: Trial;
  startedAt: WallMs;
  frames: readonly Pick<PlayedFrame, "bootId" | "sequence" | "startSample" | "sampleCount">[];
}

/** A Detection that alerting holds, and the episode it opened or joined. */
export interface SeenDetection {
  id: string;
  deviceId: string;
  bootId: number;
  sequence: number;
  impactAt: WallMs;
  episodeId: string;
}

export interface SeenEpisode {
  id: string;
  taken: boolean;
}

/** A page as a phone shows it. */
export interface SeenPage {
  episodeId: string;
  at: WallMs;
}

export interface Spread {
  median: number | null;
  p95: number | null;
}

/** A Detection that must have come, worked out from a device's own record of what was acknowledged. */
export interface ExpectedDetection {
  deviceId: string;
  impactAt: WallMs;
}

/** Impacts of one device that lie closer than this are one fall: the detector joins them too. */
const sameFallMs = 60_000;

/** What a demo ends with. Seconds are in recording time. */
export interface DemoSummary {
  falls: { labelled: number; alarmed: number };
  falseAlarms: number;
  pages: number;
  acknowledged: number;
  impactToSmsSeconds: Spread;
  eventsLogged: number;
  lost: number;
}

/**
 * Where in its trial a Detection's impact lies, in seconds.
 * The wall time tells it to the network's delay, which at speed 8 counts eightfold; the frame's identity tells it to one frame. Both together: the time, kept inside the frame.
 */
export function impactInTrial(played: PlayedTrial, detection: SeenDetection): number | null {
  const frame = played.frames.find((f) => f.bootId === detection.bootId && f.sequence === detection.sequence);
  if (!frame) return null;
  const start = frame.startSample / played.trial.rateHz;
  const end = (frame.startSample + frame.sampleCount) / played.trial.rateHz;
  return Math.min(Math.max((detection.impactAt - played.startedAt) / 1000, start), end);
}

/** True where a Detection found its trial's labelled fall. */
export function foundFall(played: PlayedTrial, detection: SeenDetection): boolean {
  const span = impactSpan(played.trial);
  const at = impactInTrial(played, detection);
  return span !== null && at !== null && at >= span.from && at <= span.to;
}

/** The p-quantile of `values` by the nearest rank, or null of none. */
export function quantile(values: readonly number[], p: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? null;
}

/** Counts what a demo must answer for. A Detection counts as lost where no episode holds it. */
export function summarise(input: {
  played: readonly PlayedTrial[];
  detections: readonly SeenDetection[];
  episodes: readonly SeenEpisode[];
  pages: readonly SeenPage[];
  expected: readonly ExpectedDetection[];
  eventsLogged: number;
}): DemoSummary {
  const { played, detections, episodes, pages, expected } = input;
  const firstPage = new Map<string, WallMs>();
  for (const page of pages) {
    const earlier = firstPage.get(page.episodeId);
    if (earlier === undefined || page.at < earlier) firstPage.set(page.episodeId, page.at);
  }
  let labelled = 0;
  let alarmed = 0;
  let falseAlarms = 0;
  const impactToSms: number[] = [];
  for (const trial of played) {
    const own = detections.filter((detection) => detection.deviceId === trial.deviceId);
    const found = own.find((detection) => foundFall(trial, detection));
    if (trial.trial.label === "fall") labelled++;
    falseAlarms += own.length - (found ? 1 : 0);
    if (!found) continue;
    alarmed++;
    const paged = firstPage.get(found.episodeId);
    const peakS = trial.trial.peakS ?? trial.trial.onsetS;
    if (paged !== undefined && peakS != null) impactToSms.push((paged - trial.startedAt) / 1000 - peakS);
  }
  // A stall of the machine can move a fall's impact to the frame beside: it is the same fall, and the same person.
  const isHeld = (one: ExpectedDetection) =>
    detections.some((seen) => seen.deviceId === one.deviceId && Math.abs(seen.impactAt - one.impactAt) < sameFallMs);
  const round = (value: number | null) => (value === null ? null : Math.round(value * 100) / 100);
  return {
    falls: { labelled, alarmed },
    falseAlarms,
    pages: pages.length,
    acknowledged: episodes.filter((episode) => episode.taken).length,
    impactToSmsSeconds: { median: round(quantile(impactToSms, 0.5)), p95: round(quantile(impactToSms, 0.95)) },
    eventsLogged: input.eventsLogged,
    lost: expected.filter((one) => !isHeld(one)).length,
  };
}
