import {
  type DetectorCommand,
  type DetectorFrame,
  type DetectorState,
  openDetector,
  step,
} from "../../detector/detector.ts";
import { type History, rateHz } from "../../detector/history.ts";
import type { OperatingPoints } from "../../detector/operating-points.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import { readTrials, type Source, shareOut, type Trial } from "./frames.ts";

/** One device's seconds, over and over: 50 samples each, x, y, z interleaved, milli-g. */
export type List = readonly Int16Array[];

/** What the detector benchmark plays, and what was found while it was made. */
export interface DetectorLoad {
  placement: Placement;
  rangeG: number;
  /** Lists in which no gate opens. */
  quiet: List[];
  /** Lists with gates, by how many an hour were asked for. */
  daily: { asked: number; lists: List[] }[];
  /** Some of the set's candidates, each with its stream's history when its window was complete. */
  candidates: Candidate[];
}

export interface Candidate {
  history: History;
  impact: number;
}

export type Judge = {
  operatingPoints: OperatingPoints;
  score(placement: Placement, inputs: readonly Float32Array[]): number[];
};

/** Lists that are played side by side; devices beyond them play the same at another time. */
const listCount = 64;
const listSeconds = 256;
const pieceSeconds = 8;
const mostCandidates = 256;

/** Reads a set's daily life and makes lists of it with as many gates an hour as asked for. */
export async function readLoad(source: Source, judge: Judge, asked: readonly number[]): Promise<DetectorLoad> {
  const trials = (await readTrials(source)).filter(({ label }) => label === "adl").map(at50Hz);
  const { quiet: calm, placement, rangeG } = shareOut(trials, listCount);
  const candidates: Candidate[] = [];
  const play = (seconds: List, onCandidate = (_: Candidate) => {}) =>
    playOnce(seconds, placement, rangeG, judge, onCandidate);
  const quiet = calm.filter((list) => play([...list, ...list]).length === 0);
  if (quiet.length === 0) throw new Error(`${source} has no stretch without a gate`);
  const keep = keepSome(candidates);
  const busy = trials
    .flatMap(({ seconds }) => piecesOf(seconds, play(seconds, keep)))
    .sort((a, b) => b.gates - a.gates);
  if (busy.length === 0) throw new Error(`${source} has no daily life in which a gate opens`);
  busy.length = Math.min(busy.length, 8 * listCount);
  return {
    placement,
    rangeG,
    quiet,
    daily: asked.map((each) => ({ asked: each, lists: mixed(each, quiet, busy, (list) => play(list).length) })),
    candidates,
  };
}

/** Keeps a copy of every candidate, then of every second, fourth …: at most `mostCandidates`, from the whole set. */
function keepSome(kept: Candidate[]) {
  let every = 1;
  let seen = 0;
  return ({ history, impact }: Candidate) => {
    if (seen++ % every !== 0) return;
    kept.push({ history: structuredClone(history), impact });
    if (kept.length <= mostCandidates) return;
    every *= 2;
    kept.splice(0, kept.length, ...kept.filter((_, i) => i % 2 === 0));
  };
}

interface Piece {
  seconds: List;
  gates: number;
}

/** The pieces of a trial in which a gate opens. The most crowded are taken, so that a thousand gates an hour can be made of any set. */
function piecesOf(seconds: List, gates: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < seconds.length; from += pieceSeconds) {
    const piece = seconds.slice(from, from + pieceSeconds);
    const opened = gates.filter((second) => second >= from && second < from + pieceSeconds).length;
    if (opened > 0) pieces.push({ seconds: piece, gates: opened });
  }
  return pieces;
}

/** Lists of such pieces with quiet between them. Each try takes as much of either as the last one's gates ask for. */
function mixed(asked: number, quiet: readonly List[], busy: readonly Piece[], gatesOf: (list: List) => number) {
  let share = Math.min(1, asked / 2000);
  for (let tries = 1; ; tries++) {
    const lists = Array.from({ length: listCount }, (_, i) => mix(i, share, quiet[i % quiet.length]!, busy));
    const length = lists.reduce((sum, list) => sum + list.length, 0);
    const gatesAnHour = (lists.reduce((sum, list) => sum + gatesOf(list), 0) / length) * 3600;
    if (tries === 4) return lists;
    share = Math.min(1, (share * asked) / gatesAnHour);
  }
}

function mix(number: number, share: number, quiet: List, busy: readonly Piece[]): List {
  const list: Int16Array[] = [];
  let busySeconds = 0;
  // Each list at another point of its turn between busy and quiet.
  const ahead = number * 5;
  for (let next = number; list.length < listSeconds; ) {
    if (busySeconds < share * (list.length + ahead)) {
      const { seconds } = busy[next % busy.length]!;
      next += 7;
      busySeconds += seconds.length;
      list.push(...seconds);
    } else {
      const from = list.length % Math.max(1, quiet.length - 5);
      list.push(...quiet.slice(from, from + 5));
    }
  }
  return list;
}

/** The trial as a device that samples 50 times a second would have had it, in whole seconds. */
function at50Hz(trial: Trial): Trial {
  const { seconds: given } = trial;
  const from = new Int16Array(given.reduce((sum, second) => sum + second.length, 0));
  for (const [i, second] of given.entries()) from.set(second, i * given[0]!.length);
  const pace = Math.round(trial.rateHz) / rateHz;
  const seconds = given.map((_, second) =>
    Int16Array.from({ length: 3 * rateHz }, (__, i) => {
      const at = (second * rateHz + Math.floor(i / 3)) * pace;
      const before = Math.floor(at) * 3 + (i % 3);
      const after = Math.min(before + 3, from.length - 3 + (i % 3));
      return Math.round(from[before]! + (at % 1) * (from[after]! - from[before]!));
    }),
  );
  return { ...trial, rateHz, seconds };
}

/** One list by one device, outside any measured time. Returns in which second each gate opened. */
function playOnce(
  seconds: List,
  placement: Placement,
  rangeG: number,
  judge: Judge,
  onCandidate: (candidate: Candidate) => void,
): number[] {
  const gates: number[] = [];
  const state = openDetector({ placement, operatingPoints: judge.operatingPoints });
  for (const [sequence, samples] of seconds.entries()) {
    const frame = frameOf(samples, sequence, rangeG);
    let commands = step(state, { kind: "frame", frame }, frame.arrivedAt)[1];
    while (commands.length > 0) {
      const next: DetectorCommand[] = [];
      for (const command of commands) {
        if (command.kind === "gate-opened") gates.push(sequence);
        if (command.kind !== "classify") continue;
        const { candidateId, input } = command;
        const candidate = candidateOf(state, candidateId);
        if (candidate) onCandidate(candidate);
        const score = judge.score(placement, [input])[0]!;
        next.push(...step(state, { kind: "scored", candidateId, score }, frame.arrivedAt)[1]);
      }
      commands = next;
    }
  }
  return gates;
}

function candidateOf(state: DetectorState, id: string): Candidate | null {
  for (const { history, candidates } of state.streams) {
    const candidate = candidates.find((one) => one.id === id);
    if (candidate) return { history, impact: candidate.impact };
  }
  return null;
}

/** As the gateway hands a frame to the detector; see gateway/stream/track.ts. */
export function frameOf(samples: Int16Array, sequence: number, rangeG: number): DetectorFrame {
  return {
    bootId: 1,
    sequence,
    deviceTimeMs: sequence * 1000,
    ageMs: 0,
    rateHz,
    rangeG,
    samples,
    arrivedAt: 1_700_000_000_000 + sequence * 1000,
  };
}
