import type { Placement } from "../../firmware-contracts/detection.ts";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import {
  type Conclusion,
  type DetectorCommand,
  type DetectorFrame,
  type DetectorInput,
  type DetectorState,
  type Dismissal,
  openDetector,
  step,
  undecided,
} from "../detector.ts";
import type { OperatingPoints } from "../operating-points.ts";

/** Scores windows of one placement, 0 to 1 each. */
export type Score = (placement: Placement, inputs: readonly Float32Array[]) => readonly number[];

/** A classifier and where its thresholds are. */
export interface Judge {
  score: Score;
  operatingPoints: OperatingPoints;
}

export interface Alarm {
  conclusion: Conclusion;
  /** Seconds from the recording's start. */
  impactS: number;
  detectedS: number;
}

/** A candidate whose window reached the classifier. Times in seconds from the recording's start. */
export interface Judged {
  impactS: number;
  /** The last answer: a window that silence cut short is judged again when its rest came. */
  score: number | null;
  /** When the score first asked to await the aftermath, or told at once. */
  suspectedS: number | null;
  outcome: "told" | Dismissal | null;
}

/** A recording as its device sends it. */
export interface Sent {
  recording: Recording;
  /** The sensor's full scale, g. */
  rangeG: number;
  /** Frames that never arrive, counted from 0. Their sequence numbers are missing, and time passes. */
  lost?: ReadonlySet<number>;
  /** What judges it instead of what judges all others: of people left out, each has models of their own. */
  judge?: Judge;
}

export interface Played extends Sent {
  alarms: Alarm[];
  /** In the order in which they were asked about. */
  judged: Judged[];
}

/** Wall time at which every recording starts; any will do. */
const startMs = 1_000_000_000;
/** Recordings that are played side by side, so that the classifier gets its windows in batches. */
const sideBySide = 64;

export interface PlayOptions extends Judge {
  /** The devices' own score for `medium`, 0 to 1, instead of the operating points'. */
  threshold?: number;
  /** Called after each recording's end. */
  onPlayed?: (played: Played) => void;
  /** Told of each window and where it lies, seconds from the recording's start; for training. */
  onWindow?: (recording: Recording, impactS: number, input: Float32Array) => void;
}

interface Player extends Played {
  state: DetectorState;
  sample: number;
  sequence: number;
  now: number;
  /** The next frame to arrive, once it is known. */
  next: DetectorFrame | null;
  wakeAt: number | null;
  candidates: Map<string, Judged>;
  asked: { candidateId: string; input: Float32Array }[];
  done: boolean;
}

/** Plays recordings through the detector in virtual time, as frames of one second; after a recording's end its device is silent. */
export function play(recordings: readonly Sent[], options: PlayOptions): Played[] {
  const played: Played[] = [];
  for (let from = 0; from < recordings.length; from += sideBySide) {
    const players = recordings.slice(from, from + sideBySide).map((one) => newPlayer(one, options));
    let open: Player[] = players;
    while (open.length > 0) {
      for (const player of open) advance(player, options);
      answer(open, options);
      open = open.filter((player) => !player.done);
    }
    for (const { recording, rangeG, lost, judge, alarms, judged } of players) {
      const one = { recording, rangeG, ...(lost && { lost }), ...(judge && { judge }), alarms, judged };
      played.push(one);
      options.onPlayed?.(one);
    }
  }
  return played;
}

function newPlayer(sent: Sent, options: PlayOptions): Player {
  const { operatingPoints } = sent.judge ?? options;
  const { threshold } = options;
  return {
    ...sent,
    state: openDetector({ placement: sent.recording.placement, operatingPoints, threshold }),
    sample: 0,
    sequence: 0,
    now: startMs,
    next: null,
    wakeAt: null,
    alarms: [],
    judged: [],
    candidates: new Map(),
    asked: [],
    done: false,
  };
}

function advance(player: Player, options: PlayOptions): void {
  player.next ??= nextFrame(player);
  const frame = player.next;
  const wakeAt = undecided(player.state) ? player.wakeAt : null;
  if (frame && (wakeAt === null || frame.arrivedAt <= wakeAt)) {
    player.next = null;
    player.now = frame.arrivedAt;
    feed(player, { kind: "frame", frame }, options);
  } else if (wakeAt !== null) {
    player.now = Math.max(player.now, wakeAt);
    feed(player, { kind: "tick" }, options);
  } else {
    player.done = true;
  }
}

/** Samples in a frame: those of one second. */
export const frameLength = (rateHz: number) => Math.ceil(rateHz);

/** How many frames the recording is sent in. */
export function framesOf({ samples, trial }: Recording): number {
  return Math.ceil(samples.length / 3 / frameLength(trial.rateHz));
}

/** The next frame that arrives; null after the last. */
function nextFrame(player: Player): DetectorFrame | null {
  const { samples, trial } = player.recording;
  while (player.lost?.has(player.sequence)) {
    player.sequence++;
    player.sample += frameLength(trial.rateHz);
  }
  const count = Math.min(frameLength(trial.rateHz), samples.length / 3 - player.sample);
  if (count <= 0) return null;
  const from = player.sample;
  player.sample += count;
  return {
    bootId: 1,
    sequence: player.sequence++,
    deviceTimeMs: (from * 1000) / trial.rateHz,
    ageMs: 0,
    rateHz: trial.rateHz,
    rangeG: player.rangeG,
    samples: samples.subarray(from * 3, player.sample * 3),
    arrivedAt: Math.round(startMs + ((player.sample - 1) * 1000) / trial.rateHz),
  };
}

function feed(player: Player, input: DetectorInput, options: PlayOptions): void {
  const [state, commands] = step(player.state, input, player.now);
  player.state = state;
  for (const command of commands) carryOut(player, command, options);
}

function carryOut(player: Player, command: DetectorCommand, options: PlayOptions): void {
  if (command.kind === "classify") {
    const impactS = (command.impactAt - startMs) / 1000;
    options.onWindow?.(player.recording, impactS, command.input);
    if (!player.candidates.has(command.candidateId)) {
      const judged: Judged = { impactS, score: null, suspectedS: null, outcome: null };
      player.candidates.set(command.candidateId, judged);
      player.judged.push(judged);
    }
    player.asked.push({ candidateId: command.candidateId, input: command.input });
  } else if (command.kind === "detect") {
    player.alarms.push({
      conclusion: command.conclusion,
      impactS: (command.conclusion.impactAt - startMs) / 1000,
      detectedS: (player.now - startMs) / 1000,
    });
    outcome(player, command.candidateId, "told");
  } else if (command.kind === "dismissed") {
    outcome(player, command.candidateId, command.why);
  } else if (command.kind === "suspected") {
    const judged = player.candidates.get(command.candidateId);
    if (judged) judged.suspectedS ??= (player.now - startMs) / 1000;
  } else if (command.kind === "wake") {
    player.wakeAt = command.at;
  }
}

/** One that was never asked about, since an earlier one was told, has no entry. */
function outcome(player: Player, candidateId: string, is: Judged["outcome"]): void {
  const judged = player.candidates.get(candidateId);
  if (judged) judged.outcome = is;
}

/** Scores what the players asked for, all at once, until no answer raises another question. */
function answer(players: readonly Player[], options: PlayOptions): void {
  for (let round = 0; round < 10; round++) {
    const asked = players.flatMap((player) => player.asked.splice(0).map((one) => ({ player, ...one })));
    if (asked.length === 0) return;
    for (const [{ score }, own] of Map.groupBy(asked, ({ player }) => player.judge ?? options)) {
      for (const [placement, list] of Map.groupBy(own, ({ player }) => player.recording.placement)) {
        const scores = score(
          placement,
          list.map(({ input }) => input),
        );
        list.forEach(({ player, candidateId }, i) => {
          const judged = player.candidates.get(candidateId);
          if (judged) judged.score = scores[i]!;
          feed(player, { kind: "scored", candidateId, score: scores[i]! }, options);
        });
      }
    }
  }
}

/**
 * The full scale of the sensor that made these recordings: manifests do not tell it. The least of ±2, 4, 8 and 16 g that holds every reading.
 */
export function rangeOf(recordings: readonly Recording[]): number {
  let largest = 0;
  for (const { samples } of recordings) {
    for (let i = 0; i < samples.length; i++) largest = Math.max(largest, Math.abs(samples[i]!));
  }
  return [2, 4, 8].find((range) => largest <= range * 1030) ?? 16;
}
