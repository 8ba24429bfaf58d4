import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";
import { heldMs } from "../ingest/held.ts";
import type { MappedDevice, Meaning } from "./config.ts";

/** A message as another's broker hands it on. */
export interface ForeignMessage {
  topic: string;
  payload: Uint8Array;
  /** The broker kept it for whoever subscribes: it may be of any age. */
  retained: boolean;
  /** The gateway's time at its arrival. */
  now: WallMs;
  /** The broker may have kept it for a gateway that was away for so long, ms; 0 where it could not. */
  heldAtMostMs: number;
}

/** What a foreign device has said, of the device of ours that it is. `age` is how long ago, ms; null where nobody can say, and the broker may have kept it. */
export type Said =
  | {
      kind: "presence";
      device: string;
      sensor: PresenceReport["sensor"];
      state: "on" | "off";
      room?: string | undefined;
      atFloor?: boolean;
      age: number | null;
    }
  /** A button was pushed. `key`: what the same message has again when it is sent again. */
  | { kind: "help"; device: string; age: number | null; key?: string }
  /** `warning`: suspected, and not yet sure; `over`: nothing of it any more. `state` is the sensor's own word. */
  | {
      kind: "fall";
      device: string;
      says: "alarm" | "warning" | "over";
      state: string;
      sensor: string;
      age: number | null;
      key?: string;
    }
  /** `tamper`: it was opened or torn off, by its own switch. */
  | { kind: "alive"; device: string; battery?: number; tamper?: boolean }
  /** `isLive`: it is the device's own connection, so that what it last said holds as long as it lasts. */
  | { kind: "availability"; device: string; online: boolean; isLive: boolean };

/** Why nothing came of a message; counted under that name, and told by `fallvakt adapters try`. */
export const nothingWhy = {
  "not-mapped": "it is of no device that the configuration names",
  "other-topic": "the topic is none of those that this adapter reads",
  "bad-payload": "the payload is not what this topic carries",
  "too-large": "it is larger than any message of a sensor",
  "no-field": "no field of it stands for anything here",
  retained: "the broker kept it for whoever subscribes: it may be of any age, and nothing is concluded from it",
  duplicate: "it came before",
} as const;
export type Nothing = keyof typeof nothingWhy;

export interface Reading {
  said: Said[];
  /** Where nothing was said. */
  nothing: Nothing | null;
}

/** Which devices are ours, where an adapter reads. */
export interface Setup {
  base: string;
  devices: readonly MappedDevice[];
}

/**
 * Understands one ecosystem. Pure: the same message, memory and setup always make the same reading. `read` never throws, whatever comes, and changes no memory that
 * it was given.
 */
export interface Adapter<Memory = unknown> {
  /** What it reads, for people. */
  readonly what: string;
  /** Where topics begin when the configuration does not say. */
  readonly base: string;
  /** What to subscribe to. Only of the devices named: nobody else's home is listened to. */
  filters(setup: Setup): string[];
  /** What it remembers at first, and again at each new connection. */
  open(): Memory;
  read(message: ForeignMessage, setup: Setup, memory: Memory): [Memory, Reading];
}

/** The largest ChirpStack uplink seen has some 3 kB. */
export const maxPayloadBytes = 64 * 1024;
const maxTopicLength = 1024;

export const nothing = (why: Nothing): Reading => ({ said: [], nothing: why });
export const said = (list: Said[]): Reading => ({ said: list, nothing: list.length > 0 ? null : "no-field" });

/** Reads a message with what holds for every adapter: its size is bounded, and of what the broker retained only availability counts. */
export function readForeign<Memory>(
  adapter: Adapter<Memory>,
  message: ForeignMessage,
  setup: Setup,
  memory: Memory,
): [Memory, Reading] {
  if (message.payload.byteLength > maxPayloadBytes || message.topic.length > maxTopicLength) {
    return [memory, nothing("too-large")];
  }
  const [next, reading] = adapter.read(message, setup, memory);
  if (!message.retained || reading.nothing) return [next, reading];
  // A will that the broker retains is as true as when it came; anything else may be days old.
  const kept = reading.said.filter(({ kind }) => kind === "availability");
  return [memory, kept.length > 0 ? { said: kept, nothing: null } : nothing("retained")];
}

export function textOf(payload: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: false }).decode(payload);
}

type Json = Record<string, unknown>;

/** A JSON object, or null where the payload is none. */
export function jsonObject(payload: Uint8Array): Json | null {
  try {
    return objectIn(JSON.parse(textOf(payload)));
  } catch {
    return null;
  }
}

/** `value` where it is an object that is no list. */
export function objectIn(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** A member of its own, so that no payload reaches what objects inherit. */
export function field(object: Json | null, name: string): unknown {
  return object !== null && Object.hasOwn(object, name) ? object[name] : undefined;
}

/** As which sensor a device tells of presence; null where it is mapped as something else. */
export function sensorAs(
  as: Meaning | undefined,
  otherwise: PresenceReport["sensor"],
): PresenceReport["sensor"] | null {
  return as === undefined ? otherwise : as === "help" || as === "fall" || as === "battery" ? null : as;
}

/** A charge in per cent, where the value is one. */
export function percent(value: unknown): { battery: number } | undefined {
  return typeof value === "number" && value >= 0 && value <= 100 ? { battery: value } : undefined;
}

/**
 * How long ago something happened, by a time in the payload; ms.
 * @param at Wall time in ms since 1970, or text of ISO 8601. Believed only where the broker can have kept the message for so long.
 */
export function ageOf(at: unknown, { now, heldAtMostMs }: ForeignMessage): number | null {
  if (heldAtMostMs <= 0) return 0;
  const deviceAt = typeof at === "string" ? Date.parse(at) : typeof at === "number" ? at : Number.NaN;
  if (!Number.isFinite(deviceAt) || now - deviceAt > heldAtMostMs) return null;
  return heldMs({ arrivedAt: now, ageMs: 0, deviceAt, atMostMs: heldAtMostMs });
}

const online = /^(online|true)$/;
const offline = /^(offline|false)$/;

/** Whether an availability message says that a device can be reached; null where it says neither. In all its forms: bare, or `{"state": …}`. */
export function availabilityIn(payload: Uint8Array): boolean | null {
  const text = textOf(payload).trim();
  const state = field(jsonObject(payload), "state");
  const word = typeof state === "string" ? state : text;
  return online.test(word) ? true : offline.test(word) ? false : null;
}
