// For tests: a made-up wearer whose device sends frames to a detector in virtual time.
import type { WallMs } from "../firmware-contracts/clock.ts";
import type { Placement } from "../firmware-contracts/detection.ts";
import {
  type DetectorCommand,
  type DetectorFrame,
  type DetectorInput,
  openDetector,
  step,
  undecided,
} from "./detector.ts";
import type { OperatingPoints } from "./operating-points.ts";
import type { FusionState } from "./presence/fusion.ts";

/** Acceleration in g at a time in seconds. */
export type Motion = (t: number) => readonly [number, number, number];

export const standing: Motion = () => [0, 1, 0];
export const lying: Motion = (t) => [1, 0.01 * Math.sin(t * 1.7), 0];
/** Two steps a second, upright. */
export const walking: Motion = (t) => {
  const beat = Math.sin(2 * Math.PI * 2 * t);
  return [0.08 * Math.sin(2 * Math.PI * t), 1 + 0.28 * beat, 0.1 * beat];
};
/** A short impact at `at`, over whatever the wearer does before and after. */
export function impact(at: number, peakG: number, before: Motion, after: Motion): Motion {
  return (t) => {
    const [x, y, z] = t < at ? before(t) : after(t);
    const near = Math.exp(-(((t - at) / 0.06) ** 2)) * (peakG - 1);
    return [x + near * x, y + near * y, z + near * z];
  };
}

/** After `at` seconds another motion. */
export function switching(at: number, first: Motion, second: Motion): Motion {
  return (t) => (t < at ? first(t) : second(t));
}

export function points(medium: number, strong: number): OperatingPoints {
  const point = { medium, strong };
  const both = { "2g": point, wide: point };
  return { wrist: both, waist: both };
}

export interface Stage {
  rateHz?: number;
  rangeG?: number;
  placement?: Placement;
  bootId?: number;
  threshold?: number;
  /** The classifier's answer to every window. */
  score?: (input: Float32Array) => number;
  /** What the dwelling's presence sensors have told up to `now`. Default: there are none. */
  presence?: (now: WallMs) => FusionState | null;
}

/** Wall time at which every story starts. */
export const storyStart = 1_700_000_000_000;

/** A detector and its device, driven by hand. Commands pile up in `told`. */
export function stage(options: Stage = {}) {
  const {
    rateHz = 50,
    rangeG = 8,
    placement = "waist",
    bootId = 1,
    threshold,
    score = () => 0.6,
    presence = () => null,
  } = options;
  let state = openDetector({ placement, operatingPoints: points(0.5, 0.9), threshold });
  const told: { at: number; command: DetectorCommand }[] = [];
  let now = storyStart;
  let wakeAt: number | null = null;
  const clock = { sequence: 0, second: 0, boot: bootId };

  function feed(input: DetectorInput, at = now): void {
    now = Math.max(now, at);
    const [next, commands] = step(state, input, now, presence(now));
    state = next;
    for (const command of commands) {
      told.push({ at: (now - storyStart) / 1000, command });
      if (command.kind === "wake") wakeAt = command.at;
    }
    // As in the gateway, an answer comes after all that was told together with the question.
    for (const command of commands) {
      if (command.kind === "classify")
        feed({ kind: "scored", candidateId: command.candidateId, score: score(command.input) });
    }
  }

  /** Time passes to `untilS` with no frame; the shell wakes the detector when it asked for it. */
  function wait(untilS: number): void {
    for (let i = 0; i < 1000 && wakeAt !== null && wakeAt <= storyStart + untilS * 1000; i++) {
      const at = wakeAt;
      wakeAt = null;
      feed({ kind: "tick" }, at);
    }
    now = Math.max(now, storyStart + untilS * 1000);
  }

  /** Frames of one second, of `motion` from where the last ones ended to `untilS`. `change` alters or drops (null) a frame on its way. */
  function send(
    motion: Motion,
    untilS: number,
    change: (frame: DetectorFrame) => DetectorFrame | null = (frame) => frame,
  ) {
    for (; clock.second < untilS; clock.second++) {
      const samples = new Int16Array(Math.round(rateHz) * 3);
      for (let i = 0; i < samples.length / 3; i++) {
        motion(clock.second + i / rateHz).forEach((g, axis) => {
          samples[i * 3 + axis] = Math.round(Math.max(-rangeG, Math.min(rangeG, g)) * 1000);
        });
      }
      const end = storyStart + (clock.second + (samples.length / 3 - 1) / rateHz) * 1000;
      const frame = change({
        bootId: clock.boot,
        sequence: clock.sequence++,
        deviceTimeMs: clock.second * 1000,
        ageMs: 0,
        rateHz,
        rangeG,
        samples,
        arrivedAt: end,
      });
      if (frame) feed({ kind: "frame", frame }, frame.arrivedAt);
      else now = Math.max(now, end);
    }
  }

  return {
    send,
    wait,
    feed,
    clock,
    told,
    undecided: () => undecided(state),
    state: () => state,
    now: () => now,
    of: <K extends DetectorCommand["kind"]>(kind: K) =>
      told
        .filter(({ command }) => command.kind === kind)
        .map(({ at, command }) => ({ at, ...(command as Extract<DetectorCommand, { kind: K }>) })),
  };
}
