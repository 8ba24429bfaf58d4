import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { AlertingConfig } from "../config.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { openThreadedStore } from "../store/threaded.ts";
import { createRotas, type Rotas } from "./duty-rota.ts";
import { dayMs, minuteMs } from "./local-time.ts";
import { weekdays } from "./rota-config.ts";

const hourMs = 60 * minuteMs;
const at = (time: string, day = "27") => Date.parse(`2026-11-${day}T${time}+01:00`);
const every = [...weekdays];
const people = ["patrol-1", "patrol-2", "patrol-3", "patrol-4"];
const settings = {
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: people.map((id, i) => ({ id, name: `Patrull ${i + 1}`, phone: `+4670174060${i + 1}` })),
  policy: { steps: [{ responders: ["patrol-1"], waitSeconds: 120 }] },
  operators: ["patrol-1"],
  intake: { token: "t".repeat(27) },
  rotas: [
    {
      id: "north",
      name: "Norr",
      shifts: [
        { id: "day", days: every, from: "07:00", to: "21:30", responders: ["patrol-1"] },
        { id: "night", days: every, from: "21:30", to: "07:00", responders: ["patrol-2", "patrol-3"] },
      ],
    },
  ],
};
const config = AlertingConfig.parse(settings);

let now: number;
let timers: { at: number; run: () => void }[];
const clock = {
  ...systemClock(),
  wallNow: () => now,
  after(ms: number, run: () => void) {
    const timer = { at: now + ms, run };
    timers.push(timer);
    return () => {
      timers = timers.filter((one) => one !== timer);
    };
  },
};
/** Lets time pass, and what was to happen in it. */
async function pass(ms: number): Promise<void> {
  now += ms;
  const due = timers.filter((timer) => timer.at <= now);
  timers = timers.filter((timer) => timer.at > now);
  for (const { run } of due) run();
  // What a timer has begun is done before the store answers this.
  await store.probe();
  await new Promise((resolve) => setImmediate(resolve));
}

let dataDir: string;
let store: Store;
let rotas: Rotas;
beforeEach(async () => {
  now = at("22:00");
  timers = [];
  dataDir = mkdtempSync(join(tmpdir(), "rota-"));
  store = openSqliteStore(dataDir);
  rotas = createRotas({ config, store, clock });
  await rotas.load();
});
afterEach(async () => {
  rotas.stop();
  await store.close().catch(() => undefined);
  rmSync(dataDir, { recursive: true, force: true });
});

/** As after a restart: everything from the file. */
async function restart(using: AlertingConfig = config): Promise<void> {
  rotas.stop();
  await store.close();
  store = openSqliteStore(dataDir);
  rotas = createRotas({ config: using, store, clock });
  await rotas.load();
}

describe("changes", () => {
  test("a hand-over, an override, a swap: in force at once, and after a restart", async () => {
    await rotas.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
    await rotas.override(
      "north",
      { mode: "instead", from: at("09:00", "28"), until: at("10:00", "28"), responders: ["patrol-3"] },
      "eva",
    );
    await rotas.override(
      "north",
      { mode: "also", from: at("09:30", "28"), until: at("11:00", "28"), responders: ["patrol-2"] },
      "eva",
    );
    const [one, other] = [
      { shiftId: "day", startsAt: at("07:00", "29") },
      { shiftId: "night", startsAt: at("21:30", "29") },
    ];
    await rotas.swap("north", one, other, "eva");
    const told = () => [
      rotas.onCall("north", now - 1),
      rotas.onCall("north", now),
      rotas.onCall("north", at("09:10", "28")),
      rotas.onCall("north", at("09:40", "28")),
      rotas.onCall("north", at("10:30", "28")),
      rotas.onCall("north", at("12:00", "29")),
      rotas.onCall("north", at("22:00", "29")),
      rotas.onCall("north", at("12:00", "30")),
    ];
    const expected = [
      ["patrol-2", "patrol-3"],
      ["patrol-4", "patrol-3"],
      ["patrol-3"],
      ["patrol-3", "patrol-2"],
      ["patrol-1", "patrol-2"],
      ["patrol-2", "patrol-3"],
      ["patrol-1"],
      ["patrol-1"],
    ];
    expect(told()).toEqual(expected);
    await restart();
    expect(told()).toEqual(expected);
    expect(rotas.gaps(now, now + 7 * dayMs)).toEqual([]);
  });

  test("what another process has changed is followed within a minute, also after the store could not be read for a while", async () => {
    const warned: string[] = [];
    rotas.stop();
    const broken = { ...store, rota: { ...store.rota } };
    rotas = createRotas({ config, store: broken, clock, log: { warn: (_, what) => warned.push(what) } });
    await rotas.load();
    const other = createRotas({ config, store, clock });
    await other.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
    broken.rota.changes = async () => Promise.reject(new Error("the disk is gone"));
    await pass(minuteMs);
    expect(warned).toEqual([expect.stringMatching(/what was read last stands/)]);
    expect(rotas.onCall("north", now)).toEqual(["patrol-2", "patrol-3"]);
    broken.rota.changes = store.rota.changes;
    await pass(minuteMs);
    expect(rotas.onCall("north", now)).toEqual(["patrol-4", "patrol-3"]);
  });

  test("a withdrawal ends a change from then on, once", async () => {
    const change = await rotas.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
    await pass(hourMs);
    await rotas.withdraw(change, "maria");
    expect(rotas.onCall("north", now)).toEqual(["patrol-2", "patrol-3"]);
    expect(rotas.onCall("north", now - 1)).toEqual(["patrol-4", "patrol-3"]);
    await expect(rotas.withdraw(change, "maria")).rejects.toThrow(/withdrawn already/);
    expect(await store.rota.withdrawChange(change, { at: now, by: null, via: "cli" })).toBe(false);
    // The one that was refused is not in it.
    expect((await store.audit.entries("acts", 0, 10)).map(({ at: when, act }) => ({ when, ...act }))).toEqual([
      {
        ...{ when: now - hourMs, by: "eva", via: "service", act: "rota-changed", subject: null },
        detail: { rota: "north", change, kind: "hand-over" },
      },
      {
        ...{ when: now, by: "maria", via: "service", act: "rota-change-withdrawn", subject: null },
        detail: { change },
      },
    ]);
    expect(await store.audit.verify("acts")).toMatchObject({ entries: 2, brokenAt: null });
    expect((await rotas.history("north")).map(({ by, at: when, change: c }) => [by, when, c.kind])).toEqual([
      ["eva", now - hourMs, "hand-over"],
      ["maria", now, "withdrawal"],
    ]);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "a rota that is none",
      () => rotas.handOver("south", { from: "patrol-2", to: "patrol-4" }, "eva"),
      /no rota south; known are north/,
    ],
    [
      "somebody unknown takes over",
      () => rotas.handOver("north", { from: "patrol-2", to: "nobody" }, "eva"),
      /known are patrol-1/,
    ],
    [
      "somebody hands over who is not on call",
      () => rotas.handOver("north", { from: "patrol-1", to: "patrol-4" }, "eva"),
      /Patrull 1 is not on call.*on call is patrol-2, patrol-3/,
    ],
    [
      "a hand-over in the past",
      () => rotas.handOver("north", { from: "patrol-2", to: "patrol-4", at: now - hourMs }, "eva"),
      /in the past; leave the time out/,
    ],
    [
      "nobody is named",
      () => rotas.override("north", { mode: "instead", until: now + 1, responders: [] }, "eva"),
      /at least one/,
    ],
    [
      "an override that ends first",
      () => rotas.override("north", { mode: "also", until: now - 1, responders: ["patrol-1"] }, "eva"),
      /later/,
    ],
    [
      "an override of months",
      () => rotas.override("north", { mode: "also", until: now + 63 * dayMs, responders: ["patrol-1"] }, "eva"),
      /62 days at most; .*settings/,
    ],
    [
      "somebody twice",
      () => rotas.override("north", { mode: "also", until: now + 1, responders: ["patrol-1", "patrol-1"] }, "eva"),
      /once/,
    ],
    [
      "a shift that has begun is swapped",
      () =>
        rotas.swap(
          "north",
          { shiftId: "night", startsAt: at("21:30") },
          { shiftId: "day", startsAt: at("07:00", "28") },
          "eva",
        ),
      /has begun: hand its rest over/,
    ],
    [
      "a shift that is none is swapped",
      () =>
        rotas.swap(
          "north",
          { shiftId: "day", startsAt: at("07:01", "28") },
          { shiftId: "day", startsAt: at("07:00", "29") },
          "eva",
        ),
      /show --week/,
    ],
    [
      "a shift is swapped with itself",
      () =>
        rotas.swap(
          "north",
          { shiftId: "day", startsAt: at("07:00", "28") },
          { shiftId: "day", startsAt: at("07:00", "28") },
          "eva",
        ),
      /itself/,
    ],
    ["nobody does it", () => rotas.handOver("north", { from: "patrol-2", to: "patrol-4" }, " "), /^by: give the name/],
    ["a change that is none is withdrawn", () => rotas.withdraw(7, "eva"), /no change 7/],
    [
      "a crew of somebody who is not on call",
      () => rotas.crew("north", "patrol-1", "EA", "eva"),
      /is not on call now; on call is patrol-2, patrol-3/,
    ],
    ["a phone number as crew", () => rotas.crew("north", "patrol-2", "070-174 06 01", "eva"), /initials only/],
  ])("refused, and nothing is kept: %s", async (_, attempt, mend) => {
    await expect(attempt()).rejects.toThrow(mend);
    expect(await store.rota.history("north")).toEqual([]);
    expect(await store.rota.signOns(0)).toEqual([]);
    expect(rotas.onCall("north", now)).toEqual(["patrol-2", "patrol-3"]);
  });

  test("a shift that is handed over cannot be swapped away, and a swap that has begun not be withdrawn", async () => {
    const night = { shiftId: "night", startsAt: at("21:30", "28") };
    const next = { shiftId: "night", startsAt: at("21:30", "29") };
    const swapped = await rotas.swap("north", { shiftId: "day", startsAt: at("07:00", "28") }, next, "eva");
    await rotas.handOver("north", { from: "patrol-2", to: "patrol-4", at: at("23:00", "28") }, "eva");
    await expect(rotas.swap("north", night, next, "eva")).rejects.toThrow(
      /handed over by change 2; withdraw that first/,
    );
    now = at("07:00", "28");
    await expect(rotas.withdraw(swapped, "eva")).rejects.toThrow(/has begun: hand the rest over/);
  });

  test("somebody who was taken out of the settings is on call nowhere, and nobody is lost by it", async () => {
    await rotas.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
    await rotas.override(
      "north",
      { mode: "instead", from: at("09:00", "28"), until: at("10:00", "28"), responders: ["patrol-4"] },
      "eva",
    );
    const without = AlertingConfig.parse({
      ...settings,
      responders: settings.responders.filter(({ id }) => id !== "patrol-4"),
    });
    await restart(without);
    expect(rotas.onCall("north", now)).toEqual(["patrol-2", "patrol-3"]);
    expect(rotas.onCall("north", at("09:10", "28"))).toEqual(["patrol-1"]);
  });
});

describe("sign-ons", () => {
  test("asked once, over a restart too; who does not answer is paged last until it answers after all", async () => {
    const due = rotas.signOnsDue();
    expect(due).toMatchObject([
      { responderId: "patrol-2", startsAt: at("21:30"), rotaIds: ["north"] },
      { responderId: "patrol-3" },
    ]);
    await rotas.asked(due);
    await restart();
    expect(rotas.signOnsDue()).toEqual([]);
    await rotas.missed(due[0]!);
    expect(rotas.onCall("north", now)).toEqual(["patrol-3", "patrol-2"]);
    await rotas.signedOn(due[0]!, "sms");
    expect(rotas.onCall("north", now)).toEqual(["patrol-2", "patrol-3"]);
    expect(rotas.onDuty("north", now)[0]).toMatchObject({
      signOn: { askedAt: now, signedOnAt: now, via: "sms", missedAt: now },
    });
  });

  test("who took over is asked; the next night everybody again", async () => {
    await rotas.asked(rotas.signOnsDue());
    await rotas.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
    expect(rotas.signOnsDue().map(({ responderId }) => responderId)).toEqual(["patrol-4"]);
    now = at("21:30", "28");
    expect(rotas.signOnsDue().map(({ responderId }) => responderId)).toEqual(["patrol-2", "patrol-3"]);
  });

  test("at the end of the longest override its phone is still signed on", async () => {
    await rotas.override("north", { mode: "instead", until: now + 62 * dayMs, responders: ["patrol-4"] }, "eva");
    const due = rotas.signOnsDue();
    await rotas.signedOn(due[0]!, "console", "eva");
    now += 62 * dayMs - 1;
    await restart();
    expect([rotas.onCall("north", now), rotas.signOnsDue()]).toEqual([["patrol-4"], []]);
  });

  test("a crew is noted for the stint that runs, and is taken out of the store after 90 days, and nothing else is", async () => {
    await rotas.crew("north", "patrol-2", "EA, MK", "eva");
    expect(rotas.onDuty("north", now).map(({ signOn }) => signOn.crew)).toEqual(["EA, MK", null]);
    await pass(89 * dayMs);
    expect((await store.rota.signOns(0))[0]).toMatchObject({ crew: "EA, MK" });
    await pass(dayMs + hourMs);
    expect(await store.rota.signOns(0)).toMatchObject([
      { responderId: "patrol-2", kind: "crew", crew: null, by: "eva" },
    ]);
    rotas.stop();
    await store.close();
    expect(readFileSync(join(dataDir, "alerting.db")).includes("EA, MK")).toBe(false);
    store = openSqliteStore(dataDir);
  });
});

test("history and sign-ons cannot be changed through the database, but a crew can be taken out", async () => {
  await rotas.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
  await rotas.crew("north", "patrol-3", "EA", "eva");
  const file = new DatabaseSync(join(dataDir, "alerting.db"));
  for (const change of ["UPDATE rota_changes SET by = 'x'", "DELETE FROM rota_changes", "DELETE FROM rota_sign_ons"]) {
    expect(() => file.exec(change)).toThrow(/append-only/);
  }
  for (const change of ["crew = 'MK'", "crew = NULL, by = 'x'", "at = 1", "kind = 'signed-on'"]) {
    expect(() => file.exec(`UPDATE rota_sign_ons SET ${change}`)).toThrow(/append-only/);
  }
  file.exec("UPDATE rota_sign_ons SET crew = NULL");
  file.close();
});

test("the store behind a thread does the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rota-thread-"));
  const threaded = await openThreadedStore(folder);
  const behind = createRotas({ config, store: threaded, clock });
  try {
    await behind.load();
    await behind.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
    expect(behind.onCall("north", now)).toEqual(["patrol-4", "patrol-3"]);
    await expect(behind.withdraw(9, "eva")).rejects.toThrow(/no change 9/);
  } finally {
    behind.stop();
    await threaded.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a rota that is not there (any more) has nobody on call, and paging goes on without it", () => {
  expect([rotas.onCall("south", now), rotas.onDuty("south", now), rotas.shiftsAt("south", now)]).toEqual([[], [], []]);
  expect(() => rotas.plan("south")).toThrow(/no rota south/);
});

test("it answers at once, sign-ons and all", async () => {
  await rotas.asked(rotas.signOnsDue());
  await rotas.handOver("north", { from: "patrol-2", to: "patrol-4" }, "eva");
  const took = Array.from({ length: 10_000 }, (_, i) => {
    const began = performance.now();
    rotas.onCall("north", now + i * minuteMs);
    return performance.now() - began;
  });
  expect(took.sort((a, b) => a - b)[5_000]).toBeLessThan(0.05);
});

describe("a preview", () => {
  const known = async () => JSON.stringify([rotas.changes("north"), await rotas.history("north")]);

  test("shows who would be on call instead, and changes nothing", async () => {
    const before = await known();
    const request = { kind: "hand-over", from: "patrol-2", to: "patrol-4", at: at("23:00"), until: at("02:00", "28") };
    const preview = await rotas.preview("north", { ...request, kind: "hand-over" });
    expect(preview).toEqual({
      span: { from: at("23:00"), until: at("02:00", "28") },
      before: [{ from: at("23:00"), until: at("02:00", "28"), responders: ["patrol-2", "patrol-3"] }],
      after: [{ from: at("23:00"), until: at("02:00", "28"), responders: ["patrol-4", "patrol-3"] }],
      gapsMade: [],
    });
    expect(await known()).toBe(before);
    await rotas.change("north", { ...request, kind: "hand-over" }, "eva", "console");
    expect(rotas.plan("north").onCallAt(at("01:59", "28"))).toEqual(["patrol-4", "patrol-3"]);
    expect(rotas.plan("north").onCallAt(at("02:00", "28"))).toEqual(["patrol-2", "patrol-3"]);
    const acts = (await store.audit.entries("acts", 0, 10)).map(({ act }) => [act?.act, act?.by, act?.via]);
    expect(acts).toEqual([["rota-changed", "eva", "console"]]);
  });

  test("of a withdrawal tells the gap that it leaves", async () => {
    const patchy = AlertingConfig.parse({
      ...settings,
      rotas: [{ ...settings.rotas[0], shifts: settings.rotas[0]?.shifts.slice(1) }],
    });
    rotas.stop();
    rotas = createRotas({ config: patchy, store, clock });
    await rotas.load();
    const from = at("06:00", "28");
    const until = at("12:00", "28");
    const id = await rotas.override("north", { mode: "instead", from, until, responders: ["patrol-1"] }, "eva");
    expect((await rotas.preview("north", { kind: "withdrawal", withdraws: id })).gapsMade).toEqual([
      { from: at("07:00", "28"), until },
    ]);
  });

  test("is refused as the change would be", async () => {
    const request = { kind: "hand-over", from: "patrol-2", to: "patrol-4" } as const;
    await expect(rotas.preview("north", { ...request, until: at("08:00", "28") })).rejects.toThrow(/after the shift/);
    await expect(rotas.preview("north", { ...request, until: at("21:00") })).rejects.toThrow(/ends before it begins/);
    await expect(rotas.preview("south", request)).rejects.toThrow(/no rota south/);
  });
});
