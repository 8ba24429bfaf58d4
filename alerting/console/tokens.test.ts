import { describe, expect, test } from "vitest";
import { manager, password, patrol, unitManager, useApi } from "../../test/console/accounts-api.ts";
import type { Account } from "./roles.ts";

const api = useApi();
const { ask, logIn, acts, restart } = api;

describe("tokens", () => {
  async function make(of: Account, scopes: string[], days?: number) {
    const made = await ask(await logIn(of), "POST account/tokens", {
      name: "larmcentral",
      scopes,
      password,
      ...(days && { days }),
    });
    return { made, bearer: { authorization: `Bearer ${made.body?.token}` } };
  }

  test("one may what its scopes say, in its maker's units, and the audit log names it", async () => {
    const { made, bearer } = await make(manager, ["episodes.read", "accounts.write"]);
    expect(made).toMatchObject({
      status: 200,
      body: { token: expect.stringMatching(/^fallvakt_[\w-]{27}$/), view: { account: "Mona" } },
    });
    // No header of ours is needed, and no cookie comes back.
    const added = await ask(bearer, "POST accounts", { name: "Nils", role: "responder", units: null });
    expect(added.status).toBe(200);
    expect(added.headers.getSetCookie()).toEqual([]);
    expect((await acts()).slice(-2)).toMatchObject([
      { by: "Mona", act: "token-made", detail: { token: "larmcentral", scopes: "episodes.read accounts.write" } },
      { by: "token:larmcentral", act: "account-added" },
    ]);
    expect(await ask(bearer, "GET session")).toMatchObject({
      body: { user: { name: "token:larmcentral", permissions: ["episodes.read", "accounts.write"] } },
    });
    expect(await ask(bearer, "GET account")).toMatchObject({ status: 403, body: { code: "not-allowed" } });
    expect(await ask(bearer, "DELETE accounts/Mona")).toMatchObject({ status: 409, body: { code: "own-account" } });
    const narrow = await ask(await logIn(patrol), "POST account/tokens", {
      name: "tavla",
      scopes: ["pauses.write"],
      password,
    });
    const refused = await ask({ authorization: `bearer ${narrow.body.token}` }, "GET episodes");
    expect(refused).toMatchObject({ status: 403, body: { code: "not-allowed" } });
  });

  test("nobody makes one for more than they may, without their password, or by a name that was used", async () => {
    expect((await make(patrol, ["accounts.write"])).made).toMatchObject({
      status: 403,
      body: { code: "scope-not-held" },
    });
    const rut = await logIn(patrol);
    const asked = { name: "tavla", scopes: ["episodes.read"], password };
    expect(await ask(rut, "POST account/tokens", { ...asked, password: "gissning" })).toMatchObject({
      status: 403,
      body: { code: "wrong-password" },
    });
    expect((await ask(rut, "POST account/tokens", asked)).status).toBe(200);
    expect((await ask(rut, "DELETE account/tokens/tavla")).status).toBe(204);
    expect(await ask(rut, "POST account/tokens", asked)).toMatchObject({ status: 409, body: { code: "name-taken" } });
  });

  test("a cookie and a token don't mix: where a token is shown, no cookie is looked at", async () => {
    const rut = await logIn(patrol);
    const { bearer } = await make(manager, ["episodes.read"]);
    for (const authorization of ["Bearer fallvakt_forged", "Bearer ", "Basic bW9uYTp4"]) {
      expect((await ask({ authorization, cookie: rut }, "GET episodes")).status).toBe(401);
    }
    const both = await ask({ ...bearer, cookie: rut }, "GET session");
    expect(both.body.user.name).toBe("token:larmcentral");
    expect(both.headers.getSetCookie()).toEqual([]);
    expect((await ask({ cookie: rut }, "POST count")).body).toMatchObject({ code: "other-site" });
    expect((await ask({ cookie: `fallvakt=${bearer.authorization.slice(7)}` }, "GET episodes")).status).toBe(401);
    expect((await ask({ authorization: `Bearer ${rut.split("=")[1]}` }, "GET episodes")).status).toBe(401);
    expect((await ask({ ...bearer }, "POST session", { name: "Rut", password })).status).toBe(400);
  });

  test("one ends at its day, by revoking, and lives through a restart until then", async () => {
    const { bearer } = await make(manager, ["episodes.read"], 1);
    await restart();
    expect((await ask(bearer, "GET episodes")).status).toBe(200);
    const ulla = await logIn(unitManager);
    expect((await ask(ulla, "GET tokens")).body).toEqual([]);
    expect((await ask(ulla, "DELETE tokens/larmcentral")).status).toBe(404);
    const mona = await logIn(manager);
    expect((await ask(mona, "GET tokens")).body).toMatchObject([{ name: "larmcentral", account: "Mona" }]);
    api.ahead.wall = api.ahead.monotonic = 24 * 3600_000;
    expect((await ask(bearer, "GET episodes")).status).toBe(401);
    api.ahead.wall = api.ahead.monotonic = 0;
    await restart();
    expect((await ask(bearer, "GET episodes")).status).toBe(200);
    expect((await ask(await logIn(manager), "DELETE tokens/larmcentral")).status).toBe(204);
    expect((await ask(bearer, "GET episodes")).status).toBe(401);
    const kept = JSON.stringify(await api.store.access.tokens());
    expect(kept).not.toContain(bearer.authorization.slice(-27));
  });
});
