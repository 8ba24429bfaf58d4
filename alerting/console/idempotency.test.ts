import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { manager, patrol, unitManager, useApi } from "../../test/console/accounts-api.ts";

const api = useApi();
const { ask, logIn, acts, restart, start, stop } = api;

describe("idempotency keys", () => {
  const key = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const withKey = (cookie: string, idempotencyKey = key) => ({
    cookie,
    "x-fallvakt-console": "1",
    "idempotency-key": idempotencyKey,
  });
  const nils = { name: "Nils", role: "responder", units: null };

  test("asked again, it is done once and answered as it was, also after a restart", async () => {
    const mona = await logIn(manager);
    const first = await ask(withKey(mona), "POST accounts", nils);
    expect(first.status).toBe(200);
    for (const again of [
      await ask(withKey(mona), "POST accounts", nils),
      await restart().then(() => ask(withKey(mona), "POST accounts", nils)),
    ]) {
      expect([again.status, again.body]).toEqual([200, first.body]);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
    }
    expect((await acts()).filter((act) => act?.detail?.account === "Nils")).toHaveLength(1);
    const other = await ask(withKey(mona), "POST accounts", { ...nils, role: "auditor" });
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency-mismatch" } });
    expect((await ask(withKey(mona), "DELETE accounts/Nils")).status).toBe(422);
    // Another's key of the same text is another key.
    const ulla = await logIn(unitManager);
    expect((await ask(withKey(ulla), "POST accounts", { ...nils, units: ["Hemmesta"] })).body).toMatchObject({
      code: "name-taken",
    });
    api.ahead.wall = 24 * 3600_000 + 1;
    expect((await ask(withKey(mona), "POST accounts", nils)).body).toMatchObject({ code: "name-taken" });
  });

  test("what was refused is refused again, an empty answer is empty again, and a code is sealed in the store", async () => {
    const mona = await logIn(manager);
    const taken = { ...nils, name: "Rut" };
    expect((await ask(withKey(mona), "POST accounts", taken)).status).toBe(409);
    await ask(mona, "DELETE accounts/Rut");
    const again = await ask(withKey(mona), "POST accounts", taken);
    expect(again).toMatchObject({ status: 409, body: { code: "name-taken" } });
    expect(again.headers.get("content-type")).toContain("application/problem+json");
    const second = `${key}-2`;
    expect((await ask(withKey(mona, second), "DELETE accounts/Bo")).status).toBe(204);
    expect((await ask(withKey(mona, second), "DELETE accounts/Bo")).status).toBe(204);
    const { code } = (await ask(withKey(mona, `${key}-3`), "POST accounts", nils)).body;
    await stop();
    for (const file of readdirSync(api.dataDir).filter((name) => name.startsWith("alerting.db"))) {
      const bytes = readFileSync(join(api.dataDir, file)).toString("latin1");
      for (const secret of [code, key]) expect(bytes).not.toContain(secret);
    }
    await start();
  });

  test("two at once: one does it, and both are answered", async () => {
    const rut = await logIn(patrol);
    const both = await Promise.all([1, 2].map(() => ask(withKey(rut), "POST count")));
    expect(both.map(({ status }) => status)).toEqual([204, 204]);
    expect(api.counted).toBe(1);
    // In quotes, as the draft has it, it is the same.
    expect((await ask(withKey(rut, `"${key}"`), "POST count")).status).toBe(204);
    expect(api.counted).toBe(1);
    expect((await ask(rut, "POST count")).status).toBe(204);
    expect(api.counted).toBe(2);
  });

  test("one that was cut off by a stop is not done again: its caller is told to look", async () => {
    const rut = await logIn(patrol);
    const { access } = api.store;
    api.store.access = new Proxy(access, {
      get: (target, name: keyof typeof access) =>
        name === "keepAnswer" ? () => Promise.reject(new Error("the disk is full")) : target[name],
    });
    expect((await ask(withKey(rut), "POST count")).status).toBe(204);
    await restart();
    expect(await ask(withKey(rut), "POST count")).toMatchObject({ status: 409, body: { code: "idempotency-unknown" } });
    expect(api.counted).toBe(1);
  });

  test("an account that was changed is not answered what it might see before", async () => {
    const rut = await logIn(patrol);
    expect((await ask(withKey(rut), "POST count")).status).toBe(204);
    await api.users.change({ name: "Rut", role: "responder", units: ["Hemmesta"] }, "Mona");
    const again = await ask(withKey(await logIn(patrol)), "POST count");
    expect(again).toMatchObject({ status: 409, body: { code: "idempotency-unknown" } });
  });

  test.each(["short", "x".repeat(129), "with a space in the middle"])("%s is no key", async (bad) => {
    const answer = await ask(withKey(await logIn(patrol), bad), "POST count");
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid" } });
    expect(api.counted).toBe(0);
  });
});
