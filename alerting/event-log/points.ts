import type { ServiceEvent } from "../events.ts";

/** One point as it is spooled and written. */
export interface Point {
  measurement: string;
  tags: Record<string, string>;
  fields: Record<string, number | string | boolean>;
  /** Wall time, ms. */
  at: number;
}

/**
 * An event as a point. Aliases, ids and kinds are tags, numbers are fields; there are no names, no phone numbers and no texts.
 * The episode's id is a field: as a tag it would make a series of its own for every alarm.
 */
export function pointOf(event: ServiceEvent): Point {
  const { at } = event;
  switch (event.type) {
    case "detection": {
      const { kind, strength, reason, deviceId, late, joined, impactAt, detectionId } = event;
      return {
        measurement: "detection",
        tags: { ...episodeTags(event), device: deviceId, kind, strength, reason },
        fields: {
          ...episodeFields(event),
          detection: detectionId,
          late,
          joined,
          delay_ms: at - impactAt,
          ...numbers({ score: event.score, peak_g: event.peakG }),
        },
        at,
      };
    }
    case "page-queued":
      return {
        measurement: "page",
        tags: { ...episodeTags(event), responder: event.responderId, purpose: event.purpose },
        fields: { ...episodeFields(event), page: event.pageId, step: event.step },
        at,
      };
    case "page-sent":
      return {
        measurement: "attempt",
        tags: {
          responder: event.responderId,
          purpose: event.purpose,
          result: event.result,
          ...texts({ reason: event.reason }),
        },
        fields: { page: event.pageId, episode: event.episodeId ?? "", tries: event.tries, waited_ms: event.waitedMs },
        at,
      };
    case "receipt":
      return {
        measurement: "receipt",
        tags: {
          ...episodeTags(event),
          responder: event.responderId,
          status: event.status,
          ...texts({ error: event.errorCode }),
        },
        fields: { ...episodeFields(event), page: event.pageId },
        at,
      };
    case "reply":
      return {
        measurement: "reply",
        tags: { ...episodeTags(event), responder: event.responderId, letter: event.letter ?? "none" },
        fields: episodeFields(event),
        at,
      };
    case "taken":
    case "arrived":
      return {
        measurement: event.type === "taken" ? "acknowledgement" : "arrival",
        tags: { ...episodeTags(event), by: event.by },
        fields: { ...episodeFields(event), since_impact_ms: event.sinceImpactMs, since_opened_ms: event.sinceOpenedMs },
        at,
      };
    case "long-lie":
      return {
        measurement: "episode",
        tags: { ...episodeTags(event), what: event.type },
        fields: { ...episodeFields(event), count: 1, lying_s: event.lyingSeconds, unknown_s: event.unknownSeconds },
        at,
      };
    case "contact":
      return {
        measurement: "contact",
        tags: {
          responder: event.responderId,
          state: event.lost === null ? "back" : "lost",
          ...texts({ reason: event.lost }),
        },
        fields: { count: 1 },
        at,
      };
    case "closed":
      return {
        measurement: "outcome",
        tags: { ...episodeTags(event), by: event.by, outcome: event.outcome, ...texts({ done: event.done }) },
        fields: {
          ...episodeFields(event),
          arrived: event.arrived,
          since_impact_ms: event.sinceImpactMs,
          floor_is_least: event.floorIsLeast,
          ...numbers({ floor_ms: event.floorMs }),
        },
        at,
      };
    case "device":
      return {
        measurement: "device",
        tags: { device: event.deviceId, event: event.event, ...texts({ alias: event.alias, detail: event.detail }) },
        fields: {
          count: 1,
          ...numbers({ battery: event.battery }),
          ...(event.worn === null ? {} : { worn: event.worn }),
        },
        at,
      };
    case "supervision":
      return {
        measurement: "supervision",
        tags: {
          device: event.deviceId,
          trouble: event.trouble,
          event: event.event,
          ...texts({ alias: event.alias, class: event.deviceClass }),
        },
        fields: {
          count: 1,
          since_ms: at - event.since,
          ...numbers({ battery: event.battery, days_left: event.daysLeft, drift_ms: event.driftMs }),
        },
        at,
      };
    case "gateway":
      return {
        measurement: "gateway",
        tags: { gateway: event.gatewayId, event: event.event, ...texts({ detail: event.detail }) },
        fields: { count: 1 },
        at,
      };
    case "blind-time":
      return {
        measurement: "blind_time",
        tags: { dwelling: event.dwellingId, alias: event.alias, reason: event.reason },
        fields: { seconds: event.seconds },
        at,
      };
    default: {
      const by: Record<string, string> = "by" in event ? { by: event.by } : {};
      return {
        measurement: "episode",
        tags: { ...episodeTags(event), what: event.type, ...by },
        fields: { ...episodeFields(event), count: 1 },
        at,
      };
    }
  }
}

function episodeTags(event: { alias: string | null; test: boolean }): Record<string, string> {
  return { test: String(event.test), ...texts({ alias: event.alias }) };
}

function episodeFields(event: { episodeId: string; code: string }): Record<string, string> {
  return { episode: event.episodeId, code: event.code };
}

function texts(values: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

function numbers(values: Record<string, number | null>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null && Number.isFinite(entry[1])),
  );
}
