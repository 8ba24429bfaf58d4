import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InfluxDB } from "influx";
import { afterAll, expect, test } from "vitest";
import { createInfluxWriter } from "../../alerting/event-log/influx-writer.ts";
import { startInfluxd } from "../../alerting/event-log/influxd.ts";
import { pointOf } from "../../alerting/event-log/points.ts";
import { sampleEvents } from "../../alerting/event-log/sample-events.ts";
import { dashboardFile } from "../../front-door/dashboard.ts";
import { Town } from "../promises/town.ts";
import { lacks } from "../services/needs.ts";

const file = readFileSync(new URL("../../docs/grafana/fallvakt.json", import.meta.url), "utf8");

interface Target {
  expr?: string;
  query?: string;
  datasource: { type: string; uid: string };
}
interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
}
const board = JSON.parse(file) as {
  panels: Panel[];
  templating: { list: { name: string; type: string; query: string }[] };
};
const targets = board.panels.flatMap((panel) =>
  (panel.targets ?? []).map((target) => ({ title: panel.title, ...target })),
);

const folder = mkdtempSync(join(tmpdir(), "fallvakt-dashboard-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Metrics of ours that expressions name and a page does not have. */
function missing(expressions: readonly string[], page: string): string[] {
  const exported = new Set(page.split("\n").flatMap((line) => /^(fallvakt_\w+)(\{| )/.exec(line)?.[1] ?? []));
  const named = expressions.flatMap((expression) => expression.match(/fallvakt_\w+/g) ?? []);
  return [...new Set(named)].filter((name) => !exported.has(name));
}

test("docs/grafana/fallvakt.json is what front-door/dashboard.ts makes, and whole", () => {
  expect(file).toBe(dashboardFile());
  expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
  for (const { gridPos, title } of board.panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
  // Only its two variables are sources, so that it works wherever it is imported.
  expect(board.templating.list).toMatchObject([
    { name: "prometheus", type: "datasource", query: "prometheus" },
    { name: "influxdb", type: "datasource", query: "influxdb" },
  ]);
  for (const { datasource, title, expr, query } of targets) {
    expect(datasource.uid, title).toBe(`\${${datasource.type}}`);
    expect(datasource.type, title).toBe(expr === undefined ? "influxdb" : "prometheus");
    expect(expr === undefined, title).toBe(query !== undefined);
  }
});

test("every metric that it shows is on the page of a running service", async () => {
  const town = await Town.open({ tls: true, broker: "embedded" });
  try {
    const page = await (await fetch(`${town.service.healthUrl}/metrics`)).text();
    const expressions = targets.flatMap(({ expr }) => expr ?? []);
    expect(expressions.length).toBeGreaterThan(30);
    expect(missing(expressions, page)).toEqual([]);
    expect(missing([...expressions, "sum(fallvakt_gateway_no_such_thing)"], page)).toEqual([
      "fallvakt_gateway_no_such_thing",
    ]);
  } finally {
    await town.close();
  }
});

test.skipIf(lacks("influxd"))("every query of it finds what alerting writes to InfluxDB (needs influxd)", async () => {
  const influxd = await startInfluxd({ dataDir: folder });
  if (!influxd) throw new Error("influxd did not start");
  try {
    const config = { url: influxd.url, database: "fallvakt" };
    const points = sampleEvents.map((event, n) => ({ ...pointOf(event), n }));
    expect(await createInfluxWriter(config).write(points)).toEqual({ refused: 0 });
    const { hostname, port } = new URL(influxd.url);
    const influx = new InfluxDB({ host: hostname, port: Number(port), database: "fallvakt" });
    const found = async (query: string) => {
      const plain = query
        .replaceAll("$timeFilter", "time > now() - 3650d AND time < now() + 3650d")
        .replaceAll("$__interval", "1d");
      const rows = (await influx.query(plain)) as Record<string, unknown>[];
      const [, value = ""] = /^SELECT (\w+)\(/.exec(query) ?? [];
      return rows.filter((row) => row[value] !== null && row[value] !== undefined).length;
    };
    const queries = targets.flatMap(({ title, query }) => (query === undefined ? [] : { title, query }));
    expect(queries.length).toBeGreaterThan(15);
    const empty: string[] = [];
    for (const { title, query } of queries) if ((await found(query)) === 0) empty.push(`${title}: ${query}`);
    expect(empty).toEqual([]);
    const [one] = queries;
    expect(await found(one!.query.replace('"delay_ms"', '"no_such_field"'))).toBe(0);
    // What it groups by is there too: a tag that is not would make one series without a name.
    const tags = new Set(
      points.flatMap(({ measurement, tags: own }) => Object.keys(own).map((tag) => `${measurement} ${tag}`)),
    );
    for (const { query, title } of queries) {
      const measurement = /FROM "(\w+)"/.exec(query)?.[1];
      for (const [, tag] of (query.split("GROUP BY")[1] ?? "").matchAll(/"(\w+)"/g))
        expect(tags, title).toContain(`${measurement} ${tag}`);
    }
  } finally {
    await influxd.stop();
  }
});
