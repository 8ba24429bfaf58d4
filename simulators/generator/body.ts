import { gravity, type Motion, type Site, stepsPerSecond } from "./motion.ts";
import type { Chance } from "./random.ts";
import { about, anyRotation, type Rotation, seenFrom, times, turned, type Vector } from "./rotation.ts";

/** How and where the device is worn. */
export interface Wearing {
  site: Site;
  /** From the device's axes to the body part's: how it was strapped on. */
  mounting: Rotation;
  /** Where on the belt, radians from the front. */
  beltAngle: number;
  /** 1 left arm, −1 right. */
  side: number;
}

export function anyWearing(site: Site, random: Chance): Wearing {
  return {
    site,
    mounting: anyRotation(random),
    beltAngle: random.between(-1.8, 1.8),
    side: random.sign(),
  };
}

// Segment lengths of a person of about 1.68 m, m: Winter, Biomechanics and Motor Control of Human Movement, table 4.1 (shares of stature).
const pelvisToShoulder = 0.45;
const shoulderHalfWidth = 0.2;
const upperArm = 0.3;
const forearm = 0.25;
const beltRadius = 0.13;

/**
 * What an ideal accelerometer at the site feels: the second derivative of its path plus the knocks, less gravity, turned into its own frame.
 * x, y, z in g, one Float64Array per axis, `stepsPerSecond` values a second.
 */
export function felt(motion: Motion, wearing: Wearing): [Float64Array, Float64Array, Float64Array] {
  const { steps } = motion;
  const path: [Float64Array, Float64Array, Float64Array] = [
    new Float64Array(steps),
    new Float64Array(steps),
    new Float64Array(steps),
  ];
  const frames: Rotation[] = [];
  for (let i = 0; i < steps; i++) {
    const { place, frame } = wearing.site === "waist" ? atWaist(motion, i, wearing) : atWrist(motion, i, wearing);
    for (let axis = 0; axis < 3; axis++) path[axis]![i] = place[axis]!;
    frames.push(times(frame, wearing.mounting));
  }
  const out: [Float64Array, Float64Array, Float64Array] = [
    new Float64Array(steps),
    new Float64Array(steps),
    new Float64Array(steps),
  ];
  const knocks = motion.knocks[wearing.site];
  for (let i = 0; i < steps; i++) {
    const middle = Math.min(steps - 2, Math.max(1, i));
    const force: Vector = [0, 0, gravity];
    for (let axis = 0; axis < 3; axis++) {
      const line = path[axis]!;
      const second = line[middle - 1]! - 2 * line[middle]! + line[middle + 1]!;
      force[axis]! += second * stepsPerSecond * stepsPerSecond + knocks[axis]![i]!;
    }
    const own = seenFrom(frames[i]!, force);
    for (let axis = 0; axis < 3; axis++) out[axis]![i] = own[axis]! / gravity;
  }
  return out;
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;

function trunkFrame({ joint }: Motion, i: number): Rotation {
  const lean = about([-radians(joint.leanLeft[i]!), radians(joint.leanForward[i]!), 0]);
  return times(lean, about([0, 0, radians(joint.twist[i]!)]));
}

function plus(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

function pelvis({ joint }: Motion, i: number): Vector {
  return [joint.shiftForward[i]!, joint.shiftLeft[i]!, joint.height[i]!];
}

function atWaist(motion: Motion, i: number, { beltAngle }: Wearing) {
  const frame = trunkFrame(motion, i);
  const onBelt: Vector = [beltRadius * Math.cos(beltAngle), beltRadius * Math.sin(beltAngle), 0.08];
  return { frame, place: plus(pelvis(motion, i), turned(frame, onBelt)) };
}

function atWrist(motion: Motion, i: number, { side }: Wearing) {
  const { joint } = motion;
  const trunk = trunkFrame(motion, i);
  const shoulder = plus(pelvis(motion, i), turned(trunk, [0, side * shoulderHalfWidth, pelvisToShoulder]));
  const raised = times(about([0, -radians(joint.armForward[i]!), 0]), about([side * radians(joint.armOut[i]!), 0, 0]));
  const upper = times(trunk, raised);
  const lower = times(
    times(upper, about([0, -radians(joint.elbow[i]!), 0])),
    about([0, 0, side * radians(joint.forearmTurn[i]!)]),
  );
  const elbow = plus(shoulder, turned(upper, [0, 0, -upperArm]));
  return { frame: lower, place: plus(elbow, turned(lower, [0, 0, -forearm])) };
}
