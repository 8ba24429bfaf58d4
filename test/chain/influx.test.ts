import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InfluxDB } from "influx";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnInfluxd, startInfluxd } from "../../alerting/event-log/influxd.ts";
import { codeIn, Town } from "../promises/town.ts";
import { lacks } from "../services/needs.ts";

const skipped = lacks("influxd");
const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-influx-"));
let influxd: OwnInfluxd | null = null;
let town: Town;

beforeAll(async () => {
  if (skipped) return;
  influxd = await startInfluxd({ dataDir });
  if (!influxd) throw new Error("influxd did not start");
  town = await Town.open({ waitSeconds: 3600, influx: { url: influxd.url, database: "fallvakt" } });
});
afterAll(async () => {
  await town?.close();
  await influxd?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test.skipIf(skipped)(
  "a fall's events are in InfluxDB by query, with no name and no number in them (needs influxd)",
  async () => {
    const watch = await town.device("belt-1", "38");
    await town.fall(watch);
    const code = codeIn(await town.text("patrol-1", /^LARM FALL/));
    for (const letter of ["T", "F", "U"]) {
      await town.phone("patrol-1").reply(`${code} ${letter}`);
      await town.pass(2_000);
    }
    await town.until("the episode closed", () => town.alerting.episodes()[0]?.status === "closed");
    await town.until("all events written", () => town.alerting.eventsLogged().spooled === 0);

    const url = new URL(influxd?.url ?? "");
    const influx = new InfluxDB({ host: url.hostname, port: Number(url.port), database: "fallvakt" });
    const names = await influx.getMeasurements();
    const rows = (await Promise.all(names.map((name) => influx.query(`select * from "${name}"`)))).flat();
    expect(rows.length).toBe(town.alerting.eventsLogged().written);
    const text = JSON.stringify(rows);
    for (const word of ["detection", "page", "receipt", "reply", "taken", "arrived", "closed", "unhurt"]) {
      expect(`${names.join(" ")} ${text}`).toContain(word);
    }
    expect(text).toContain('"38"');
    expect(text).not.toMatch(/\+46|Patrull|LARM|Gustavsberg/);
  },
);
