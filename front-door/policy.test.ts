import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { everyRow } from "../test/console/rota-desk.ts";
import { typed } from "../test/services/typed.ts";
import { policyCommand } from "./policy.ts";
import { rotaCommand } from "./rota.ts";

const everyDay = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const alerting = {
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: ["patrol-2", "patrol-3", "leader"].map((id, i) => ({
    id,
    name: `Tel ${id}`,
    phone: `+4670174060${i + 1}`,
  })),
  policy: {
    steps: [
      { rotas: ["north"], waitSeconds: 120 },
      { responders: ["patrol-3"], waitSeconds: 60 },
    ],
  },
  operators: ["leader"],
  intake: { token: "t".repeat(27) },
  rotas: [
    {
      id: "north",
      name: "Norr",
      shifts: [{ id: "night", days: everyDay, from: "21:30", to: "07:00", responders: ["patrol-2"] }],
    },
  ],
};

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-policy-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify({ dataDir: "data", alerting }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = { ...systemClock(), wallNow: () => Date.parse("2026-11-27T22:00+01:00") };
const run = (...args: string[]) => typed(policyCommand(clock), ...args, "--config", config);
const inAlerting = join("data", "alerting");

test("a dry run says who would be paged when and why, and keeps nothing", async () => {
  await run("show");
  const before = everyRow(join(folder, inAlerting, "alerting.db"));
  const said = await run("dry-run", "--at", "2026-11-29 03:10");
  expect(
    said.replaceAll(/[0-9a-f]{12}/g, "FINGERPRINT"),
  ).toBe(`fall at Sun 29/11 03:10, no unit: policy common (FINGERPRINT)
after  at     why        step  what
0:00   03:10  raised     1.1   alarm: Tel patrol-2 (rota north)
2:00   03:12  no answer  1.2   alarm: Tel patrol-3 (by name)
3:00   03:13  no answer  2.1   not-taken: Tel leader (operator)
                               alarm: Tel patrol-2 (rota north)
From there it begins again, until somebody takes it.
`);
  expect(everyRow(join(folder, inAlerting, "alerting.db"))).toBe(before);
});

test("as JSON; with a gap, a lost phone, and the changes of the rota in it", async () => {
  const store = openSqliteStore(join(folder, inAlerting));
  await store.contacts.put({ responderId: "patrol-3", lost: "21610", phone: "x" }, clock.wallNow());
  await store.close();
  const day = JSON.parse(await run("dry-run", "--at", "2026-11-29 12:00", "--kind", "help", "--json"));
  expect(day.moments[0]).toMatchObject({
    gaps: [{ step: 0, rotaId: "north" }],
    passedOver: [{ responderId: "patrol-3", why: "no-texts" }],
    pages: [{ responderId: "leader", name: "Tel leader" }],
  });
  const change = ["--responder", "leader", "--from", "2026-11-29 03:00", "--until", "2026-11-29 04:00", "--by", "eva"];
  await typed(rotaCommand(clock), "override", "north", ...change, "--config", config);
  const night = JSON.parse(await run("dry-run", "--at", "2026-11-29 03:10", "--json"));
  expect(night.moments[0].pages).toMatchObject([{ responderId: "leader", ways: [{ by: "rota", rotaId: "north" }] }]);
});

test("what cannot be asked is refused with its mend", async () => {
  await expect(run("dry-run", "--at", "soon")).rejects.toThrow(/write it as 21:30/);
  await expect(run("dry-run", "--at", "03:10", "--busy", "nobody")).rejects.toThrow(/no responder has the id nobody/);
});

test("each policy with its steps, its rotas as they are now, and its fingerprint", async () => {
  const said = await run("show");
  expect(said).toMatch(
    /\(common\) +all +fall, help, welfare +[0-9a-f]{12} +rota north \(now Tel patrol-2\), 120 s → patrol-3, 60 s/,
  );
  expect(JSON.parse(await run("show", "--json"))).toMatchObject([
    { id: null },
    { id: "technical", steps: [{ responders: ["leader"] }] },
  ]);
});
