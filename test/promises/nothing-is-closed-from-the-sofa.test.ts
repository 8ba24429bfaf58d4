import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const json = { "content-type": "application/json", "x-fallvakt-console": "1" };

/** Logs in at the console, as its page does. Returns the cookie. */
async function logIn(name: string, password: string): Promise<string> {
  const body = JSON.stringify({ name, password });
  const answer = await fetch(`${night.alerting.url}/api/v1/session`, { method: "POST", headers: json, body });
  expect(answer.status).toBe(200);
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

async function act(cookie: string, id: string, action: object): Promise<{ status: number; code?: string }> {
  const url = `${night.alerting.url}/api/v1/episodes/${id}/actions`;
  const answer = await fetch(url, { method: "POST", headers: { ...json, cookie }, body: JSON.stringify(action) });
  const said = (await answer.text()) || "{}";
  return { ...(JSON.parse(said) as { code?: string }), status: answer.status };
}

async function taken(): Promise<string> {
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  await night.reply("patrol-1", `${code} T`);
  await night.text("patrol-1", /DU HAR LARMET/);
  return code;
}

test("X, R and E before F end nothing: they ask whether somebody is with the person", async () => {
  night = await Night.open();
  const code = await taken();
  for (const letter of ["X", "R", "E", "inget fall"]) {
    await night.reply("patrol-1", `${code} ${letter}`);
    expect((await night.text("patrol-1", /är du hos personen/)).body).toContain("Inget har avslutats");
    expect(night.episode(code).status).toBe("taken");
  }
  await night.reply("patrol-1", `${code} F`);
  await night.text("patrol-1", /Hur gick det/);
  await night.reply("patrol-1", `${code} E`);
  await night.text("patrol-1", /noterat ej hemma/);
  expect(night.episode(code).status).toBe("arrived");
  await night.reply("patrol-1", `${code} X`);
  await night.text("patrol-1", /avslutat \d\d\.\d\d: inget fall/);
  expect(night.episode(code).status).toBe("closed");
});

test.each([
  ["S", "injury", "skada"],
  ["U", "unhurt", "oskadd"],
])("%s before F is seen only on the spot: it counts as there", async (letter, outcome, word) => {
  night = await Night.open();
  const code = await taken();
  await night.reply("patrol-1", `${code} ${letter}`);
  await night.text("patrol-1", new RegExp(`avslutat.*${word}`));
  expect(night.episode(code).arrivedAt).not.toBeNull();
  expect(night.alerting.backend.board()[0]).toMatchObject({ status: "closed", outcome });
});

test("an operator closes without an arrival only with a typed reason, a responder at the console never", async () => {
  night = await Night.open();
  const { id } = night.episode(await taken());
  await night.alerting.users.addUser("Op", "four words in a row", "operator");
  await night.alerting.users.addUser("Re", "four more words in a row", "responder");
  const operator = await logIn("Op", "four words in a row");
  const responder = await logIn("Re", "four more words in a row");
  const close = { action: "close", outcome: "no-fall" };

  expect(await act(operator, id, close)).toMatchObject({ status: 422, code: "reason-needed" });
  expect((await act(operator, id, { ...close, reason: "   " })).status).toBeGreaterThanOrEqual(400);
  expect(await act(responder, id, { ...close, reason: "Såg ut att vara lugnt" })).toMatchObject({ code: "not-taken" });
  expect(night.alerting.episodes()[0]?.status).toBe("taken");

  expect((await act(operator, id, { ...close, reason: "Ringde upp, satt i stolen" })).status).toBeLessThan(300);
  expect(night.alerting.episodes()[0]).toMatchObject({ status: "closed", arrivedAt: null });
  await night.text("patrol-1", /avslutat/);
});
