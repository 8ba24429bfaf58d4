import { chairHeight, type Motion, standingHeight } from "./motion.ts";
import { handBusy, idle, lieDown, type Person, sitDown, standUp, turnOver, walk } from "./movements.ts";

/** A kind of daily life. `script` fills the recording. */
export interface DailyKind {
  activity: string;
  name: string;
  seconds: [number, number];
  script(motion: Motion, person: Person): void;
}

/** Fills what is left with standing or sitting at ease. */
function rest(motion: Motion, person: Person, liveliness = 1): void {
  idle(motion, person, Math.max(0, motion.seconds - motion.now) + 1, liveliness);
}

function walking(motion: Motion, person: Person): void {
  idle(motion, person, 2);
  walk(motion, person, motion.random.between(8, 11));
  handBusy(motion, person, motion.now, motion.now + 2.5);
  idle(motion, person, 3);
  walk(motion, person, motion.seconds - motion.now + 1);
}

function stairs(motion: Motion, person: Person): void {
  const { random } = motion;
  idle(motion, person, 2);
  walk(motion, person, 7, { heel: 1.3, bounce: 1.2, armSwing: 0.5 });
  idle(motion, person, random.between(1.5, 3));
  walk(motion, person, 7, { heel: random.between(2, 4), bounce: 1.5, armSwing: 0.8 });
  // The hand lets go of the rail and slaps down on it, or on the thigh.
  if (random.happens(0.6))
    motion.strike(
      "wrist",
      motion.now - random.between(0.2, 3),
      random.between(0.2, 0.7),
      0.05,
      random.direction(),
      0.5,
    );
  rest(motion, person);
}

function sittingHard(motion: Motion, person: Person): void {
  const { random } = motion;
  walk(motion, person, random.between(4, 6));
  idle(motion, person, 1.5);
  sitDown(motion, person, random.between(0.75, 1.1));
  idle(motion, person, random.between(5, 8), 0.8);
  // Tries to get up and drops back.
  motion.move("leanForward", random.between(18, 35), 1.2);
  motion.move("height", chairHeight + 0.07, 0.8, motion.now + 0.5);
  motion.now += 1.4;
  motion.topple("height", chairHeight, 0.4, 3, 19);
  motion.move("leanForward", -10, 1, motion.now + 0.1);
  motion.strike("waist", motion.now + 0.4, random.between(0.3, 0.7), 0.06, [random.between(-0.3, 0.3), 0, 1]);
  motion.strike("wrist", motion.now + 0.42, random.between(0.1, 0.45), 0.03, [
    random.between(-0.4, 0.4),
    random.between(-0.4, 0.4),
    1,
  ]);
  motion.now += 1;
  rest(motion, person, 0.8);
}

function clapping(motion: Motion, person: Person): void {
  const { random } = motion;
  sitDown(motion, person, 0);
  idle(motion, person, random.between(2, 4));
  for (let burst = 0; burst < 2; burst++) {
    const hz = random.between(2.4, 3.6);
    const seconds = random.between(2.5, 4.5);
    motion.move("elbow", random.between(85, 110), 0.6);
    motion.move("armForward", random.between(15, 35), 0.6);
    motion.now += 0.7;
    motion.swing("armOut", random.between(4, 7), hz, motion.now, motion.now + seconds, 0, 0.3);
    motion.swing("forearmTurn", random.between(6, 14), hz, motion.now, motion.now + seconds, 1, 0.3);
    for (let clap = 0; clap < Math.floor(seconds * hz); clap++) {
      const at = motion.now + (clap + 0.5) / hz + random.between(-0.02, 0.02);
      const speed = random.between(0.3, 0.85) * person.vigour;
      motion.strike(
        "wrist",
        at,
        speed,
        random.between(0.02, 0.035),
        [random.between(-0.4, 0.4), random.sign(), random.between(-0.5, 0.5)],
        0.35,
      );
      motion.strike("waist", at, 0.012, 0.04, [0, 0, 1]);
    }
    idle(motion, person, seconds, 0.8);
    motion.move("elbow", random.between(50, 90), 0.8);
    idle(motion, person, random.between(2, 4), 0.8);
  }
  rest(motion, person, 0.8);
}

/** Reaches up for something with a small jump: knees bend, push, flight, landing; momentum adds up. */
function jumping(motion: Motion, person: Person): void {
  const { random } = motion;
  idle(motion, person, random.between(3, 5));
  for (let jump = 0; jump < 2; jump++) {
    const flight = random.between(0.18, 0.3) * (0.6 + 0.4 * person.vigour);
    const speed = (9.81 * flight) / 2;
    const takeOff = motion.now + 0.9;
    motion.move("armForward", random.between(120, 160), 0.7, takeOff - 0.6);
    motion.move("elbow", 10, 0.6, takeOff - 0.6);
    for (const [site, share] of [["waist", 1] as const, ["wrist", 0.8] as const]) {
      const push = (at: number, change: number, seconds: number) => {
        const top = (Math.PI / 2) * (change / seconds) * share;
        motion.accelerate(
          site,
          [random.between(-0.15, 0.15), random.between(-0.1, 0.1), 1],
          at,
          at + seconds,
          0,
          (t) => top * Math.sin((Math.PI * t) / seconds),
        );
      };
      push(takeOff - 0.65, -0.7, 0.3);
      push(takeOff - 0.35, 0.7 + speed, 0.35);
      motion.accelerate(site, [0, 0, -1], takeOff, takeOff + flight, 0, () => 8.8 * share);
      push(takeOff + flight, speed * 0.7, random.between(0.08, 0.13));
      push(takeOff + flight + 0.09, speed * 0.3 + 0.25, 0.16);
      push(takeOff + flight + 0.25, -0.25, 0.2);
      motion.strike(
        site,
        takeOff + flight + 0.01,
        random.between(0.4, 0.8) * share,
        0.045,
        [random.between(-0.3, 0.3), random.between(-0.3, 0.3), 1],
        0.4,
      );
    }
    motion.now = takeOff + flight + 0.3;
    motion.move("armForward", random.between(0, 10), 0.8);
    motion.move("elbow", random.between(15, 30), 0.8);
    idle(motion, person, random.between(3, 5));
  }
  rest(motion, person);
}

function stumbling(motion: Motion, person: Person): void {
  const { random } = motion;
  idle(motion, person, 2);
  walk(motion, person, random.between(6, 9));
  motion.now -= 0.4;
  motion.move("leanForward", random.between(18, 32), 0.4);
  motion.move("armForward", random.between(40, 90), 0.4);
  motion.move("armOut", random.between(20, 60), 0.4);
  motion.move("forearmTurn", random.between(-70, 70), 0.5);
  motion.move("height", standingHeight - 0.1, 0.35);
  let at = motion.now + 0.2;
  const hasty = 3 + Number(random.happens(0.5));
  for (let step = 0; step < hasty; step++, at += random.between(0.26, 0.36)) {
    const speed = random.between(0.55, 1.2) * person.vigour * (1 - 0.12 * step);
    motion.strike("waist", at, speed, random.between(0.05, 0.09), [
      random.between(-0.7, -0.1),
      random.between(-0.4, 0.4),
      0.9,
    ]);
    motion.accelerate("waist", [0, 0, -1], at + 0.1, at + 0.26, 0, (t) => speed * 9 * Math.sin((Math.PI * t) / 0.16));
    motion.strike("wrist", at + 0.03, speed * random.between(0.6, 1.4), random.between(0.05, 0.09), random.direction());
  }
  motion.now = at;
  motion.move("leanForward", random.between(0, 6), 0.9);
  motion.move("height", standingHeight, 0.8);
  motion.move("armForward", random.between(0, 8), 0.9);
  motion.move("armOut", random.between(5, 12), 0.9);
  motion.now += 0.5;
  walk(motion, person, random.between(4, 6));
  rest(motion, person);
}

function lying(motion: Motion, person: Person): void {
  const { random } = motion;
  idle(motion, person, random.between(2, 3));
  sitDown(motion, person, 0.2);
  idle(motion, person, random.between(2, 4), 0.8);
  lieDown(motion, person, random.between(1.3, 2.4));
  idle(motion, person, random.between(5, 8), 0.25);
  turnOver(motion, random.sign() * random.between(60, 90), random.between(0.9, 1.6));
  rest(motion, person, 0.2);
}

function picksUp(motion: Motion, person: Person): void {
  const { random } = motion;
  walk(motion, person, 4);
  for (let time = 0; time < 2; time++) {
    idle(motion, person, random.between(1.5, 3));
    const down = random.between(1, 1.6);
    motion.move("leanForward", random.between(55, 85), down);
    motion.move("height", random.between(0.6, 0.8), down);
    motion.move("armForward", random.between(60, 90), down);
    motion.move("elbow", random.between(5, 20), down);
    motion.now += down;
    motion.strike("wrist", motion.now, random.between(0.05, 0.25), 0.05, [0, 0, 1]);
    idle(motion, person, random.between(0.4, 1.2));
    const up = random.between(1.1, 1.8);
    motion.move("leanForward", random.between(0, 5), up);
    motion.move("height", standingHeight, up);
    motion.move("armForward", random.between(0, 20), up);
    motion.move("elbow", random.between(20, 90), up);
    motion.now += up;
  }
  walk(motion, person, Math.max(2, motion.seconds - motion.now - 1));
  rest(motion, person);
}

function outOfCar(motion: Motion, person: Person): void {
  const { random } = motion;
  idle(motion, person, 2);
  sitDown(motion, person, random.between(0.1, 0.28), 0.55);
  motion.move("leanLeft", random.sign() * random.between(12, 25), 0.8);
  motion.move("leanLeft", 0, 0.8, motion.now + 0.9);
  motion.move("twist", random.sign() * 70, 1.6);
  motion.now += 1.8;
  handBusy(motion, person, motion.now, motion.now + 4);
  idle(motion, person, random.between(5, 8), 0.8);
  // Opens the door, turns the legs out, and rises with a pull on the frame.
  motion.move("armOut", random.between(40, 70), 0.9);
  motion.strike("wrist", motion.now + 0.8, random.between(0.15, 0.45), 0.05, random.direction());
  motion.now += 1.2;
  motion.move("twist", 0, 1.5);
  motion.move("leanLeft", random.sign() * random.between(10, 22), 0.7);
  motion.now += 1.5;
  standUp(motion, person);
  walk(motion, person, 4);
  rest(motion, person);
}

function jacket(motion: Motion, person: Person): void {
  const { random } = motion;
  idle(motion, person, 2);
  for (let reach = 0; reach < 9; reach++) {
    const seconds = random.between(0.45, 0.9);
    motion.move("armForward", random.between(-40, 110), seconds);
    motion.move("armOut", random.between(5, 75), seconds * random.between(0.8, 1.2));
    motion.move("elbow", random.between(10, 125), seconds * random.between(0.8, 1.1));
    motion.move("forearmTurn", random.between(-80, 80), seconds);
    motion.move("twist", random.between(-30, 30), seconds);
    motion.move("leanForward", random.between(-4, 16), seconds);
    motion.move("leanLeft", random.between(-10, 10), seconds);
    // Shifts the weight to the other foot.
    if (random.happens(0.5))
      motion.strike(
        "waist",
        motion.now + seconds,
        random.between(0.03, 0.15),
        0.06,
        [random.between(-0.5, 0.5), random.between(-0.5, 0.5), 0.9],
        0.4,
      );
    if (random.happens(0.35))
      motion.strike(
        "wrist",
        motion.now + seconds * 0.8,
        random.between(0.2, 0.7),
        random.between(0.04, 0.08),
        random.direction(),
        0.5,
      );
    idle(motion, person, seconds * random.between(0.8, 1.6), 1.2);
  }
  motion.move("armForward", 5, 0.8);
  motion.move("armOut", 8, 0.8);
  motion.move("elbow", 25, 0.8);
  motion.move("twist", 0, 0.8);
  motion.move("leanForward", 2, 0.8);
  motion.move("leanLeft", 0, 0.8);
  motion.now += 0.6;
  rest(motion, person);
}

export const dailyLife: readonly DailyKind[] = [
  { activity: "D-walk", name: "Walking", seconds: [24, 32], script: walking },
  { activity: "D-stairs", name: "Walking up and down stairs", seconds: [24, 30], script: stairs },
  {
    activity: "D-sit-hard",
    name: "Sitting down hard, trying to get up and dropping back",
    seconds: [24, 30],
    script: sittingHard,
  },
  { activity: "D-clap", name: "Clapping hands", seconds: [24, 30], script: clapping },
  { activity: "D-jump", name: "Jumping gently to reach something", seconds: [20, 26], script: jumping },
  { activity: "D-stumble", name: "Stumbling while walking, without a fall", seconds: [22, 28], script: stumbling },
  { activity: "D-lie-down", name: "Lying down on a bed and turning over", seconds: [26, 34], script: lying },
  { activity: "D-pick-up", name: "Picking something up from the floor", seconds: [22, 28], script: picksUp },
  { activity: "D-car", name: "Getting into a car and out again", seconds: [28, 34], script: outOfCar },
  { activity: "D-jacket", name: "Putting a jacket on", seconds: [20, 26], script: jacket },
];
