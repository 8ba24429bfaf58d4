import { type ServiceEvent, ServiceEvent as schema } from "../events.ts";

type Type = ServiceEvent["type"];
type Of<T extends Type> = Extract<ServiceEvent, { type: T }>;

const at = Date.UTC(2026, 10, 24, 2, 12);
const episode = { at, episodeId: "e1", code: "274", alias: "38", test: false };
const page = { pageId: "e1.1", responderId: "patrol-1" };
const since = { sinceImpactMs: 30_000, sinceOpenedMs: 12_000 };

/** One event of each type with everything that it can hold. A type that is missing here does not compile. */
const samples: { readonly [T in Type]: Of<T> } = {
  detection: {
    type: "detection",
    ...episode,
    detectionId: "watch-38.1.7.fall",
    deviceId: "watch-38",
    kind: "fall",
    strength: "strong",
    reason: "still",
    impactAt: at - 12_000,
    late: false,
    joined: false,
    score: 0.97,
    peakG: 5.2,
  },
  "episode-opened": { type: "episode-opened", ...episode, kind: "technical", impactAt: at, trouble: "gateway-lost" },
  "page-queued": { type: "page-queued", ...episode, ...page, purpose: "alarm", step: 0 },
  "page-sent": {
    type: "page-sent",
    at,
    episodeId: "e1",
    ...page,
    purpose: "alarm",
    result: "permanent",
    reason: "21614",
    tries: 1,
    waitedMs: 20,
  },
  receipt: { type: "receipt", ...episode, ...page, status: "undelivered", errorCode: "30003" },
  reply: { type: "reply", ...episode, responderId: "patrol-1", letter: "T" },
  taken: { type: "taken", ...episode, by: "patrol-1", ...since },
  released: { type: "released", ...episode, by: "patrol-1" },
  "on-the-way": { type: "on-the-way", ...episode, by: "patrol-1" },
  arrived: { type: "arrived", ...episode, by: "patrol-1", ...since },
  closed: {
    type: "closed",
    ...episode,
    by: "patrol-1",
    outcome: "injury",
    done: "ambulance",
    floorMs: 1_200_000,
    floorIsLeast: true,
    arrived: true,
    sinceImpactMs: 1_900_000,
  },
  "not-taken": { type: "not-taken", ...episode, round: 1 },
  "long-lie": {
    type: "long-lie",
    ...episode,
    detectionId: "watch-38.1.7.fall",
    lyingSeconds: 300.4,
    unknownSeconds: 12.5,
  },
  "receipt-missing": { type: "receipt-missing", ...episode, step: 0 },
  "operators-first": { type: "operators-first", ...episode },
  "not-set-off": { type: "not-set-off", ...episode, by: "patrol-1" },
  undone: { type: "undone", ...episode, by: "patrol-1" },
  cancel: { type: "cancel", ...episode, upright: true },
  "not-arrived": { type: "not-arrived", ...episode, by: "patrol-1" },
  "outcome-missing": { type: "outcome-missing", ...episode },
  "movement-again": { type: "movement-again", ...episode },
  "inactive-again": { type: "inactive-again", ...episode },
  "called-out-again": { type: "called-out-again", ...episode },
  "backup-joined": { type: "backup-joined", ...episode, by: "patrol-2" },
  "backup-asked": { type: "backup-asked", ...episode, by: "patrol-1", letter: "K" },
  contact: { type: "contact", at, responderId: "patrol-1", lost: "21610" },
  device: {
    type: "device",
    at,
    deviceId: "watch-38",
    alias: "38",
    event: "heartbeat",
    battery: 0.62,
    worn: true,
    detail: "new-secret",
  },
  supervision: {
    type: "supervision",
    at,
    deviceId: "watch-38",
    alias: "38",
    deviceClass: "wearable",
    event: "began",
    trouble: "battery-low",
    since: at - 60_000,
    battery: 14,
    daysLeft: 1.5,
    driftMs: 61_000,
  },
  gateway: { type: "gateway", at, gatewayId: "gateway-1", event: "broker-lost", detail: "ECONNREFUSED" },
  "blind-time": { type: "blind-time", at, dwellingId: "d38", alias: "38", reason: "not-worn", seconds: 1200 },
};

/** The samples, checked against the schema of events. */
export const sampleEvents: readonly ServiceEvent[] = Object.values(samples).map((event) => schema.parse(event));
