import { AlertingConfig } from "../../alerting/config.ts";
import { type Draw, draw } from "./draw.ts";
import type { PhoneKind } from "./phone-network.ts";

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** A phone that is nobody's in the configuration. */
export const strangersPhone = "+46701749999";

/** Something that happens to a resident, and what follows it. */
export interface Incident {
  /** Monotonic, ms. */
  at: number;
  dwelling: number;
  device: string;
  kind: "fall" | "help";
  test: boolean;
  /** Further detections of it: after how long, ms. */
  repeats: number[];
  /** The wearer's cancel after so long, ms, and whether upright. */
  cancel: { afterMs: number; upright: boolean } | null;
}

export type Trouble =
  /** kill -9 at the nth call of the store that changes something, before it or after; away for so long. */
  | { what: "crash"; at: number; writes: number; when: "before" | "after"; awayMs: number; again: boolean }
  | { what: "restart"; at: number; awayMs: number }
  | { what: "store-fails"; at: number; forMs: number; reads: boolean }
  | { what: "provider"; at: number; forMs: number; mood: "flaky" | "refusing" | "hanging" | "losing" }
  | { what: "jump"; at: number; by: number | "1970" | "2038"; backAfterMs: number | null }
  | { what: "asleep"; at: number; forMs: number }
  | { what: "equipment"; at: number; forMs: number; kind: "gateway-lost" | "broker-lost" | "rota-gap"; subject: string }
  /** A dwelling's presence: unusual inactivity, movement again after so long, and now and then inactive once more. */
  | { what: "welfare"; at: number; dwelling: number; forMs: number; again: boolean }
  | { what: "sign-on"; at: number; responderId: string };

/** What a seed plays: drawn once, before anything happens. */
export interface Plan {
  seed: number;
  shape: "hours" | "days" | "months" | "storm" | "ticking";
  config: AlertingConfig;
  wallStart: number;
  endMs: number;
  /** Devices of each dwelling. */
  dwellings: { id: string; alias: string; devices: string[] }[];
  incidents: Incident[];
  troubles: Trouble[];
  phones: ReadonlyMap<string, PhoneKind>;
  /** A listener to events throws at this share of them. */
  listenerThrows: number;
  /** Share of call-outs that nobody looks at. */
  ignores: number;
  /** Pages after which an operator ends an alarm at the console: a seed must not be endless. */
  mostPages: number;
}

/** Nights on which Swedish clocks change, and ordinary days. */
const starts = [
  "2026-03-28T20:00:00Z",
  "2026-10-24T20:00:00Z",
  "2027-03-27T21:30:00Z",
  "2026-12-31T20:00:00Z",
  "2026-06-20T06:00:00Z",
  "2028-02-28T22:00:00Z",
];

const shapes: Record<Plan["shape"], number> = { hours: 72, days: 18, months: 8, storm: 0.2, ticking: 1.6 };

export function planOf(seed: number): Plan {
  const from = draw(seed, 1);
  const shape = from.weighted(shapes);
  const { config, phones } = staffed(from);
  const endMs = {
    hours: from.between(2 * hour, 12 * hour),
    days: from.between(day, 5 * day),
    months: from.between(14 * day, 150 * day),
    storm: from.between(3 * hour, 6 * hour),
    ticking: from.between(15 * minute, 35 * minute),
  }[shape];
  const dwellings = Array.from({ length: shape === "storm" ? from.whole(10, 20) : from.whole(1, 6) }, (_, i) => ({
    id: `d${i}`,
    alias: String(11 + 7 * i),
    devices: from.happens(0.3) ? [`watch-${i}`, `belt-${i}`] : [`watch-${i}`],
  }));
  const incidents = drawIncidents(from, shape, endMs, dwellings);
  return {
    seed,
    shape,
    config,
    phones,
    wallStart: Date.parse(from.pick(starts)) + from.whole(0, 6 * hour),
    endMs,
    dwellings,
    incidents,
    troubles: drawTroubles(from, shape, endMs, incidents, dwellings.length),
    listenerThrows: from.happens(0.1) ? from.between(0.05, 1) : 0,
    ignores: from.happens(0.15) ? from.between(0.5, 1) : from.between(0.02, 0.25),
    mostPages: shape === "storm" ? 12 : Math.round(from.spread(3, 12)),
  };
}

const everyDay = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

function staffed(from: Draw): Pick<Plan, "config" | "phones"> {
  const responders = Array.from({ length: from.whole(2, 6) }, (_, i) => ({
    id: `patrol-${i + 1}`,
    name: `Patrull ${i + 1}`,
    phone: `+4670174060${i}`,
    ...(from.happens(0.2) ? { language: "en" as const } : {}),
  }));
  const operators = Array.from({ length: from.happens(0.3) ? 2 : 1 }, (_, i) => ({
    id: `leader-${i + 1}`,
    name: `Ledare ${i + 1}`,
    phone: `+4670174069${i}`,
  }));
  const ids = responders.map(({ id }) => id);
  const steps = Array.from({ length: from.whole(1, 3) }, () => ({
    ...(from.happens(0.15) ? { rotas: ["nights"] } : from.happens(0.05) ? { groups: ["all"] } : {}),
    responders: [
      ...new Set(Array.from({ length: from.weighted({ 1: 7, 2: 3 }) === "1" ? 1 : 2 }, () => from.pick(ids))),
    ],
    waitSeconds: Math.round(from.spread(20, 400)),
  }));
  const config = AlertingConfig.parse({
    http: { publicUrl: "https://larm.example.se" },
    twilio: {
      accountSid: `AC${"0".repeat(32)}`,
      authToken: "0123456789abcdef",
      from: "+46701740600".replace(/..$/, "77"),
    },
    responders: [...responders, ...operators],
    operators: operators.map(({ id }) => id),
    keyHolders: from.happens(0.5) ? [from.pick(ids)] : [],
    groups: [{ id: "all", members: ids }],
    rotas: [
      {
        id: "nights",
        name: "Nätter",
        shifts: [
          { id: "night", days: everyDay, from: "21:30", to: "07:00", responders: [from.pick(ids), from.pick(ids)] },
          { id: "day", days: everyDay, from: "07:00", to: from.pick(["21:30", "20:00"]), responders: [from.pick(ids)] },
        ].map((shift) => ({ ...shift, responders: [...new Set(shift.responders)] })),
      },
    ],
    technical: from.happens(0.4) ? { quietHours: { from: "22:00", to: "06:00" } } : {},
    policy: {
      steps,
      receiptSeconds: from.pick([20, 20, 20, 60, 10]),
      setOffWithinMinutes: from.pick([2, 5, 5, 10]),
      operatorsFirstDays: from.happens(0.15) ? 30 : 0,
      arriveWithinMinutes: from.pick([5, 15, 30, 30, 60]),
      outcomeWithinMinutes: from.pick([10, 30, 30, 60]),
    },
    intake: { token: "a-token-of-twenty-characters" },
  });
  const phones = new Map<string, PhoneKind>();
  for (const { phone } of config.responders) {
    phones.set(phone, from.weighted({ good: 88, dead: 6, wrong: 4, refusing: 2 }));
  }
  return { config, phones };
}

function drawIncidents(from: Draw, shape: Plan["shape"], endMs: number, dwellings: Plan["dwellings"]): Incident[] {
  const incident = (at: number): Incident => {
    const dwelling = from.whole(0, dwellings.length - 1);
    const known = dwellings[dwelling]?.devices ?? [];
    const repeats = from.happens(0.2)
      ? Array.from({ length: from.whole(1, 2) }, () => from.spread(second, 2 * hour))
      : [];
    return {
      at,
      dwelling,
      device: from.happens(0.03) ? "stranger-1" : from.pick(known),
      kind: from.happens(0.3) ? "help" : "fall",
      test: from.happens(0.06),
      repeats,
      cancel: from.happens(0.1) ? { afterMs: from.spread(second, 2 * minute), upright: from.happens(0.7) } : null,
    };
  };
  if (shape === "storm") {
    return dwellings.map((_, i) => ({
      ...incident(from.between(minute, 4 * minute)),
      dwelling: i,
      device: `watch-${i}`,
    }));
  }
  const clusters = { hours: 1, days: from.happens(0.2) ? 2 : 1, months: from.happens(0.3) ? 2 : 1, ticking: 1 }[shape];
  return Array.from({ length: clusters }, () => from.between(minute, 0.7 * endMs)).flatMap((at) =>
    Array.from({ length: from.happens(0.16) ? 2 : 1 }, () => incident(at + from.spread(100, 5 * minute))),
  );
}

function drawTroubles(
  from: Draw,
  shape: Plan["shape"],
  endMs: number,
  incidents: Incident[],
  dwellings: number,
): Trouble[] {
  // Trouble comes where something happens; elsewhere nobody would notice.
  const near = () =>
    Math.max(0, from.pick(incidents).at + (from.happens(0.6) ? from.spread(1, 10 * minute) : -from.spread(1, minute)));
  const troubles: Trouble[] = [];
  const some = (share: number, most: number, make: () => Trouble) => {
    if (from.happens(share)) for (let i = from.whole(1, most); i > 0; i--) troubles.push(make());
  };
  some(0.5, 2, () => ({
    what: "crash",
    at: near(),
    writes: from.whole(1, 30),
    when: from.pick(["before", "after"]),
    awayMs: from.spread(200, shape === "months" ? 6 * hour : 15 * minute),
    again: from.happens(0.2),
  }));
  some(0.2, 2, () => ({ what: "restart", at: near(), awayMs: from.spread(500, 5 * minute) }));
  some(0.25, 2, () => ({
    what: "store-fails",
    at: near(),
    forMs: from.spread(500, 3 * minute),
    reads: from.happens(0.2),
  }));
  some(0.5, 2, () => ({
    what: "provider",
    at: near() - from.between(0, minute),
    forMs: from.spread(5 * second, 40 * minute),
    mood: from.weighted({ flaky: 5, refusing: 2, hanging: 2, losing: 2 }),
  }));
  some(0.25, 2, () => ({
    what: "jump",
    at: near(),
    by: from.pick([hour, -hour, day, -day, "1970", "2038", 90 * second, -90 * second] as const),
    backAfterMs: from.happens(0.5) ? from.spread(second, 2 * hour) : null,
  }));
  some(0.15, 2, () => ({
    what: "equipment",
    at: near(),
    forMs: from.spread(5 * second, 3 * hour),
    kind: from.pick(["gateway-lost", "broker-lost", "rota-gap"]),
    subject: `stairwell-${from.whole(1, 2)}`,
  }));
  some(0.1, 1, () => ({ what: "sign-on", at: near(), responderId: "patrol-1" }));
  some(0.3, 1, () => ({ what: "asleep", at: near(), forMs: from.spread(5 * minute, 40 * minute) }));
  some(0.15, 2, () => ({
    what: "welfare",
    at: near(),
    dwelling: from.whole(0, dwellings - 1),
    forMs: from.spread(minute, 3 * hour),
    again: from.happens(0.3),
  }));
  return troubles.filter(({ at }) => at < endMs);
}
