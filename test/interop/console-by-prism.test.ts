import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAccessTokens } from "../../alerting/registry/access-tokens.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import { manager, type NightShift, operator, startNightShift } from "../console/night-shift.ts";
import { type OwnPrism, startPrism } from "../services/prism.ts";

const document = fileURLToPath(new URL("../../docs/openapi.json", import.meta.url));
let shift: NightShift;
let prism: OwnPrism;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  shift = await startNightShift();
  prism = await startPrism(document, shift.url);
  const store = openSqliteStore(shift.dataDir);
  const made = createAccessTokens(() => store, shift.clock);
  for (const [account, scopes] of [
    [operator, ["episodes.read", "episodes.act", "residents.read", "pauses.write"]],
    [manager, ["accounts.write"]],
  ] as const) {
    tokens[account.role] = (await made.add(account, { name: account.role, scopes: [...scopes] })).token;
  }
  await store.close();
});
afterAll(async () => {
  await prism?.stop();
  await shift?.close();
});

async function ask(as: string, call: string, body?: unknown) {
  const [method = "", path = ""] = call.split(" ");
  const answer = await fetch(`${prism.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokens[as] ?? as}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(method === "GET" ? {} : { "idempotency-key": crypto.randomUUID() }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}

test("what the service answers, good or refused, is what docs/openapi.json says", async () => {
  await shift.fall("38");
  const board = await ask("operator", "GET episodes");
  const { id } = board.body.episodes[0];
  const until = Math.round(shift.clock.wallNow()) + 3_600_000;
  const told = [
    board,
    await ask("operator", "GET session"),
    await ask("operator", `GET episodes/${id}`),
    await ask("operator", `POST episodes/${id}/actions`, { action: "take" }),
    await ask("operator", `POST episodes/${id}/actions`, { action: "close", outcome: "no-fall" }),
    await ask("operator", "POST pauses", { key: "57", reason: "hospital", until }),
    await ask("operator", "GET pauses"),
    await ask("operator", "GET visiting-list?all=1"),
    await ask("operator", "GET accounts"),
    await ask("manager", "GET accounts"),
    await ask("manager", "POST accounts", { name: "Nils", role: "responder", units: ["Gustavsberg"] }),
    await ask("manager", "PUT accounts/Nils", { role: "installer", units: null }),
    await ask("manager", "POST accounts/Nils/code"),
    await ask("manager", "DELETE accounts/Nils"),
    await ask("manager", "GET tokens"),
    await ask("forged", "GET episodes"),
  ].map(({ status }) => status);
  const { checked, invalid } = await prism.counts();
  expect(prism.complaints()).toEqual([]);
  expect({ checked, invalid }).toEqual({ checked: told.length, invalid: 0 });
  expect(told).toEqual([200, 200, 200, 200, 422, 200, 200, 200, 403, 200, 200, 200, 200, 204, 200, 401]);
});
