import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change } from "../../detector/presence/logs.ts";
import { change, dayMs, firstDay, madeUpLog } from "../../detector/presence/made-up-home.ts";
import type { ControlDevice } from "../../firmware-contracts/intake.ts";
import type { DwellingWelfare } from "./dwelling-welfare.ts";
import { dwellingsOf } from "./dwellings.ts";
import { openHouse, type Said, type Site, saidIn, stillFrom } from "./test-house.ts";

const minute = 60_000;
const hour = 60 * minute;
const days = 9;
const end = firstDay + days * dayMs;
/** The day after those in which it learns, at this hour. */
const next = (hours: number) => end + hours * hour;
const usual = madeUpLog(days + 4).changes;
const sensors = ["door", "hall", "kitchen", "bathroom", "chair", "bed"];

function device(deviceId: string, dwelling: string, more: Partial<ControlDevice> = {}): ControlDevice {
  const leadsOut = deviceId.endsWith("-door") ? { leadsOut: true } : {};
  return {
    ...{ deviceId, secretHash: "", placement: "waist", revoked: false, dwelling, livesAlone: true },
    ...leadsOut,
    ...more,
  };
}
const devices = (more: Partial<ControlDevice> = {}) => [
  device("watch-1", "d1", more),
  ...sensors.map((sensor) => device(`d1-${sensor}`, "d1", more)),
];

let folder: string;
let site: Site;
/** What has been said so far is said until here. */
let at: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-presence-"));
  site = openHouse(folder, firstDay, devices());
  at = firstDay;
  await site.boot();
});
afterEach(async () => {
  await site.stop().catch(() => {});
  rmSync(folder, { recursive: true, force: true });
});

/** Lives on up to `until`. */
async function live(changes: readonly Change[], until: number, heard: (said: Said) => boolean = () => true) {
  const said = saidIn("d1", changes, at, until).filter(heard);
  at = until;
  await site.live(said, until);
}
const told = () => site.told.map(({ event }) => event);
const keptRows = () => {
  const file = new DatabaseSync(join(folder, "gateway.sqlite"), { readOnly: true });
  try {
    return file
      .prepare("SELECT dwelling FROM welfare")
      .all()
      .map((row) => row.dwelling);
  } finally {
    file.close();
  }
};

describe("the welfare alarm", () => {
  test("days as usual tell nothing; stillness is told once with its figures, and movement ends it", async () => {
    const still = stillFrom(usual, next(10.5));
    await live(still, next(10.5));
    await site.settled();
    expect(site.told).toEqual([]);
    await live(still, next(12));
    while (at < next(18) && site.count("welfare.inactive") === 0) {
      await site.settled();
      await live(still, at + minute);
    }
    // At once, and not with what is written now and then.
    await site.settled();
    expect(told()).toEqual(["inactive"]);
    await live(still, next(18));
    await site.settled();
    const [inactive, ...others] = site.told;
    expect(others).toEqual([]);
    expect(inactive).toMatchObject({ v: 1, dwelling: "d1", event: "inactive", room: "kitchen" });
    expect(inactive?.since).toBeGreaterThan(next(9.5));
    expect(inactive?.since).toBeLessThanOrEqual(next(10.5));
    const limitMs = (inactive?.limitMinutes ?? 0) * minute;
    expect(limitMs).toBeGreaterThanOrEqual(2 * hour);
    // As soon as the limit is past: the timer is not a look now and then.
    expect((inactive?.at ?? 0) - (inactive?.since ?? 0) - limitMs).toBeLessThan(minute);
    expect(inactive?.id).toBe(`d1.${inactive?.since}.inactive`);

    await live([...still, change("bathroom", "on", next(18) + minute)], next(18.5));
    await site.settled();
    expect(told()).toEqual(["inactive", "active"]);
    expect(site.told[1]).toMatchObject({ id: `d1.${inactive?.since}.active`, at: next(18) + minute, dwelling: "d1" });
    expect(site.count("welfare.inactive")).toBe(1);
  });

  test("a restart in the midst of it changes nothing: it is told at the same time, and once", async () => {
    const still = stillFrom(usual, next(10.5));
    await live(still, next(11.5));
    await site.stop();
    await site.pass(2 * minute);
    await site.boot();
    await live(still, next(18));
    await site.settled();
    const [inactive] = site.told;
    expect(inactive).toMatchObject({ event: "inactive", id: expect.stringMatching(/^d1\.\d+\.inactive$/) });
    const limitMs = (inactive?.limitMinutes ?? 0) * minute;
    expect((inactive?.at ?? 0) - (inactive?.since ?? 0) - limitMs).toBeLessThan(minute);
    expect(inactive?.since).toBeLessThanOrEqual(next(10.5));
    // Killed after it was told, and again stopped in good order: it stays told.
    await site.kill();
    await site.boot();
    await live(still, next(20));
    await site.stop();
    await site.boot();
    await live([...still, change("bathroom", "on", next(21))], next(21.5));
    await site.settled();
    expect(told()).toEqual(["inactive", "active"]);
  });

  test("a gateway that was away for half an hour does not take for stillness what it did not hear", async () => {
    const still = stillFrom(usual, next(10.5));
    await live(still, next(11));
    await site.stop();
    await site.pass(30 * minute);
    at = next(11.5);
    await site.boot();
    // By itself it would have been told before 16.
    await live(still, next(16));
    await site.settled();
    expect(site.told).toEqual([]);
  });

  test("with a clock of 1970 after a restart it goes on where it was, and tells the time of the clock", async () => {
    const still = stillFrom(usual, next(10.5));
    await live(still, next(11.5));
    await site.stop();
    site.setWall(5000);
    await site.boot();
    const later = saidIn("d1", still, next(11.5), next(18)).map((one) => ({ ...one, at: one.at - next(11.5) + 5000 }));
    await site.live(later, 6.5 * hour);
    await site.settled();
    expect(told()).toEqual(["inactive"]);
    expect(site.told[0]?.at).toBeLessThan(6.5 * hour);
  });
});

describe("too little heard", () => {
  test("is told once for an outage, with which sensors, and when all is heard again", async () => {
    await live(usual, end);
    await live(usual, next(6), ({ deviceId }) => deviceId !== "d1-kitchen");
    await site.settled();
    expect(told()).toEqual(["unheard"]);
    expect(site.told[0]).toMatchObject({ dwelling: "d1", sensors: ["d1-kitchen"] });
    await site.stop();
    await site.boot();
    await live(usual, next(9), ({ deviceId }) => deviceId !== "d1-kitchen");
    await live(usual, next(12));
    await site.settled();
    expect(told()).toEqual(["unheard", "heard"]);
    expect(site.told[1]?.id.replace("heard", "unheard")).toBe(site.told[0]?.id);
  });

  test("a sensor that is taken out of the register is missed by nobody", async () => {
    await live(usual, end);
    await site.follow(devices().filter(({ deviceId }) => deviceId !== "d1-kitchen"));
    await live(usual, next(6), ({ deviceId }) => deviceId !== "d1-kitchen");
    await site.settled();
    expect(site.told).toEqual([]);
  });

  test("nobody is missed in the first 75 min after a pause or an outage of the gateway's own", async () => {
    await live(usual, end);
    await site.stop();
    await site.pass(5 * hour);
    at = next(5);
    await site.boot();
    await live(usual, next(12));
    await site.settled();
    expect(site.told).toEqual([]);
  });
});

describe("consent and pauses", () => {
  test("withdrawn, or the dwelling gone from the register: nothing is told any more, and what was kept is deleted", async () => {
    const still = stillFrom(usual, next(10.5));
    await live(still, next(11.5));
    await site.pass(6 * minute);
    await site.settled();
    expect(keptRows()).toEqual(["d1"]);
    expect(site.is().presence.fusionOf("watch-1")).not.toBeNull();
    await site.follow(devices({ consent: "withdrawn" }));
    expect(site.is().presence.fusionOf("watch-1")).toBeNull();
    await site.settled();
    expect(keptRows()).toEqual([]);
    at = site.clock.wallNow();
    await live(still, next(20));
    expect(site.told).toEqual([]);

    await site.follow(devices());
    await live(usual, next(24));
    await site.pass(6 * minute);
    await site.settled();
    expect(keptRows()).toEqual(["d1"]);
    await site.follow([device("watch-1", "d2")]);
    await site.settled();
    expect(keptRows()).toEqual([]);
  });

  test("withdrawn while the gateway was off: what was kept is deleted at its start", async () => {
    await live(usual, end);
    await site.stop();
    expect(keptRows()).toEqual(["d1"]);
    await site.boot();
    await site.follow(devices({ consent: "withdrawn" }));
    await site.stop();
    expect(keptRows()).toEqual([]);
  });

  test("in a pause nothing is told and nothing counts; after it the present pause begins anew", async () => {
    const still = stillFrom(usual, next(10.5));
    await live(still, next(11.5));
    const pause = { from: next(11.5), until: next(14.5), reason: "visit" as const };
    await site.follow(devices({ pause }));
    expect(site.is().presence.fusionOf("watch-1")).toBeNull();
    at = site.clock.wallNow();
    await live(still, next(14.4));
    expect(site.is().presence.fusionOf("watch-1")).toBeNull();
    // It would have been told by 16: now stillness counts from the pause's end, and somebody must move before anybody is at home.
    await live(still, next(17));
    await site.settled();
    expect(site.told).toEqual([]);
    const again = stillFrom(
      [...still, change("kitchen", "on", next(17.1)), change("hall", "on", next(17.2))],
      next(17.3),
    );
    await live(again, next(24));
    await site.settled();
    expect(told()).toEqual(["inactive"]);
    expect(site.told[0]?.since).toBe(next(17.2));
  });
});

describe("evidence", () => {
  const rosterOf = (deviceId: string) =>
    site
      .is()
      .presence.fusionOf(deviceId)
      ?.roster.sensors.map((sensor) => sensor.deviceId)
      .sort();

  test("a dwelling's sensors count beside its own wearables, and for nobody else's", async () => {
    await site.follow([...devices(), device("watch-2", "d2"), device("d2-hall", "d2"), device("watch-3", "d3")]);
    const other = saidIn(
      "d2",
      usual.filter(({ deviceId }) => deviceId === "hall"),
      firstDay,
      firstDay + dayMs,
    );
    const both = [...saidIn("d1", usual, firstDay, firstDay + dayMs), ...other].sort((a, b) => a.at - b.at);
    await site.live(both, firstDay + dayMs);
    expect(rosterOf("watch-1")).toEqual(sensors.map((sensor) => `d1-${sensor}`).sort());
    expect(rosterOf("watch-2")).toEqual(["d2-hall"]);
    expect(rosterOf("watch-3")).toBeUndefined();
    expect(rosterOf("watch-9")).toBeUndefined();
  });

  test("is none before a sensor has spoken, and after a restart", async () => {
    expect(site.is().presence.fusionOf("watch-1")).toBeNull();
    await live(usual, firstDay + dayMs);
    expect(site.is().presence.fusionOf("watch-1")).not.toBeNull();
    await site.stop();
    await site.boot();
    expect(site.is().presence.fusionOf("watch-1")).toBeNull();
  });

  test("a report's age is counted back, and who lives there is followed", async () => {
    const now = site.clock.wallNow();
    const report = {
      v: 1 as const,
      boot: 1,
      seq: 1,
      t: 0,
      sensor: "motion" as const,
      state: "on" as const,
      room: "hall",
    };
    await site.pass(hour);
    site.is().presence.take("d1-hall", { ...report, age: hour - minute });
    const fusion = () => site.is().presence.fusionOf("watch-1");
    expect(fusion()?.roster.sensors[0]).toMatchObject({ heardAt: now + minute, room: "hall" });
    expect(fusion()?.settings.livesAlone).toBe(true);
    await site.follow([...devices(), device("button-1", "d1", { livesAlone: false })]);
    expect(fusion()?.settings.livesAlone).toBe(false);
  });

  test("of a sensor that is moved to another dwelling nothing counts any more", async () => {
    await live(usual, firstDay + dayMs);
    await site.follow(devices().map((one) => (one.deviceId === "d1-hall" ? { ...one, dwelling: "d2" } : one)));
    expect(rosterOf("watch-1")).toBeUndefined();
  });
});

test("a state that cannot be read, or that makes the machine fail, is counted and begins anew, and no other dwelling feels it", async () => {
  await site.follow([...devices(), device("d2-hall", "d2"), device("d3-hall", "d3")]);
  await live(usual, firstDay + dayMs);
  await site.stop();
  const file = new DatabaseSync(join(folder, "gateway.sqlite"));
  const put = file.prepare("INSERT OR REPLACE INTO welfare (dwelling, body) VALUES (?, ?)");
  put.run("d2", "{");
  const { body } = file.prepare("SELECT body FROM welfare WHERE dwelling = 'd1'").get() as { body: string };
  // It looks right, and is not: no hours are in its days.
  const broken = JSON.parse(body) as { welfare: DwellingWelfare };
  Object.assign(broken.welfare.state, {
    habits: { days: Array.from({ length: 9 }, (_, n) => ({ day: firstDay / dayMs - n })) },
  });
  put.run("d3", JSON.stringify(broken));
  file.close();
  await site.boot();
  expect(site.count("welfare.unreadable")).toBe(1);
  await live(usual, firstDay + dayMs + hour);
  await site.settled();
  expect(site.is().presence.fusionOf("watch-1")).not.toBeNull();
  site.is().presence.take("d3-hall", { v: 1, boot: 1, seq: 1, t: 0, age: 0, sensor: "motion", state: "on" });
  expect(site.is().presence.fusionOf("d3-hall")).not.toBeNull();
  expect(site.count("presence.failed")).toBe(1);
});

test("with no sensor that has spoken nothing is written, however long", async () => {
  await site.pass(dayMs);
  await site.settled();
  const file = new DatabaseSync(join(folder, "gateway.sqlite"), { readOnly: true });
  expect(file.prepare("SELECT count(*) n FROM heard").get()?.n).toBe(0);
  file.close();
});

test("which devices share a dwelling: revoked ones and those in none are left out, and one who is not known to live alone does not", () => {
  const found = dwellingsOf([
    device("watch-1", "d1"),
    device("d1-door", "d1"),
    device("old-1", "d1", { revoked: true }),
    device("watch-2", "d2", { livesAlone: undefined }),
    { ...device("watch-3", "d3"), dwelling: undefined },
  ]);
  expect([...found.values()]).toEqual([
    { id: "d1", devices: new Set(["watch-1", "d1-door"]), livesAlone: true, entrances: ["d1-door"] },
    { id: "d2", devices: new Set(["watch-2"]), livesAlone: false, entrances: [] },
  ]);
});
