import type { Chance } from "./random.ts";
import type { Vector } from "./rotation.ts";

/** Steps per second in which the body is modelled; a whole multiple of the sensor's rate. */
export const stepsPerSecond = 400;
/** Standard gravity, m/s². */
export const gravity = 9.80665;

/**
 * What the body can move. Trunk: leans and twist (about its long axis) in degrees, pelvis height and shifts in metres.
 * Arm that wears the device: shoulder forward and out to the side, elbow bend, forearm turn, degrees; 0 is hanging straight down.
 */
export const joints = [
  "leanForward",
  "leanLeft",
  "twist",
  "height",
  "shiftForward",
  "shiftLeft",
  "armForward",
  "armOut",
  "elbow",
  "forearmTurn",
] as const;
export type Joint = (typeof joints)[number];
/** Where a knock is felt. */
export type Site = "waist" | "wrist";

/** Height of the pelvis, m: standing, on a chair, on the floor. */
export const standingHeight = 0.95;
export const chairHeight = 0.5;
export const floorHeight = 0.12;

/** A movement of the body over time: joint curves, and knocks that the curves do not show. Times are seconds from the start. */
export class Motion {
  readonly steps: number;
  readonly joint: Record<Joint, Float64Array>;
  /** Accelerations on top of what the joints' curves give, in the room's frame (x forward, y left, z up), m/s². */
  readonly knocks: Record<Site, [Float64Array, Float64Array, Float64Array]>;
  /** Where the next movement of a script starts, s. */
  now = 0;
  readonly random: Chance;
  readonly #targets: Record<Joint, number>;

  constructor(seconds: number, random: Chance) {
    this.steps = Math.round(seconds * stepsPerSecond);
    this.random = random;
    const blank = () => new Float64Array(this.steps);
    this.joint = Object.fromEntries(joints.map((name) => [name, blank()])) as Record<Joint, Float64Array>;
    this.knocks = { waist: [blank(), blank(), blank()], wrist: [blank(), blank(), blank()] };
    this.#targets = Object.fromEntries(joints.map((name) => [name, 0])) as Record<Joint, number>;
  }

  get seconds(): number {
    return this.steps / stepsPerSecond;
  }

  /** Where the joint is heading after all movements so far. */
  target(joint: Joint): number {
    return this.#targets[joint];
  }

  /** Puts a joint somewhere from the very start; for the opening of a script. */
  begin(joint: Joint, value: number): void {
    const values = this.joint[joint];
    for (let i = 0; i < values.length; i++) values[i]! += value - this.#targets[joint];
    this.#targets[joint] = value;
  }

  /** Moves a joint smoothly (least jerk, as people reach) to `target` within `seconds`. */
  move(joint: Joint, target: number, seconds: number, at = this.now): void {
    this.#follow(joint, target, at, (t) => {
      const u = Math.min(1, t / seconds);
      return u * u * u * (10 - 15 * u + 6 * u * u);
    });
  }

  /**
   * Lets a joint topple to `target`, as an inverted pendulum does: it starts slowly, grows at `growth` per second and meets the floor after `seconds`,
   * where the body yields like a damped spring of `stiffness` rad/s and may bounce.
   */
  topple(joint: Joint, target: number, seconds: number, growth: number, stiffness: number, at = this.now): void {
    const step = 1 / stepsPerSecond;
    const share = 1 / (Math.cosh(growth * seconds) - 1);
    let place = 0;
    let speed = 0;
    const curve: number[] = [];
    for (let i = 0; i < this.steps; i++) {
      const t = i * step;
      if (t < seconds && place < 1) {
        place = share * (Math.cosh(growth * t) - 1);
        speed = share * growth * Math.sinh(growth * t);
      } else {
        const pull = growth * growth;
        const yielding = place > 1 ? -stiffness * stiffness * (place - 1) - 0.65 * stiffness * speed : 0;
        speed += (Math.min(pull, pull * Math.max(0.2, place)) + yielding) * step;
        place += speed * step;
      }
      curve.push(place);
    }
    // The spring carries the weight, so the body comes to rest a little below the first touch; the curve is scaled to end at the target.
    const rest = curve.at(-1) || 1;
    this.#follow(joint, target, at, (_t, i) => curve[i]! / rest);
  }

  #follow(joint: Joint, target: number, at: number, curve: (t: number, step: number) => number): void {
    const way = target - this.#targets[joint];
    this.#targets[joint] = target;
    const values = this.joint[joint];
    const first = Math.max(0, Math.round(at * stepsPerSecond));
    for (let i = first; i < this.steps; i++) values[i]! += way * curve((i - first) / stepsPerSecond, i - first);
  }

  /** Adds a swing of `amplitude` (the joint's unit) at `hz` between two times, faded in and out over `fade` s. */
  swing(joint: Joint, amplitude: number, hz: number, from: number, to: number, phase = 0, fade = 0.4): void {
    this.#add(this.joint[joint], from, to, fade, (t) => amplitude * Math.sin(2 * Math.PI * hz * t + phase));
  }

  /** Adds restless movement: a few slow waves of chance rate, together about `amplitude` (standard deviation, the joint's unit). */
  fidget(joint: Joint, amplitude: number, from: number, to: number, hz: [number, number] = [0.15, 1.8]): void {
    for (let wave = 0; wave < 5; wave++) {
      const rate = hz[0] * (hz[1] / hz[0]) ** ((wave + this.random.between(0, 1)) / 5);
      const share = (amplitude * 1.2) / (1 + rate);
      this.swing(joint, share * this.random.between(0.5, 1.2), rate, from, to, this.random.between(0, 6.28), 0.8);
    }
  }

  /** Adds an acceleration (m/s², along `direction` in the room) that varies as `curve` of the time since `from`. */
  accelerate(
    site: Site,
    direction: Vector,
    from: number,
    to: number,
    fade: number,
    curve: (t: number) => number,
  ): void {
    this.knocks[site].forEach((values, axis) => {
      const part = direction[axis]!;
      if (part !== 0) this.#add(values, from, to, fade, (t) => part * curve(t));
    });
  }

  /**
   * A blow that changes the speed by `speedChange` m/s within `seconds` (half-sine, so its top is π/2 × speed / time),
   * and the tremble of flesh and strap after it, in a direction of its own.
   */
  strike(site: Site, at: number, speedChange: number, seconds: number, direction: Vector, tremble = 0.35): void {
    const top = (Math.PI / 2) * (speedChange / seconds);
    this.accelerate(site, direction, at, at + seconds, 0, (t) => top * Math.sin((Math.PI * t) / seconds));
    // A loose strap rattles faster than the flesh at the belt.
    const hz = site === "wrist" ? this.random.between(12, 24) : this.random.between(9, 17);
    this.ring(site, at + seconds * 0.5, tremble * top, hz, this.random.between(0.03, 0.07));
  }

  /** A damped wobble of `top` m/s² at `hz`, falling to 37 % in `decay` s, in a chance direction. */
  ring(site: Site, at: number, top: number, hz: number, decay: number): void {
    const direction = this.random.direction();
    this.accelerate(
      site,
      direction,
      at,
      at + 6 * decay,
      0,
      (t) => top * Math.exp(-t / decay) * Math.sin(2 * Math.PI * hz * t),
    );
  }

  #add(values: Float64Array, from: number, to: number, fade: number, curve: (t: number) => number): void {
    const first = Math.max(0, Math.round(from * stepsPerSecond));
    const last = Math.min(this.steps, Math.round(to * stepsPerSecond));
    for (let i = first; i < last; i++) {
      const t = i / stepsPerSecond - from;
      const edge = fade > 0 ? Math.min(1, t / fade, (to - from - t) / fade) : 1;
      values[i]! += curve(t) * Math.max(0, edge);
    }
  }
}
