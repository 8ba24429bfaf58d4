import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InfluxDB } from "influx";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { lacks } from "../../test/services/needs.ts";
import type { ServiceEvent } from "../events.ts";
import { createEventLog } from "./event-log.ts";
import { type OwnInfluxd, startInfluxd } from "./influxd.ts";
import { pointOf } from "./points.ts";
import { sampleEvents } from "./sample-events.ts";

vi.setConfig({ testTimeout: 60_000 });

const file = readFileSync(new URL("retention.influxql", import.meta.url), "utf8");
const skipped = lacks("influxd");

let dataDir: string;
let influxd: OwnInfluxd;
let client: InfluxDB;

beforeEach(async () => {
  if (skipped) return;
  dataDir = mkdtempSync(join(tmpdir(), "fallvakt-retention-"));
  influxd = (await startInfluxd({ dataDir, continuousQueries: true })) as OwnInfluxd;
  const { hostname, port } = new URL(influxd.url);
  client = new InfluxDB({ host: hostname, port: Number(port), database: "fallvakt" });
});
afterEach(async () => {
  if (skipped) return;
  await influxd.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** As the comment in the file says, only with fetch for curl. */
async function apply(text: string): Promise<{ results: { error?: string }[] }> {
  const response = await fetch(`${influxd.url}/query`, { method: "POST", body: new URLSearchParams({ q: text }) });
  expect(response.status).toBe(200);
  return (await response.json()) as { results: { error?: string }[] };
}

async function record(events: readonly ServiceEvent[]): Promise<void> {
  const spool = { maxBytes: 1_000_000, maxDays: 90 };
  const log = createEventLog({
    dataDir: join(dataDir, "log"),
    spool,
    influx: { url: influxd.url, database: "fallvakt" },
    clock: systemClock(),
    log: pino({ level: "silent" }),
  });
  await log.start();
  for (const event of events) log.record(event);
  const end = performance.now() + 10_000;
  while (log.counts().written < events.length && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await log.stop();
  expect(log.counts()).toEqual({ written: events.length, spooled: 0, dropped: 0 });
}

const allAt = (at: number) => sampleEvents.map((event) => ({ ...event, at }));

describe.skipIf(skipped)("retention.influxql on InfluxDB 1.x (needs influxd)", () => {
  test("it is applied as it stands: 90 days raw, 5 years of rollups, one for each measurement", async () => {
    await record(allAt(Date.now()));
    const { results } = await apply(file);
    expect(results.filter(({ error }) => error)).toEqual([]);
    const policies = await client.showRetentionPolicies();
    expect(Object.fromEntries(policies.map(({ name, duration }) => [name, duration]))).toEqual({
      autogen: "2160h0m0s",
      rollup: `${1827 * 24}h0m0s`,
    });
    expect(policies.find(({ name }) => name === "autogen")?.default).toBe(true);
    const queries = await client.showContinousQueries();
    const measurements = new Set(sampleEvents.map((event) => pointOf(event).measurement));
    // A reply says nothing that the others do not.
    measurements.delete("reply");
    expect(new Set(queries.map(({ name }) => name.replace(/_1[hd]$/, "")))).toEqual(measurements);
    // Again does no harm: it is the same.
    expect((await apply(file)).results.filter(({ error }) => error)).toEqual([]);
  });

  test("the server makes the rollups by itself, and no alias, device, responder or episode is in them", async () => {
    // The same file with hours and days of 2 s.
    const soon = file
      .replaceAll(/time\(1[hd]\)/g, "time(2s)")
      .replaceAll(/RESAMPLE EVERY \d[hd] FOR \d[hd]/g, "RESAMPLE EVERY 2s FOR 10s");
    expect(soon).not.toBe(file);
    const at = Date.now();
    await record([...allAt(at), ...allAt(at)]);
    expect((await apply(soon)).results.filter(({ error }) => error)).toEqual([]);
    // What comes later, as a backlog does, is in the next round.
    await record(allAt(at));
    const names = [...soon.matchAll(/"rollup"\."(\w+)"/g)].map(([, name]) => name ?? "");
    expect(names.length).toBe(13);
    const rollups = async () =>
      Object.fromEntries(
        await Promise.all(
          names.map(async (name) => [name, await client.query(`SELECT * FROM "rollup"."${name}"`)] as const),
        ),
      );
    const end = performance.now() + 20_000;
    let rows = await rollups();
    const sum = (name: string, field: string) =>
      (rows[name] ?? []).reduce((all, row) => all + Number((row as Record<string, unknown>)[field]), 0);
    const complete = () =>
      names.every((name) => (rows[name] ?? []).length > 0) && sum("detection_1h", "detections") === 3;
    while (!complete() && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      rows = await rollups();
    }
    expect(complete(), JSON.stringify(rows)).toBe(true);
    const ofEpisodes = sampleEvents.filter((event) => pointOf(event).measurement === "episode").length;
    expect(sum("episode_1h", "count")).toBe(3 * ofEpisodes);
    expect(sum("outcome_1d", "episodes")).toBe(3);
    expect(rows.arrival_1d?.[0]).toMatchObject({
      test: "false",
      since_impact_ms_p50: 30_000,
      since_impact_ms_p90: 30_000,
    });
    expect(rows.attempt_1h?.[0]).toMatchObject({ purpose: "alarm", result: "permanent", reason: "21614" });
    const text = JSON.stringify(rows);
    for (const personal of ["38", "watch-38", "patrol-1", "patrol-2", "e1", "274"])
      expect(text).not.toContain(`"${personal}"`);
    const tags = await Promise.all(names.map((name) => client.query(`SHOW TAG KEYS FROM "rollup"."${name}"`)));
    expect(JSON.stringify(tags)).not.toMatch(/alias|responder|dwelling|"device"|"by"/);
  });
});
