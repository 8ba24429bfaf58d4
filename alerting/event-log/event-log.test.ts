import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InfluxDB } from "influx";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { lacks } from "../../test/services/needs.ts";
import type { ServiceEvent } from "../events.ts";
import { createEventLog, type EventLog } from "./event-log.ts";
import { type OwnInfluxd, startInfluxd } from "./influxd.ts";
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

const night = Date.now() - 3_600_000;
const dayMs = 86_400_000;

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

interface LogOptions {
  maxBytes?: number;
  maxDays?: number;
  clock?: Clock;
  username?: string;
  password?: string;
}

async function openLog(
  url: string | null,
  { maxBytes = 1_000_000, maxDays = 90, clock = systemClock(), ...influx }: LogOptions = {},
): Promise<EventLog> {
  const log = createEventLog({
    dataDir,
    spool: { maxBytes, maxDays },
    influx: url === null ? undefined : { url, database: "fallvakt", ...influx },
    clock,
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

function closing(server: Server) {
  return {
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A road to an InfluxDB on which what it takes is seen: the times of the points that it has acknowledged, in the order of their arrival. */
async function watchRoad(to: string) {
  const times: bigint[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    try {
      const { method = "GET", url = "" } = request;
      const init = method === "GET" ? { method } : { method, body };
      const answer = await fetch(to + url, {
        ...init,
        headers: { "content-type": request.headers["content-type"] ?? "" },
      });
      const text = await answer.text();
      if (url.startsWith("/write") && answer.status === 204) {
        for (const line of body.toString().split("\n")) times.push(BigInt(line.slice(line.lastIndexOf(" ") + 1)));
      }
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(text);
    } catch {
      request.socket.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  started.push(closing(server));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken: () => times };
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

describe("the spool by age", () => {
  const isOld = (line: string) => line.startsWith("old");

  test("what is too old goes, wherever it stands, and the rest stays in order, also after a restart", async () => {
    const spool = await openSpool(dataDir, 65_536);
    await spool.append(["old 1", "old 2", "young 1"]);
    await spool.advance(await spool.peek(1));
    const again = await openSpool(dataDir, 65_536);
    await again.append(["old 3", "young 2", "old 4"]);
    expect(await again.expire(isOld)).toEqual({ dropped: 3 });
    expect(again.waiting()).toBe(2);
    await again.append(["young 3"]);
    expect(onDisk()).not.toContain("old");
    const third = await openSpool(dataDir, 65_536);
    expect(third.waiting()).toBe(3);
    const lines: string[] = [];
    for (let batch = await third.peek(9); batch.lines.length > 0; batch = await third.peek(9)) {
      lines.push(...batch.lines);
      expect(await third.advance(batch)).toBe(true);
    }
    expect(lines).toEqual(["young 1", "young 2", "young 3"]);
  });

  test("a batch that was on its way meanwhile comes again, without what was dropped", async () => {
    const spool = await openSpool(dataDir, 65_536);
    await spool.append(["old 1", "young 1", "young 2"]);
    const batch = await spool.peek(2);
    await spool.expire(isOld);
    expect(await spool.advance(batch)).toBe(false);
    expect((await spool.peek(9)).lines).toEqual(["young 1", "young 2"]);
    expect(spool.waiting()).toBe(2);
  });

  test("all of it too old: nothing is left, and it goes on", async () => {
    const spool = await openSpool(dataDir, 65_536);
    for (let i = 0; i < 1_000; i++) await spool.append([`old ${"x".repeat(30)}`]);
    expect(await spool.expire(isOld)).toEqual({ dropped: 1_000 });
    expect([spool.waiting(), (await spool.peek(9)).lines, onDisk()]).toEqual([0, [], ""]);
    await spool.append(["young"]);
    expect((await spool.peek(9)).lines).toEqual(["young"]);
  });

  test("what was written, or cut off in the middle of a rewrite, does not lie there any longer", async () => {
    const spool = await openSpool(dataDir, 65_536);
    await spool.append(["alias 38"]);
    await spool.advance(await spool.peek(9));
    expect(onDisk()).toBe("");
    writeFileSync(join(dataDir, "0000000001.ndjson.new"), "alias 38");
    await openSpool(dataDir, 65_536);
    expect(onDisk()).toBe("");
  });

  const onDisk = () =>
    readdirSync(dataDir)
      .filter((name) => name.includes("ndjson"))
      .map((name) => readFileSync(join(dataDir, name), "utf8"))
      .join("");
});

describe("the event log", () => {
  test("events that wait for too long are dropped and counted, at the start and while it runs", async () => {
    const now = Date.now();
    const first = await openLog(null);
    for (let i = 0; i < 30; i++) first.record(taken(now - 91 * dayMs + i));
    for (let i = 0; i < 20; i++) first.record(taken(now - 89 * dayMs + i));
    await first.stop();
    let shift = 0;
    // An hour takes 0.1 s.
    const fast = systemClock(36_000);
    const clock: Clock = { ...fast, wallNow: () => Date.now() + shift };
    const log = await openLog(null, { clock });
    expect(log.counts()).toEqual({ written: 0, spooled: 20, dropped: 30 });
    log.record(taken(now));
    shift = 2 * dayMs;
    await until(() => log.counts().dropped === 50);
    expect(log.counts()).toEqual({ written: 0, spooled: 1, dropped: 50 });
  });

  test.skipIf(lacks("influxd"))(
    "InfluxDB stops and comes back: every event arrives once and in order, those that are too old do not (needs influxd)",
    async () => {
      const folder = join(dataDir, "influxd");
      const held = (await startInfluxd({ dataDir: folder })) as OwnInfluxd;
      const port = Number(new URL(held.url).port);
      const road = await watchRoad(held.url);
      const now = Date.now();
      const old = await openLog(null);
      for (let i = 0; i < 500; i++) old.record(taken(now - 100 * dayMs + i));
      for (let i = 0; i < 1_500; i++) old.record(taken(now - 10 * dayMs + i));
      await old.stop();

      const log = await openLog(road.url, { clock: systemClock(20) });
      await until(() => log.counts().written === 1_500);
      await held.stop();
      for (let i = 0; i < 2_500; i++) log.record(taken(now + i));
      await until(() => log.troubled() && log.counts().spooled === 2_500);
      const back = (await startInfluxd({ dataDir: folder, port })) as OwnInfluxd;
      started.push(back);
      await until(() => log.counts().written === 4_000);
      expect(log.counts()).toEqual({ written: 4_000, spooled: 0, dropped: 500 });

      const times = road.taken();
      expect(times).toHaveLength(4_000);
      expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
      const client = new InfluxDB({ host: "127.0.0.1", port, database: "fallvakt" });
      const [row] = await client.query<{ n: number }>("SELECT COUNT(since_impact_ms) AS n FROM acknowledgement");
      expect(row?.n).toBe(4_000);
    },
  );

  test.each([
    // InfluxDB 3 looks at the password alone; the client has a name of its own for it.
    ["a token alone, as for InfluxDB 3", { password: "a-token" }, "root:a-token"],
    ["a user's token, as for InfluxDB 2", { username: "eva", password: "a-token" }, "eva:a-token"],
  ])("a server is shown %s", async (_, credentials, shown) => {
    let asked: IncomingMessage | null = null;
    const server = createServer((request, response) => {
      asked = request;
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    started.push(closing(server));
    const log = await openLog(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, credentials);
    log.record(taken(night));
    await until(() => log.counts().written === 1);
    const { url = "", headers } = asked as unknown as IncomingMessage;
    expect(headers.authorization).toBe(`Basic ${Buffer.from(shown).toString("base64")}`);
    expect(url).toMatch(/^\/write\?db=fallvakt&precision=n/);
  });

  test("without InfluxDB events stay in the spool, for whoever comes later", async () => {
    const log = await openLog(null);
    for (let i = 0; i < 50; i++) log.record(taken(1_000 + i));
    await log.stop();
    expect(log.counts()).toEqual({ written: 0, spooled: 50, dropped: 0 });
    expect((await openSpool(join(dataDir, "spool"), 1_000_000)).waiting()).toBe(50);
  });

  test("InfluxDB gone: recording takes no time, and the spool keeps its bound", async () => {
    const log = await openLog("http://127.0.0.1:1", { maxBytes: 65_536 });
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
      for (let i = 0; i < 1_500; i++) first.record(taken(night + i, "before"));
      await first.stop();
      const held = (await startInfluxd({ dataDir: join(dataDir, "influxd") })) as OwnInfluxd;
      const port = Number(new URL(held.url).port);
      await held.stop();
      // Nobody there yet: what is recorded now waits behind what waited before.
      const log = await openLog(held.url, { clock: systemClock(20) });
      for (let i = 0; i < 10; i++) log.record(taken(night + 10_000 + i, "after"));
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
