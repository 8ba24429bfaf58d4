import { describe, expect, test } from "vitest";
import { manager, otherPatrol, patrol, useApi } from "../../test/console/accounts-api.ts";
import { createUsers } from "../registry/users.ts";
import { openSqliteStore } from "../store/sqlite.ts";

const api = useApi();
const { ask, logIn, restart } = api;

describe("sessions", () => {
  test("one lives through a restart, and its end with it: 12 h after its last use by wall time", async () => {
    const rut = await logIn(patrol);
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    api.ahead.wall = 11 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    api.ahead.wall = 22 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    api.ahead.wall = 35 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });

  test("a clock that is set ends nobody's session while the service runs, and makes none longer than a new one", async () => {
    const rut = await logIn(patrol);
    api.ahead.wall = 5 * 24 * 3600_000;
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    await logIn(manager);
    api.ahead.monotonic = 3000;
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    // Set back by years, and started anew: 12 h from now, however the store has it.
    api.ahead.wall = -1000 * 24 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    api.ahead.monotonic += 12 * 3600_000 + 1000;
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });

  test("after a week a password is asked for, however much it is used", async () => {
    const rut = await logIn(patrol);
    for (let half = 0; half < 15; half++) {
      api.ahead.monotonic += 11 * 3600_000;
      expect((await ask(rut, "GET episodes")).status).toBe(200);
    }
    api.ahead.monotonic += 4 * 3600_000;
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });

  test("what a page asks by itself moves no end: a screen that was left alone logs out", async () => {
    const rut = await logIn(patrol);
    const polled = () => ask({ cookie: rut, "x-fallvakt-console": "poll" }, "GET episodes");
    for (let hours = 0; hours < 11; hours++) {
      api.ahead.monotonic += 3600_000;
      expect((await polled()).status).toBe(200);
    }
    expect((await polled()).headers.getSetCookie()).toEqual([]);
    api.ahead.monotonic += 3600_000;
    expect((await polled()).status).toBe(401);
  });

  test("requests write nothing; when it was used is kept every few minutes for all of them, and at a stop", async () => {
    const writes: string[] = [];
    const { access } = api.store;
    api.store.access = new Proxy(access, {
      get: (target, name: keyof typeof access) => {
        if (name === "used" || name === "putSession") writes.push(name);
        return target[name];
      },
    });
    const rut = await logIn(patrol);
    for (let request = 0; request < 20; request++) await ask(rut, "GET session");
    expect(writes).toEqual(["putSession"]);
    await api.app.close();
    expect(writes).toEqual(["putSession", "used"]);
  });

  test("where the store cannot be read, whoever is at the board stays there", async () => {
    const rut = await logIn(patrol);
    api.ahead.monotonic = 60_000;
    const { access } = api.store;
    api.store.access = new Proxy(access, {
      get: () => () => Promise.reject(new Error("the disk is gone")),
    });
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    expect((await ask("fallvakt=unknown", "GET episodes")).status).toBe(500);
    api.store.access = access;
  });

  test("what the command line ends is noticed within seconds", async () => {
    const rut = await logIn(patrol);
    const beside = openSqliteStore(api.dataDir);
    await createUsers(() => beside, api.clock, "cli").setOpen(patrol.name, false, "eva");
    await beside.close();
    api.ahead.monotonic = 2000;
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });
});

describe("limits", () => {
  test("an account that asks too much is told when to come again, and nobody else is held up", async () => {
    await restart({ account: 20, address: 30 });
    const rut = await logIn(patrol);
    const statuses = [];
    for (let request = 0; request < 22; request++) statuses.push((await ask(rut, "GET session")).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    const refused = await ask(rut, "GET episodes");
    expect(refused).toMatchObject({ status: 429, body: { code: "too-many" } });
    expect(refused.headers.get("content-type")).toContain("application/problem+json");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await ask(await logIn(otherPatrol), "GET episodes")).status).toBe(200);
  });

  test("an address from which nobody is logged in asks no store without end; who is logged in goes on", async () => {
    await restart({ account: 1000, address: 30 });
    const rut = await logIn(patrol);
    const statuses = new Set<number>();
    for (let guess = 0; guess < 40; guess++)
      statuses.add((await ask(`fallvakt=guess-${guess}`, "GET episodes")).status);
    expect([...statuses]).toEqual([401, 429]);
    expect((await ask("", "GET nowhere")).status).toBe(429);
    expect((await ask(rut, "GET episodes")).status).toBe(200);
  });
});
