import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InfluxDB } from "influx";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { lacks } from "../../test/services/needs.ts";
import type { ServiceEvent } from "../events.ts";
import { createEventLog, type EventLog } from "./event-log.ts";
import { type OwnInfluxd, startInfluxd } from "./influxd.ts";
import { pointOf } from "./points.ts";
import { openSpool } from "./spool.ts";

let dataDir: string;
let started: { stop(): Promise<void> }[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-events-"));
});
afterEach(async () => {
  for (const part of started.reverse()) await part.stop();
  started = [];
  rmSync(dataDir, { recursive: true, force: true });
});

const taken = (at: number, by = "patrol-1"): ServiceEvent => ({
  type: "taken",
  at,
  episodeId: "e1",
  code: "274",
  alias: "38",
  test: false,
  by,
  sinceImpactMs: 30_000,
  sinceOpenedMs: 12_000,
});

async function openLog(url: string | null, maxBytes = 1_000_000, speed = 1): Promise<EventLog> {
  const log = createEventLog({
    dataDir,
    maxBytes,
    influx: url === null ? undefined : { url, database: "fallvakt" },
    clock: systemClock(speed),
    log: pino({ level: "silent" }),
  });
  await log.start();
  started.push(log);
  return log;
}

async function until(what: () => boolean | Promise<boolean>, ms = 8_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the spool", () => {
  test("keeps order, and goes on where it was after a restart", async () => {
    const spool = await openSpool(dataDir, 65_536);
    await spool.append(["a", "b", "å", "d"]);
    const first = await spool.peek(3);
    expect(first.lines).toEqual(["a", "b", "å"]);
    await spool.advance(first);
    const again = await openSpool(dataDir, 65_536);
    expect(again.waiting()).toBe(1);
    await again.append(["e"]);
    const second = await again.peek(9);
    expect(second.lines).toEqual(["d"]);
    await again.advance(second);
    const third = await again.peek(9);
    expect(third.lines).toEqual(["e"]);
    await again.advance(third);
    expect(again.waiting()).toBe(0);
    expect((await again.peek(9)).lines).toEqual([]);
  });

  test("never grows beyond its bound: the oldest go, and are counted", async () => {
    const spool = await openSpool(dataDir, 65_536);
    let dropped = 0;
    for (let i = 0; i < 1_000; i++) dropped += (await spool.append([`${i} ${"x".repeat(200)}`])).dropped;
    expect(dropped).toBeGreaterThan(500);
    expect(dropped + spool.waiting()).toBe(1_000);
    const { lines } = await spool.peek(1);
    expect(Number.parseInt(lines[0] ?? "", 10)).toBe(dropped);
    const kept: string[] = [];
    for (;;) {
      const batch = await spool.peek(100);
      if (batch.lines.length === 0) break;
      kept.push(...batch.lines);
      await spool.advance(batch);
    }
    expect(kept.map((line) => Number.parseInt(line, 10))).toEqual(
      Array.from({ length: 1_000 - dropped }, (_, i) => i + dropped),
    );
  });

  test("a batch that was dropped while it was being written does no harm", async () => {
    const spool = await openSpool(dataDir, 65_536);
    await spool.append(["first"]);
    const batch = await spool.peek(1);
    for (let i = 0; i < 1_000; i++) await spool.append(["x".repeat(200)]);
    const waiting = spool.waiting();
    await spool.advance(batch);
    expect(spool.waiting()).toBe(waiting);
  });
});

describe("the event log", () => {
  test("without InfluxDB events stay in the spool, for whoever comes later", async () => {
    const log = await openLog(null);
    for (let i = 0; i < 50; i++) log.record(taken(1_000 + i));
    await log.stop();
    expect(log.counts()).toEqual({ written: 0, spooled: 50, dropped: 0 });
    expect((await openSpool(join(dataDir, "spool"), 1_000_000)).waiting()).toBe(50);
  });

  test("InfluxDB gone: recording takes no time, and the spool keeps its bound", async () => {
    const log = await openLog("http://127.0.0.1:1", 65_536);
    const before = performance.now();
    for (let i = 0; i < 5_000; i++) log.record(taken(i));
    expect(performance.now() - before).toBeLessThan(500);
    await until(
      () => log.troubled() && log.counts().dropped > 0 && log.counts().spooled + log.counts().dropped === 5_000,
    );
    expect(readdirSync(join(dataDir, "spool")).length).toBeLessThanOrEqual(18);
  });

  test.skipIf(lacks("influxd"))(
    "every event is there by query, also two of one millisecond (needs influxd)",
    async () => {
      const influxd = (await startInfluxd({ dataDir: join(dataDir, "influxd") })) as OwnInfluxd;
      started.push(influxd);
      const log = await openLog(influxd.url);
      const at = Date.UTC(2026, 10, 24);
      for (let i = 0; i < 2_500; i++) log.record(taken(at));
      await until(() => log.counts().written === 2_500);
      const { hostname, port } = new URL(influxd.url);
      const client = new InfluxDB({ host: hostname, port: Number(port), database: "fallvakt" });
      const [row] = await client.query<{ n: number }>(
        "SELECT COUNT(since_impact_ms) AS n FROM acknowledgement WHERE alias = '38'",
      );
      expect(row?.n).toBe(2_500);
      expect(log.counts()).toEqual({ written: 2_500, spooled: 0, dropped: 0 });
    },
  );

  test.skipIf(lacks("influxd"))(
    "a backlog of a time without InfluxDB, and of a restart, drains in order (needs influxd)",
    async () => {
      const first = await openLog(null);
      for (let i = 0; i < 1_500; i++) first.record(taken(i, "before"));
      await first.stop();
      const held = (await startInfluxd({ dataDir: join(dataDir, "influxd") })) as OwnInfluxd;
      const port = Number(new URL(held.url).port);
      await held.stop();
      // Nobody there yet: what is recorded now waits behind what waited before.
      const log = await openLog(held.url, 1_000_000, 20);
      for (let i = 0; i < 10; i++) log.record(taken(10_000 + i, "after"));
      await until(() => log.troubled());
      started.push((await startInfluxd({ dataDir: join(dataDir, "influxd"), port })) as OwnInfluxd);
      await until(() => log.counts().written === 1_510);
      expect(log.troubled()).toBe(false);
    },
  );

  test.skipIf(lacks("influxd"))("a point that InfluxDB refuses is dropped alone (needs influxd)", async () => {
    const influxd = (await startInfluxd({ dataDir: join(dataDir, "influxd") })) as OwnInfluxd;
    started.push(influxd);
    const log = await openLog(influxd.url);
    log.record(taken(1_000));
    await until(() => log.counts().written === 1);
    for (let i = 0; i < 40; i++)
      log.record(
        i === 17 ? ({ ...taken(2_000), sinceImpactMs: "a word" } as unknown as ServiceEvent) : taken(2_000 + i),
      );
    await until(() => log.counts().written === 40);
    expect(log.counts().dropped).toBe(1);
  });
});

test("a point holds no name, no number to call and no text", () => {
  const sent: ServiceEvent = {
    type: "page-sent",
    at: 1,
    episodeId: "e1",
    pageId: "e1.1",
    responderId: "patrol-1",
    purpose: "alarm",
    result: "permanent",
    reason: "21614",
    tries: 1,
    waitedMs: 20,
  };
  expect(pointOf(sent)).toEqual({
    measurement: "attempt",
    tags: { responder: "patrol-1", purpose: "alarm", result: "permanent", reason: "21614" },
    fields: { page: "e1.1", episode: "e1", tries: 1, waited_ms: 20 },
    at: 1,
  });
});
