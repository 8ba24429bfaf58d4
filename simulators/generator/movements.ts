import { chairHeight, gravity, type Motion, standingHeight } from "./motion.ts";
import type { Chance } from "./random.ts";
import type { Vector } from "./rotation.ts";

/** What is a person's own in how they move. */
export interface Person {
  id: string;
  age: number;
  sex: "F" | "M";
  /** Steps per second when walking. */
  stepHz: number;
  /** How strongly they move; 1 is a middling older person. */
  vigour: number;
  /** How much they fidget; 1 is middling. */
  restlessness: number;
  /** Tremor of the hand, degrees. */
  tremor: number;
}

export function anyPerson(number: number, random: Chance): Person {
  const age = Math.round(random.between(68, 93));
  return {
    id: `G${String(number).padStart(2, "0")}`,
    age,
    sex: random.happens(0.6) ? "F" : "M",
    stepHz: random.between(1.55, 1.95) - (age - 68) * 0.008,
    vigour: random.between(0.8, 1.3),
    restlessness: random.between(0.5, 1.5),
    tremor: random.happens(0.3) ? random.between(0.1, 0.35) : random.between(0.01, 0.06),
  };
}

/** Goes on through the whole recording: breath (about 15 a minute), tremor, the arm's resting bend. */
export function alive(motion: Motion, person: Person): void {
  const { random } = motion;
  const end = motion.seconds + 1;
  const breath = random.between(0.2, 0.32);
  motion.swing("leanForward", random.between(0.2, 0.5), breath, -1, end);
  motion.swing("height", 0.0015, breath, -1, end, 1);
  motion.swing("forearmTurn", person.tremor, random.between(4, 6), -1, end);
  motion.swing("elbow", person.tremor * 0.6, random.between(4, 6), -1, end, 2);
  motion.begin("armForward", random.between(-5, 10));
  motion.begin("armOut", random.between(4, 12));
  motion.begin("elbow", random.between(10, 35));
  motion.begin("forearmTurn", random.between(-40, 40));
}

/** Small movements of somebody at ease, from now on for `seconds`; `liveliness` 1 is sitting or standing, about 0.2 is lying still. */
export function idle(motion: Motion, person: Person, seconds: number, liveliness = 1): void {
  const much = person.restlessness * liveliness;
  const to = motion.now + seconds;
  motion.fidget("leanForward", 1.1 * much, motion.now, to, [0.1, 0.9]);
  motion.fidget("leanLeft", 0.8 * much, motion.now, to, [0.1, 0.9]);
  motion.fidget("armForward", 2.2 * much, motion.now, to);
  motion.fidget("elbow", 2.6 * much, motion.now, to);
  motion.fidget("forearmTurn", 3.5 * much, motion.now, to);
  motion.now = to;
}

/** The hand does something small (scratches, takes a thing, gestures), within the next seconds. */
export function handBusy(motion: Motion, person: Person, from: number, to: number): void {
  const { random } = motion;
  for (let at = from; at < to; ) {
    const seconds = random.between(0.5, 1.2);
    if (at + seconds > to) break;
    motion.move("elbow", random.between(30, 120), seconds, at);
    motion.move("forearmTurn", random.between(-60, 60), seconds * random.between(0.8, 1.2), at);
    motion.move("armForward", random.between(-5, 40), seconds, at);
    at += seconds + random.between(0.2, 2) / person.restlessness;
  }
}

/** Options of a walk. */
interface Walk {
  /** How hard the heels meet the ground; 1 on the level. */
  heel?: number;
  /** Size of the up and down of the body; 1 on the level. */
  bounce?: number;
  /** Size of the arm swing; 0 when the hand holds a rail. */
  armSwing?: number;
}

/**
 * Walks for `seconds`: up and down at step rate with its harmonic, sway at stride rate, a knock at each heel strike, and the arm swinging at stride rate.
 * Each step differs a little from the last.
 */
export function walk(
  motion: Motion,
  person: Person,
  seconds: number,
  { heel = 1, bounce = 1, armSwing = 1 }: Walk = {},
): void {
  const { random, now } = motion;
  const to = now + seconds;
  const hz = person.stepHz * random.between(0.95, 1.05);
  const rise = 1.9 * person.vigour * bounce * random.between(0.85, 1.15);
  const turn = 2 * Math.PI * hz;
  for (const [site, share] of [["waist", 1] as const, ["wrist", 0.7] as const]) {
    motion.accelerate(
      site,
      [0, 0, 1],
      now,
      to,
      0.7,
      (t) => share * rise * (Math.sin(turn * t) + 0.35 * Math.sin(2 * turn * t + 0.8)),
    );
    motion.accelerate(site, [1, 0, 0], now, to, 0.7, (t) => share * 0.6 * rise * Math.sin(turn * t + 1.6));
    motion.accelerate(site, [0, 1, 0], now, to, 0.7, (t) => share * 0.4 * rise * Math.sin((turn / 2) * t));
  }
  for (let step = 0; (step + 0.3) / hz < seconds - 0.4; step++) {
    const at = now + (step + 0.3) / hz + random.between(-0.03, 0.03);
    const blow = 0.075 * heel * person.vigour * random.between(0.5, 1.5);
    motion.strike(
      "waist",
      at,
      blow,
      random.between(0.03, 0.05),
      [random.between(-0.5, 0.2), random.between(-0.3, 0.3), 0.9],
      0.5,
    );
    motion.strike(
      "wrist",
      at + 0.02,
      blow * 0.6,
      random.between(0.04, 0.07),
      [random.between(-0.4, 0.4), random.between(-0.3, 0.3), 0.8],
      0.4,
    );
  }
  const phase = random.between(0, 6.28);
  motion.swing("armForward", 17 * armSwing * person.vigour, hz / 2, now, to, phase, 1);
  motion.swing("elbow", 7 * armSwing, hz / 2, now, to, phase + 0.5, 1);
  motion.swing("forearmTurn", 5 * armSwing, hz / 2, now, to, phase + 1, 1);
  motion.swing("twist", 4, hz / 2, now, to, phase, 1);
  motion.swing("leanLeft", 1.5, hz / 2, now, to, phase + 0.3, 1);
  idle(motion, person, seconds, 0.9);
}

/** Sits down from standing. `hardness` 0 lowers with control; 1 drops the last part on a firm seat. */
export function sitDown(motion: Motion, person: Person, hardness: number, height = chairHeight): void {
  const { random, now } = motion;
  const seconds = 1.7 - 0.8 * hardness + random.between(0, 0.4);
  const bend = random.between(22, 38);
  motion.move("leanForward", bend, seconds * 0.65);
  motion.move("leanForward", random.between(-16, -4), seconds * 0.7, now + seconds * 0.75);
  motion.move("armForward", random.between(25, 45), seconds, now + 0.1);
  motion.move("elbow", random.between(60, 95), seconds, now + 0.2);
  motion.move("forearmTurn", random.between(-60, 60), seconds, now + 0.2);
  if (hardness < 0.3) {
    motion.move("height", height, seconds);
    motion.strike("waist", now + seconds * 0.9, 0.12 * random.between(0.5, 1.5), 0.08, [0, 0, 1]);
  } else {
    // The legs lower the body most of the way and give up the rest.
    const drop = 0.35;
    motion.move("height", height + 0.13 * hardness, seconds - 0.5 * drop);
    motion.topple("height", height, drop, 3, 14 + 6 * hardness, now + seconds - drop);
    const speed = 0.42 * hardness * random.between(0.5, 1.5) * person.vigour;
    motion.strike("waist", now + seconds, speed, random.between(0.05, 0.09), [
      random.between(-0.3, 0.3),
      random.between(-0.3, 0.3),
      1,
    ]);
    motion.ring("waist", now + seconds + 0.05, 4 * hardness, random.between(4, 7), 0.1);
    // Arms come down on rests or thighs.
    const hand: Vector = [random.between(-0.4, 0.4), random.between(-0.4, 0.4), 0.9];
    motion.strike(
      "wrist",
      now + seconds + random.between(-0.05, 0.2),
      speed * random.between(0.2, 1),
      random.between(0.018, 0.04),
      hand,
    );
  }
  motion.now = now + seconds + 0.5;
}

/** Stands up from wherever the pelvis is. */
export function standUp(motion: Motion, _person: Person, seconds = motion.random.between(1.5, 2.6)): void {
  const { random, now } = motion;
  motion.move("leanForward", random.between(28, 45), seconds * 0.5);
  motion.move("leanLeft", 0, seconds * 0.7);
  motion.move("height", standingHeight, seconds * 0.75, now + seconds * 0.25);
  motion.move("leanForward", random.between(0, 6), seconds * 0.55, now + seconds * 0.5);
  motion.move("armForward", random.between(-5, 10), seconds, now + 0.3);
  motion.move("armOut", random.between(4, 12), seconds, now + 0.3);
  motion.move("elbow", random.between(10, 35), seconds, now + 0.3);
  motion.now = now + seconds + 0.3;
}

/** Lays the trunk down from sitting on a bed, over a side onto the back, in `seconds`. */
export function lieDown(motion: Motion, person: Person, seconds: number): void {
  const { random, now } = motion;
  const lively = 1.8 / seconds;
  motion.move("leanLeft", 35 * random.sign(), seconds * 0.6);
  motion.move("leanForward", -random.between(78, 90), seconds, now + 0.1);
  motion.move("leanLeft", random.between(-8, 8), seconds * 0.7, now + seconds * 0.5);
  motion.move("armForward", random.between(5, 30), seconds, now + 0.2);
  motion.move("armOut", random.between(5, 30), seconds, now + 0.3);
  motion.move("elbow", random.between(40, 110), seconds, now + 0.2);
  for (const site of ["waist", "wrist"] as const) {
    motion.strike(
      site,
      now + seconds * 0.95,
      0.22 * lively * person.vigour * random.between(0.6, 1.4),
      0.12,
      [0, 0, 1],
    );
    motion.ring(site, now + seconds, 1.5 * lively, random.between(2.5, 4), 0.18);
  }
  motion.now = now + seconds + 0.5;
}

/** Turns about the long axis when lying, by `degrees`. */
export function turnOver(motion: Motion, degrees: number, seconds: number): void {
  const { random, now } = motion;
  motion.move("twist", motion.target("twist") + degrees, seconds);
  motion.move("armOut", random.between(5, 50), seconds, now + 0.1);
  motion.move("elbow", random.between(30, 110), seconds, now + 0.1);
  motion.move("forearmTurn", random.between(-70, 70), seconds, now + 0.1);
  for (const site of ["waist", "wrist"] as const)
    motion.ring(site, now + seconds * 0.7, 0.15 * gravity, random.between(2, 4), 0.25);
  motion.now = now + seconds + 0.3;
}

/** Gets up from the floor: over the side to the hands and knees, kneels, then stands with a push. */
export function getUpFromFloor(motion: Motion, person: Person): void {
  const { random } = motion;
  handBusy(motion, person, motion.now, motion.now + 1.5);
  motion.move("leanForward", random.between(55, 75), 2.2);
  motion.move("leanLeft", random.between(-10, 10), 2);
  motion.move("height", 0.4, 2.2);
  motion.move("twist", 0, 2);
  motion.move("armForward", 75, 2);
  motion.move("elbow", random.between(10, 30), 2);
  motion.now += 2.8;
  idle(motion, person, random.between(0.8, 1.6), 1.5);
  standUp(motion, person, random.between(2.2, 3.2));
}
