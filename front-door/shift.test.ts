import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { createRegistry } from "../alerting/registry/registry.ts";
import { weekdays } from "../alerting/rota/rota-config.ts";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { typed } from "../test/services/typed.ts";
import { shiftCommand } from "./shift.ts";

const days = [...weekdays];
const alerting = {
  language: "sv",
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: [{ id: "patrol-2", name: "Patrull 2", phone: "+46701740602" }],
  policy: { steps: [{ responders: ["patrol-2"], waitSeconds: 120 }] },
  operators: ["patrol-2"],
  intake: { token: "t".repeat(27) },
  rotas: [
    {
      ...{ id: "syd", name: "Syd", unit: "Gustavsberg" },
      shifts: [
        { id: "day", days, from: "07:00", to: "21:30", responders: ["patrol-2"] },
        { id: "night", days, from: "21:30", to: "07:00", responders: ["patrol-2"] },
      ],
    },
  ],
};

let folder: string;
let config: string;
let now: number;
beforeEach(async () => {
  // The morning after the clock was put forward.
  now = Date.parse("2027-03-28T06:45+02:00");
  folder = mkdtempSync(join(tmpdir(), "fallvakt-shift-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify({ dataDir: join(folder, "data"), alerting }));
  const store = openSqliteStore(join(folder, "data", "alerting"));
  const registry = createRegistry(() => store, { ...systemClock(), wallNow: () => now - 3_600_000 });
  await registry.addDevice({ deviceId: "watch-38", placement: "wrist", key: "38", unit: "Gustavsberg" });
  await registry.addDevice({ deviceId: "watch-57", placement: "wrist", key: "57", unit: "Hemmesta" });
  await store.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  typed(shiftCommand({ ...systemClock(), wallNow: () => now }), "handover", ...args, "--config", config);
const json = async (...args: string[]) => JSON.parse(await run(...args, "--json"));

test("the night that runs, of one unit, as text in the service's language; every part is there", async () => {
  expect(await run("--unit", "Gustavsberg")).toBe(`Överlämning, Gustavsberg
Passet lör 27/3 21.30–sön 28/3 07.00
Utskriven sön 28/3 06.45. Läget är som då.

LARM UNDER PASSET: inga

ATT FÖLJA UPP: inga

TILL SJUKSKÖTERSKAN: inga

KLOCKOR ATT LADDA: inga

PAUSER: inga

UTAN FUNGERANDE FALLARM NU: inga

SENSORER SOM VÄNTAR PÅ PROVLARM (1)
- Nyckel 38, watch-38: inte i drift sedan 05.45: provlarm ska göras i bostaden.
`);
});

test("as JSON the same, of all units; a shift by its ends, a time alone being the last", async () => {
  const list = await json();
  expect(list).toMatchObject({ unit: null, alarms: [], awaitingTest: [{ key: "38" }, { key: "57" }] });
  // Eight and a half hours: the clock went from 02 to 03.
  expect((list.until - list.from) / 3_600_000).toBe(8.5);
  const asked = await json("--from", "21:30", "--until", "07:00");
  expect([asked.from, asked.until]).toEqual([list.from, list.until]);
  expect((await json("--from", "2027-03-27 07:00", "--until", "2027-03-27 21:30")).until).toBe(list.from);
});

test("what is misspelt or half said is refused with the mend", async () => {
  await expect(run("--unit", "Gustavberg")).rejects.toThrow(
    /no dwelling is of the unit Gustavberg; units are Gustavsberg, Hemmesta/,
  );
  await expect(run("--from", "21:30")).rejects.toThrow(/both --from and --until/);
  await expect(run("--from", "2027-03-28 07:00", "--until", "2027-03-28 06:00")).rejects.toThrow(
    /--until is not after/,
  );
});
