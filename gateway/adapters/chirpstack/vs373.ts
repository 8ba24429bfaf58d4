import { field, objectIn } from "../adapter.ts";

// Milesight's fall radar VS373, by what its makers' codec calls things. It sends no confidence: it waits by itself for `confirm_time` before it alarms.

type Json = Record<string, unknown>;

export interface Vs373Fall {
  says: "alarm" | "over";
  /** The radar's own word. */
  state: string;
}

const statusWords: Readonly<Record<string, Vs373Fall>> = {
  1: { says: "alarm", state: "alarm_triggered" },
  2: { says: "over", state: "alarm_deactivated" },
  3: { says: "over", state: "alarm_ignored" },
};

/** A status of an alarm as a word or as the number on the wire, in either form of the codec. */
function statusOf(value: unknown): Vs373Fall | null {
  const word = typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : "";
  if (Object.hasOwn(statusWords, word)) return statusWords[word]!;
  return Object.values(statusWords).find(({ state }) => state === word) ?? null;
}

/**
 * What it says of falls, in the order in which it happened: the room's state first, which is older than an alarm in the same message.
 * `history` is left out: it holds what happened long ago.
 */
export function vs373Falls(object: Json): Vs373Fall[] {
  const found: Vs373Fall[] = [];
  const room = field(object, "detection_status");
  if (room === "fall") found.push({ says: "alarm", state: "fall" });
  else if (isRoomState(room)) found.push({ says: "over", state: room });
  const events = field(object, "events");
  if (Array.isArray(events)) {
    for (const item of events.slice(0, 50)) {
      const event = objectIn(item);
      const type = field(event, "alarm_type");
      const status = type === "fall" || type === 0 ? statusOf(field(event, "alarm_status")) : null;
      if (status) found.push(status);
    }
  }
  // Later codecs give each kind of alarm an object of its own, with lists in texts: "1, 1, 2".
  const alarms = field(objectIn(field(object, "fall_alarm")), "alarm_status");
  const list = typeof alarms === "string" ? alarms.slice(0, 400).split(",") : [alarms];
  for (const one of list) {
    const status = statusOf(one);
    if (status) found.push(status);
  }
  return found;
}

const roomStates = ["normal", "vacant", "in_bed", "out_of_bed"] as const;
const isRoomState = (value: unknown): value is (typeof roomStates)[number] =>
  (roomStates as readonly unknown[]).includes(value);

/** Whether it sees anybody. It tells of the floor only where it says both: a fall, and that nobody moves. */
export function vs373Presence(object: Json): { state: "on" | "off"; atFloor?: boolean } | null {
  const room = field(object, "detection_status");
  if (room === "vacant") return { state: "off" };
  if (room === "fall")
    return field(object, "target_status") === "motionless" ? { state: "on", atFloor: true } : { state: "on" };
  return isRoomState(room) ? { state: "on" } : null;
}
