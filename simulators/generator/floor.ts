import { floorHeight, gravity, type Motion } from "./motion.ts";
import { getUpFromFloor, idle, type Person } from "./movements.ts";
import type { Vector } from "./rotation.ts";

/** Which way the trunk goes down, degrees. */
export interface Way {
  forward: number;
  left: number;
}

export const backward = (motion: Motion): Way => ({
  forward: -motion.random.between(82, 106),
  left: motion.random.between(-25, 25),
});
export const forwards = (motion: Motion): Way => ({
  forward: motion.random.between(80, 104),
  left: motion.random.between(-25, 25),
});
export const sideways = (motion: Motion): Way => {
  const side = motion.random.sign();
  return { forward: motion.random.between(-25, 25), left: side * motion.random.between(82, 104) };
};

/**
 * The trunk topples and meets the floor. The knees or the seat may touch first; the pelvis gives off its speed in one hard blow and lesser ones;
 * the arm that wears the device is thrown out, strikes before or after the pelvis, and falls down once more.
 */
export function hitFloor(motion: Motion, person: Person, way: Way, seconds: number): void {
  const { random, now } = motion;
  const growth = random.between(1.9, 3.2);
  const from = motion.target("height");
  const impact = now + seconds;
  // The legs brake a part of the way down; the rest is falling.
  motion.move("height", from - random.between(0.05, 0.5) * (from - floorHeight), seconds * 1.5);
  motion.topple("height", floorHeight, seconds, growth, random.between(10, 19));
  motion.topple("leanForward", way.forward, seconds * random.between(0.95, 1.1), growth * 1.15, random.between(11, 17));
  motion.topple("leanLeft", way.left, seconds * random.between(0.95, 1.1), growth * 1.15, random.between(11, 17));
  motion.move("shiftForward", (0.5 * way.forward) / 90, seconds * 1.4);
  motion.move("shiftLeft", (0.5 * way.left) / 90, seconds * 1.4);
  // Share of the fall's speed that one blow takes; a fall from a chair is shorter.
  const speed = Math.sqrt(2 * gravity * (from - floorHeight)) * 0.62;
  const blow = (share: number): number =>
    speed * share * Math.exp(0.45 * random.normal()) * (0.6 + 0.4 * person.vigour);
  const upward = (slant: number): Vector => [random.between(-slant, slant), random.between(-slant, slant), 1];

  motion.strike("waist", impact, blow(0.34), random.between(0.03, 0.07), upward(0.6));
  if (random.happens(0.6))
    motion.strike("waist", impact - random.between(0.08, 0.25), blow(0.16), random.between(0.04, 0.09), upward(0.8));
  if (random.happens(0.7))
    motion.strike("waist", impact + random.between(0.06, 0.22), blow(0.18), random.between(0.03, 0.07), upward(0.8));
  motion.ring("waist", impact + 0.05, random.between(2, 6), random.between(4, 8), random.between(0.08, 0.14));

  throwArm(motion, way, seconds);
  const hand = impact + random.between(-0.12, 0.12);
  const swung = random.between(1, 2.6);
  motion.accelerate(
    "wrist",
    [random.between(-0.5, 0.5), random.between(-0.5, 0.5), -0.9],
    hand - 0.28,
    hand,
    0,
    (t) => (Math.PI / 2) * (swung / 0.28) * Math.sin((Math.PI * t) / 0.28),
  );
  motion.strike("wrist", hand, blow(0.45), random.between(0.018, 0.04), upward(0.9), 0.8);
  motion.strike("wrist", hand + random.between(0.04, 0.1), blow(0.3), random.between(0.018, 0.04), upward(1.2), 0.8);
  motion.strike(
    "wrist",
    hand + random.between(0.08, 0.2),
    blow(0.2),
    random.between(0.018, 0.04),
    random.direction(),
    0.8,
  );
  if (random.happens(0.7))
    motion.strike("wrist", hand + random.between(0.3, 0.6), blow(0.25), random.between(0.025, 0.05), upward(1), 0.5);
  motion.ring("wrist", hand + 0.2, random.between(4, 10), random.between(3.5, 6), random.between(0.12, 0.25));
  motion.now = impact + 0.5;
}

/** The arm goes out to catch the fall and ends somewhere on the floor. */
function throwArm(motion: Motion, way: Way, seconds: number): void {
  const { random, now } = motion;
  const reach = Math.max(0.4, seconds * random.between(0.7, 0.95));
  const start = now + seconds - reach;
  const ahead = way.forward > 40;
  motion.move("armForward", ahead ? random.between(45, 110) : random.between(-35, 50), reach, start);
  motion.move("armOut", random.between(15, 70), reach, start);
  motion.move("elbow", random.between(5, 60), reach, start);
  motion.move("forearmTurn", random.between(-90, 90), reach, start);
  const settles = now + seconds + 0.1;
  // It must end on the floor or the body: on the back beside it or on the belly, on the face beside it or past the head, on a side in front.
  const takes = random.between(0.5, 0.9);
  const [forward, out, bend] = restingArm(motion, way);
  motion.move("armForward", forward, takes, settles);
  motion.move("armOut", out, takes * random.between(0.8, 1.2), settles);
  motion.move("elbow", bend, takes * random.between(0.8, 1.2), settles);
}

/** Shoulder forward, shoulder out and elbow of an arm at rest, degrees. */
function restingArm({ random }: Motion, way: Way): [number, number, number] {
  if (way.forward < -40) {
    return random.happens(0.3)
      ? [random.between(-10, 5), random.between(0, 20), random.between(25, 55)]
      : [random.between(-10, 10), random.between(0, 85), random.between(0, 20)];
  }
  if (way.forward > 40) {
    return random.happens(0.6)
      ? [random.between(155, 180), random.between(0, 40), random.between(0, 20)]
      : [random.between(-15, 15), random.between(5, 65), random.between(0, 20)];
  }
  return [random.between(-5, 95), random.between(0, 35), random.between(5, 100)];
}

/** Lies on the floor to the recording's end, or gets up before it. The arm moves a little at first; then there is breath and tremor. */
export function restOnFloor(motion: Motion, person: Person, getsUp: boolean): void {
  const { random } = motion;
  if (random.happens(0.8)) {
    const stirs = motion.now + random.between(0.4, 1.6);
    const stops = motion.now + random.between(3.5, 8);
    for (let at = stirs; at < stops; at += random.between(0.8, 3) / person.restlessness) shiftArm(motion, at);
    motion.fidget("armForward", random.between(1.5, 6), stirs, stops, [0.6, 3]);
    motion.fidget("elbow", random.between(1.5, 6), stirs, stops, [0.6, 3]);
    motion.fidget("leanForward", random.between(0, 0.6), stirs, stops, [0.4, 2]);
  }
  const left = motion.seconds - motion.now;
  if (getsUp) {
    idle(motion, person, Math.max(5, left - 12), 0.12);
    getUpFromFloor(motion, person);
    idle(motion, person, Math.max(0, motion.seconds - motion.now), 1);
  } else {
    idle(motion, person, left + 1, 0.1);
  }
}

/** The arm on the floor shifts a little from where it lies. */
function shiftArm(motion: Motion, at: number): void {
  const { random } = motion;
  const takes = random.between(0.4, 0.9);
  motion.move("armForward", motion.target("armForward") + random.between(-12, 12), takes, at);
  motion.move("elbow", Math.max(0, motion.target("elbow") + random.between(-20, 20)), takes, at);
  motion.move("forearmTurn", motion.target("forearmTurn") + random.between(-35, 35), takes, at);
}

/** Touches the floor at `speed` m/s, as one who sinks down rather than drops: limb after limb within half a second, and the body rocks a little. */
export function softTouch(motion: Motion, speed: number): void {
  const { random } = motion;
  for (const site of ["waist", "wrist"] as const) {
    let at = motion.now + random.between(-0.15, 0.15);
    for (let touch = 0; touch < 3; touch++) {
      const slant: Vector = [random.between(-0.6, 0.6), random.between(-0.6, 0.6), 0.8];
      const share = touch === 0 ? 1 : random.between(0.3, 0.8);
      motion.strike(site, at, speed * share, random.between(0.05, 0.11), slant, 0.3);
      at += random.between(0.08, 0.25);
    }
    motion.ring(site, motion.now, random.between(1.5, 4), random.between(2, 4.5), random.between(0.12, 0.22));
  }
}
