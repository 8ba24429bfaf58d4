import { backward, forwards, hitFloor, restOnFloor, sideways, softTouch, type Way } from "./floor.ts";
import { chairHeight, floorHeight, type Motion, standingHeight } from "./motion.ts";
import { handBusy, idle, type Person, sitDown, standUp, walk } from "./movements.ts";

/** Times of a fall, s from the recording's start: balance is lost, and the body has come to rest. */
export interface FallTimes {
  onsetS: number;
  endS: number;
}

/** A kind of fall: `script` moves the body from some seconds of ordinary life through the fall to the rest after it. */
export interface FallKind {
  activity: string;
  name: string;
  soft: boolean;
  seconds: [number, number];
  script(motion: Motion, person: Person, getsUp: boolean): FallTimes;
}

function whileWalking(way: (motion: Motion) => Way, trips: boolean): FallKind["script"] {
  return (motion, person, getsUp) => {
    const { random } = motion;
    idle(motion, person, random.between(2, 4));
    walk(motion, person, random.between(5, 8));
    motion.now -= 0.4;
    const onsetS = motion.now;
    if (trips) {
      // The foot is held, and one or two hasty steps try to catch up.
      for (
        let at = onsetS, step = 0;
        step < 1 + Number(random.happens(0.5));
        step++, at += random.between(0.25, 0.35)
      ) {
        motion.strike("waist", at, random.between(0.2, 0.45), random.between(0.05, 0.09), [
          -0.6,
          random.between(-0.4, 0.4),
          0.8,
        ]);
        motion.strike("wrist", at, random.between(0.1, 0.25), random.between(0.06, 0.1), [
          -0.6,
          random.between(-0.4, 0.4),
          0.5,
        ]);
        motion.now = at + 0.15;
      }
    }
    hitFloor(motion, person, way(motion), random.between(0.6, 0.95));
    const endS = motion.now + 0.5;
    restOnFloor(motion, person, getsUp);
    return { onsetS, endS };
  };
}

function collapse(motion: Motion, person: Person, getsUp: boolean): FallTimes {
  const { random } = motion;
  if (random.happens(0.6)) handBusy(motion, person, 2, 7);
  idle(motion, person, random.between(6, 9));
  const onsetS = motion.now;
  // The knees give way: the pelvis sinks first, then the trunk topples.
  motion.move("height", 0.6, 0.9);
  motion.move("leanForward", random.between(5, 25), 0.9);
  motion.now += 0.75;
  hitFloor(motion, person, random.happens(0.5) ? forwards(motion) : sideways(motion), random.between(0.45, 0.6));
  const endS = motion.now + 0.5;
  restOnFloor(motion, person, getsUp);
  return { onsetS, endS };
}

function missesChair(motion: Motion, person: Person, getsUp: boolean): FallTimes {
  const { random } = motion;
  walk(motion, person, random.between(5, 7));
  idle(motion, person, random.between(1.5, 3));
  motion.move("leanForward", random.between(15, 30), 0.7);
  motion.move("height", standingHeight - 0.2, 0.9);
  motion.now += 0.75;
  const onsetS = motion.now;
  hitFloor(motion, person, backward(motion), random.between(0.5, 0.75));
  const endS = motion.now + 0.5;
  restOnFloor(motion, person, getsUp);
  return { onsetS, endS };
}

function gettingUp(motion: Motion, person: Person, getsUp: boolean): FallTimes {
  const { random } = motion;
  sitDown(motion, person, 0);
  idle(motion, person, random.between(4, 6));
  standUp(motion, person, random.between(1.4, 2));
  motion.now -= random.between(0.2, 0.5);
  const onsetS = motion.now;
  hitFloor(motion, person, random.happens(0.6) ? forwards(motion) : sideways(motion), random.between(0.6, 0.9));
  const endS = motion.now + 0.5;
  restOnFloor(motion, person, getsUp);
  return { onsetS, endS };
}

function offTheChair(motion: Motion, person: Person, getsUp: boolean): FallTimes {
  const { random } = motion;
  motion.begin("height", chairHeight);
  motion.begin("leanForward", random.between(-15, -5));
  motion.begin("elbow", random.between(60, 95));
  motion.begin("armForward", random.between(20, 40));
  if (random.happens(0.6)) handBusy(motion, person, 2, 7);
  idle(motion, person, random.between(7, 10), 0.6);
  const onsetS = motion.now;
  motion.move("leanLeft", random.sign() * random.between(5, 12), 0.8);
  motion.now += 0.5;
  hitFloor(motion, person, sideways(motion), random.between(0.55, 0.8));
  const endS = motion.now + 0.5;
  restOnFloor(motion, person, getsUp);
  return { onsetS, endS };
}

/** Sinks down slowly with the back along a wall, then tips over to the side. */
function slidesDownWall(motion: Motion, person: Person): FallTimes {
  const { random } = motion;
  idle(motion, person, random.between(7, 10), 0.8);
  const onsetS = motion.now;
  // The legs hold for a moment on the way down.
  const sinks = random.between(1.2, 1.7);
  const held = random.between(0.45, 0.65);
  motion.move("height", held, sinks * 0.55);
  motion.move("height", 0.16, sinks * 0.5, motion.now + sinks * 0.5);
  motion.move("leanForward", -random.between(12, 24), sinks);
  motion.move("armOut", random.between(25, 50), sinks);
  motion.move("elbow", random.between(20, 60), sinks);
  motion.now += sinks - 0.1;
  softTouch(motion, random.between(0.15, 0.35));
  motion.now += random.between(0.3, 1);
  return tipsOver(motion, person, onsetS, {
    forward: random.between(-30, 10),
    left: random.sign() * random.between(72, 90),
  });
}

/** Slumps off a chair: the trunk goes over as the seat is lost, held back by an arm on the chair or the legs. */
function slumpsOffChair(motion: Motion, person: Person): FallTimes {
  const { random } = motion;
  motion.begin("height", chairHeight);
  motion.begin("leanForward", random.between(-15, -5));
  motion.begin("elbow", random.between(60, 95));
  idle(motion, person, random.between(7, 10), 0.6);
  const onsetS = motion.now;
  // Nods off to one side first.
  motion.move("leanForward", random.between(5, 20), 1.2);
  motion.move("leanLeft", random.sign() * random.between(5, 15), 1.2);
  motion.now += random.between(0.8, 1.5);
  const slides = random.between(0.9, 1.3);
  motion.move("height", floorHeight, slides, motion.now + 0.1);
  motion.move("shiftForward", 0.3, slides * 1.1);
  const way = random.happens(0.5) ? forwards(motion) : sideways(motion);
  return tipsOver(motion, person, onsetS, way, slides);
}

function tipsOver(
  motion: Motion,
  person: Person,
  onsetS: number,
  way: Way,
  tips = motion.random.between(0.8, 1.2),
): FallTimes {
  const { random } = motion;
  motion.topple("leanForward", way.forward, tips, random.between(1.4, 2), random.between(5, 8));
  motion.topple("leanLeft", way.left, tips, random.between(1.4, 2), random.between(5, 8));
  motion.move("armForward", random.between(-10, 60), tips);
  motion.move("armOut", random.between(10, 70), tips);
  motion.move("elbow", random.between(20, 90), tips);
  motion.move("forearmTurn", random.between(-70, 70), tips);
  motion.now += tips - 0.05;
  softTouch(motion, random.between(0.15, 0.35));
  motion.now += 0.6;
  const endS = motion.now + 0.4;
  restOnFloor(motion, person, false);
  return { onsetS, endS };
}

export const falls: readonly FallKind[] = [
  {
    activity: "F-trip",
    name: "Fall forward after a trip while walking",
    soft: false,
    seconds: [26, 36],
    script: whileWalking(forwards, true),
  },
  {
    activity: "F-slip-back",
    name: "Fall backward after a slip while walking",
    soft: false,
    seconds: [26, 36],
    script: whileWalking(backward, false),
  },
  {
    activity: "F-slip-side",
    name: "Fall to the side after a slip while walking",
    soft: false,
    seconds: [26, 36],
    script: whileWalking(sideways, false),
  },
  { activity: "F-collapse", name: "Collapse from standing", soft: false, seconds: [26, 36], script: collapse },
  {
    activity: "F-misses-chair",
    name: "Fall backward when sitting down, beside the chair",
    soft: false,
    seconds: [26, 36],
    script: missesChair,
  },
  {
    activity: "F-getting-up",
    name: "Fall when getting up from a chair",
    soft: false,
    seconds: [28, 38],
    script: gettingUp,
  },
  {
    activity: "F-off-chair",
    name: "Fall to the side off a chair",
    soft: false,
    seconds: [26, 36],
    script: offTheChair,
  },
  {
    activity: "F-soft-wall",
    name: "Soft fall: slides down along a wall and tips over",
    soft: true,
    seconds: [37, 40],
    script: slidesDownWall,
  },
  {
    activity: "F-soft-chair",
    name: "Soft fall: slumps off a chair to the floor",
    soft: true,
    seconds: [37, 40],
    script: slumpsOffChair,
  },
];
