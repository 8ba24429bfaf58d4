import { z } from "zod";
import { type Nothing, readForeign } from "./adapter.ts";
import { adapters, setupOf } from "./all.ts";
import { type AdapterKind, MappedDevice } from "./config.ts";
import { type DeviceReports, openReports, type ReportsInput, stepReports, type Told } from "./device-reports.ts";

/** Messages as a broker would hand them on, and what they become: the form of the examples beside each adapter. */
export const Example = z.strictObject({
  what: z.string(),
  source: z.string().meta({ description: "The public page or source that its fields come from" }),
  base: z.string().optional(),
  devices: z.array(MappedDevice),
  messages: z.array(
    z.strictObject({
      after: z.number().min(0).default(0).meta({ description: "Seconds since the first one" }),
      topic: z.string(),
      retained: z.boolean().default(false),
      payload: z.unknown().meta({ description: "JSON as it is; a text goes without its quotes" }),
    }),
  ),
  becomes: z
    .array(z.record(z.string(), z.unknown()))
    .meta({ description: "What is told, in order, as far as it says" }),
});
export type Example = z.infer<typeof Example>;

export interface Captured {
  /** Seconds since the first one. */
  after: number;
  topic: string;
  retained: boolean;
  payload: Uint8Array;
}

/** One thing told, or why nothing was; by which message, from 0. A timer's has none. */
export type Became = { message: number | null; after: number } & (
  | { device: string; told: Told }
  | { nothing: Nothing }
);

/** The bytes of an example's payload. */
export function payloadOf(payload: unknown): Uint8Array {
  return new TextEncoder().encode(typeof payload === "string" ? payload : JSON.stringify(payload));
}

/** Plays messages through an adapter on a clock of their own. What is told again under the same identity is left out, as the outbox knows it. */
export function playCaptured(
  kind: AdapterKind,
  where: { base?: string | undefined; devices: readonly MappedDevice[] },
  messages: readonly Captured[],
  wallAtStart: number,
): Became[] {
  const adapter = adapters[kind];
  const setup = setupOf({ kind, ...where });
  const devices = new Map<string, { state: DeviceReports; wakeAt: number | null }>();
  const became: Became[] = [];
  const identities = new Set<string>();
  let memory = adapter.open();

  function step(device: string, input: ReportsInput, message: number | null, now: number): void {
    const before = devices.get(device)?.state ?? openReports(1);
    const { state, told, wakeAt } = stepReports(before, input, now);
    devices.set(device, { state, wakeAt });
    for (const one of told) {
      const identity = identityOf(device, one);
      if (identity !== null && identities.has(identity)) continue;
      if (identity !== null) identities.add(identity);
      became.push({ message, after: now / 1000, device, told: one });
    }
  }

  function timers(until: number): void {
    for (let turn = 0; turn < 10_000; turn++) {
      const due = [...devices].filter(([, { wakeAt }]) => wakeAt !== null && wakeAt <= until);
      const [next] = due.sort(([, a], [, b]) => a.wakeAt! - b.wakeAt!);
      if (!next) return;
      step(next[0], { kind: "tick" }, null, next[1].wakeAt!);
    }
  }

  messages.forEach(({ after, topic, retained, payload }, at) => {
    const now = after * 1000;
    timers(now);
    const message = { topic, payload, retained, now: wallAtStart + now, heldAtMostMs: 0 };
    const [next, reading] = readForeign(adapter, message, setup, memory);
    memory = next;
    if (reading.nothing) became.push({ message: at, after, nothing: reading.nothing });
    for (const one of reading.said) step(one.device, one, at, now);
  });
  // A warning that nobody takes back.
  timers((messages.at(-1)?.after ?? 0) * 1000 + 70_000);
  return became;
}

function identityOf(device: string, told: Told): string | null {
  if (told.kind !== "help" && told.kind !== "fall") return null;
  const { boot, seq } = told.kind === "help" ? told.report : told.fall.identity;
  return `${device} ${told.kind} ${boot} ${seq}`;
}

/** What was told, without what only this gateway's own start has to do with: for people and for comparing. */
export function plainly(told: Told): Record<string, unknown> {
  switch (told.kind) {
    case "presence": {
      const { sensor, state, room, atFloor, age } = told.report;
      return { kind: told.kind, sensor, state, room, atFloor, age };
    }
    case "help":
      return { kind: told.kind, age: told.report.age };
    case "status":
      return { kind: told.kind, battery: told.report.battery, tamper: told.report.tamper };
    case "availability":
      return { kind: told.kind, online: told.online };
    case "fall": {
      const { strength, state, sensor, age } = told.fall;
      return { kind: told.kind, strength, state, sensor, age };
    }
  }
}
