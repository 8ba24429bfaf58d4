import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import {
  cookieOf,
  manager,
  otherPatrol,
  password,
  patrol,
  type Told,
  unitManager,
  useApi,
} from "../../../test/console/accounts-api.ts";
import { type Account, Role } from "../roles.ts";

// Each password and code takes the work of a guess.
vi.setConfig({ testTimeout: 90_000 });
const api = useApi();
const { ask, logIn, acts } = api;

describe("an account", () => {
  test("is added without a password; its person chooses one by the code, once, and may what its role may", async () => {
    const mona = await logIn(manager);
    const invited = await ask(mona, "POST accounts", { name: "Nils", role: "responder", units: ["Gustavsberg"] });
    expect(invited).toMatchObject({
      status: 200,
      body: { name: "Nils", code: expect.stringMatching(/^\d{4} \d{4} \d{4}$/) },
    });
    const { code, until } = invited.body;
    expect(until - api.clock.wallNow()).toBeLessThanOrEqual(24 * 3600_000);
    expect((await ask("", "POST session", { name: "Nils", password: code })).status).toBe(401);

    const choose = (body: object) => ask("", "POST session/password", { name: "nils", code, password, ...body });
    expect(await choose({ password: "kort" })).toMatchObject({ status: 422, body: { code: "weak-password" } });
    expect(await choose({ code: "1234 5678 9012" })).toMatchObject({ status: 401, body: { code: "wrong-code" } });
    const chosen = await choose({ code: code.replaceAll(" ", "") });
    expect(chosen).toMatchObject({ status: 200, body: { user: { name: "Nils", role: "responder" } } });
    expect((await ask(cookieOf(chosen), "GET episodes")).status).toBe(200);
    expect(await ask(cookieOf(chosen), "GET accounts")).toMatchObject({ status: 403, body: { code: "not-allowed" } });
    expect(await choose({})).toMatchObject({ status: 401, body: { code: "wrong-code" } });
    expect((await ask("", "POST session", { name: "Nils", password })).status).toBe(200);

    const listed = (await ask(mona, "GET accounts")).body.accounts.find(({ name }: Account) => name === "Nils");
    expect(listed).toMatchObject({ state: "open", units: ["Gustavsberg"], codeUntil: null, isOwn: false });
    expect(await ask(mona, "POST accounts", { name: "nils", role: "auditor", units: null })).toMatchObject({
      status: 409,
      body: { code: "name-taken" },
    });
    expect((await acts()).slice(-2)).toMatchObject([
      {
        by: "Mona",
        via: "console",
        act: "account-added",
        detail: { account: "Nils", role: "responder", units: "Gustavsberg" },
      },
      { by: "Nils", act: "password-chosen" },
    ]);
    const kept = JSON.stringify(await api.store.users.user("Nils"));
    for (const secret of [code, code.replaceAll(" ", ""), password]) expect(kept).not.toContain(secret);
  });

  test("a code is too old after its time, and good no more after twenty wrong tries", async () => {
    const { code } = await api.users.newCode(patrol.name, "Mona");
    api.ahead.wall = 3600_000 + 1;
    expect(await api.users.choosePassword(patrol.name, code, "en annan rad ord")).toBeNull();
    // Set back, the clock makes it no better than it was.
    api.ahead.wall = -24 * 3600_000;
    expect(await api.users.choosePassword(patrol.name, code, "en annan rad ord")).toBeNull();
    api.ahead.wall = 0;
    const file = new DatabaseSync(join(api.dataDir, "alerting.db"));
    file.exec("UPDATE accounts SET code_tries = 19");
    file.close();
    await api.store.users.codeTried(patrol.name);
    expect(await api.users.choosePassword(patrol.name, code, "en annan rad ord")).toBeNull();
    expect(await api.users.verify(patrol.name, password)).toMatchObject({ name: "Rut" });
    const again = await api.users.newCode(patrol.name, "Mona");
    // Two at once: one is first.
    const both = ["en annan rad ord", "en tredje rad med ord"].map((chosen) =>
      api.users.choosePassword(patrol.name, again.code, chosen),
    );
    expect((await Promise.all(both)).filter(Boolean)).toHaveLength(1);
    expect(await api.users.verify(patrol.name, password)).toBeNull();
  });

  test("guessing at a code is stopped as at a password", async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 11; guess++) {
      // Too short a password is refused before the code is looked at, and counts all the same.
      const body = { name: "Rut", code: `${guess}`.padStart(12, "0"), password: "kort" };
      const answer = await ask("", "POST session/password", body);
      statuses.push(answer.status);
      if (answer.status === 429) expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    }
    expect(statuses).toEqual([...Array(10).fill(422), 429]);
  });

  test.each<[string, (mona: string) => Promise<Told>]>([
    ["changed", (mona) => ask(mona, "PUT accounts/Rut", { role: "installer", units: ["Gustavsberg"] })],
    ["shut off", (mona) => ask(mona, "POST accounts/rut/shut-off")],
    ["removed", (mona) => ask(mona, "DELETE accounts/Rut")],
  ])("%s, its sessions, streams and tokens end at once", async (_what, change) => {
    const mona = await logIn(manager);
    const rut = await logIn(patrol);
    const made = await ask(rut, "POST account/tokens", { name: "tavla", scopes: ["episodes.read"], password });
    const bearer = { authorization: `Bearer ${made.body.token}` };
    expect((await ask(bearer, "GET episodes")).status).toBe(200);
    const stream = await fetch(`${api.url}/api/v1/events`, { headers: { cookie: rut } });
    const streamed = stream.text();
    expect((await change(mona)).status).toBeLessThan(300);
    expect((await ask(rut, "GET episodes")).status).toBe(401);
    expect((await ask(bearer, "GET episodes")).status).toBe(401);
    expect(await streamed).toContain("event: session-ended");
  });

  test("shut off, nobody logs in by it, by password or code; opened again, its password is as it was", async () => {
    const mona = await logIn(manager);
    const { body } = await ask(mona, "POST accounts/Rut/code");
    expect((await ask(mona, "POST accounts/Rut/shut-off")).body).toMatchObject({ state: "shut-off" });
    expect((await ask("", "POST session", { name: "Rut", password })).status).toBe(401);
    expect((await ask("", "POST session/password", { ...body, until: undefined, password })).status).toBe(401);
    expect(await ask(mona, "POST accounts/Rut/code")).toMatchObject({ status: 409, body: { code: "shut-off" } });
    expect((await ask(mona, "POST accounts/Rut/open")).body).toMatchObject({ state: "open" });
    await logIn(patrol);
  });

  test("a manager of units manages and gives these alone, and nobody their own account", async () => {
    const ulla = await logIn(unitManager);
    const { accounts, units } = (await ask(ulla, "GET accounts")).body;
    expect(accounts.map(({ name }: Account) => name)).toEqual(["Rut", "Ulla"]);
    expect(units).toEqual(["Gustavsberg", "Hemmesta"]);
    // What is another's looks as what isn't there.
    const missing = await ask(ulla, "DELETE accounts/Nobody");
    for (const name of ["Bo", "Mona", "Maria"]) {
      for (const [call, body] of [
        [`PUT accounts/${name}`, { role: "responder", units: ["Hemmesta"] }],
        [`POST accounts/${name}/code`],
        [`POST accounts/${name}/shut-off`],
        [`POST accounts/${name}/open`],
        [`DELETE accounts/${name}`],
      ] as const) {
        const answer = await ask(ulla, call, body);
        expect([answer.status, answer.body], call).toEqual([404, missing.body]);
      }
    }
    for (const given of [null, ["Ingarö"], ["Hemmesta", "Ingarö"]]) {
      const tooMuch = { status: 403, body: { code: "not-your-units" } };
      expect(await ask(ulla, "POST accounts", { name: "X", role: "manager", units: given })).toMatchObject(tooMuch);
      expect(await ask(ulla, "PUT accounts/Rut", { role: "responder", units: given })).toMatchObject(tooMuch);
    }
    for (const call of [
      "PUT accounts/ulla",
      "DELETE accounts/Ulla",
      "POST accounts/Ulla/shut-off",
      "POST accounts/Ulla/code",
    ]) {
      const body = call.startsWith("PUT") ? { role: "manager", units: ["Hemmesta"] } : undefined;
      expect(await ask(ulla, call, body)).toMatchObject({ status: 409, body: { code: "own-account" } });
    }
    const given = await ask(ulla, "PUT accounts/Rut", { role: "responder", units: ["Hemmesta"] });
    expect(given).toMatchObject({ status: 200, body: { units: ["Hemmesta"] } });
  });

  test.each(Role.options.filter((role) => role !== "manager"))("a %s manages no account", async (role) => {
    await api.users.invite({ name: "Anders", role, units: null });
    const cookie = await logIn({ name: "Anders" });
    for (const call of ["GET accounts", "GET tokens", "DELETE accounts/Rut", "POST accounts/Rut/code"]) {
      expect((await ask(cookie, call)).status, call).toBe(403);
    }
  });
});

describe("the own account", () => {
  test("a password is changed by its owner, who knows the present one; the other sessions end", async () => {
    const here = await logIn(patrol);
    const there = await logIn(patrol);
    const change = (body: object) =>
      ask(here, "PUT account/password", { present: password, password: "en annan rad ord", ...body });
    expect(await change({ present: "en gissning" })).toMatchObject({ status: 403, body: { code: "wrong-password" } });
    expect(await change({ password: "kort" })).toMatchObject({ status: 422, body: { code: "weak-password" } });
    expect((await change({})).status).toBe(204);
    expect((await ask(here, "GET episodes")).status).toBe(200);
    expect((await ask(there, "GET episodes")).status).toBe(401);
    await logIn(patrol, "en annan rad ord");
    const tries = await Promise.all(Array.from({ length: 12 }, () => change({ present: "en gissning" })));
    expect(tries.map(({ status }) => status)).toContain(429);
  });

  test("own sessions are listed and ended, nobody else's", async () => {
    const here = await logIn(patrol);
    const there = await logIn(patrol);
    const bo = await logIn(otherPatrol);
    const { sessions } = (await ask(here, "GET account")).body;
    expect(sessions).toHaveLength(2);
    const other = sessions.find(({ isThis }: { isThis: boolean }) => !isThis);
    expect((await ask(bo, `DELETE account/sessions/${other.id}`)).status).toBe(404);
    expect((await ask(here, `DELETE account/sessions/${other.id}`)).status).toBe(204);
    expect((await ask(there, "GET account")).status).toBe(401);
    await logIn(patrol);
    expect((await ask(here, "POST account/sessions/end-others")).body).toEqual({ ended: 1 });
    expect((await ask(bo, "GET account")).body.sessions).toHaveLength(1);
    expect(JSON.stringify(await api.store.access.sessionsOf("Rut"))).not.toContain(here.split("=")[1]);
  });
});
