import twilio from "twilio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accountSid, authToken, codeIn, serviceNumber, Town } from "./town.ts";

const patrol = "+46701740601";

let town: Town;
let code: string;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
  await town.fall(await town.device("belt-1", "38"));
  code = codeIn(await town.text("patrol-1", /^LARM FALL/));
  await town.until("the receipt", () => town.alerting.backend.board()[0]?.pages[0]?.status === "delivered");
});
afterAll(() => town.close());

let nextSid = 1;
function inbound(from: string, body: string): Record<string, string> {
  return {
    MessageSid: `SM${String(nextSid++).padStart(32, "0")}`,
    AccountSid: accountSid,
    From: from,
    To: serviceNumber,
    Body: body,
  };
}

async function post(fields: Record<string, string>, signature: string | null, path = "inbound"): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${town.port}/webhooks/twilio/${path}`, {
    method: "POST",
    body: new URLSearchParams(fields),
    ...(signature === null ? {} : { headers: { "X-Twilio-Signature": signature } }),
  });
  return response.status;
}

function sign(fields: Record<string, string>, token = authToken, origin = `http://127.0.0.1:${town.port}`): string {
  return twilio.getExpectedTwilioSignature(token, `${origin}/webhooks/twilio/inbound`, fields);
}

/** All that a reply or a receipt could change. */
const state = () => JSON.stringify([town.alerting.backend.board(), [...town.network.messages].length]);

test("absent, wrong, borrowed and altered signatures are refused, and nothing changes", async () => {
  const before = state();
  const take = inbound(patrol, `${code} T`);
  expect(await post(take, null)).toBe(403);
  expect(await post(take, "")).toBe(403);
  expect(await post(take, "c2lnbmVkIGJ5IG5vYm9keSBhdCBhbGw=")).toBe(403);
  expect(await post(take, sign(take, "0".repeat(32)))).toBe(403);
  expect(await post(take, sign(take, authToken, "https://somewhere.example"))).toBe(403);
  // A true signature for other words.
  expect(await post({ ...take, Body: `${code} F` }, sign(take))).toBe(403);
  // A true signature for another address of ours.
  expect(await post(take, sign(take), "status")).toBe(403);
  await town.pass(5_000);
  expect(state()).toBe(before);
});

test("a validly signed text from a stranger changes nothing and gets no answer", async () => {
  const before = state();
  const stranger = inbound("+46701740699", `${code} T`);
  expect(await post(stranger, sign(stranger))).toBeLessThan(300);
  await town.pass(5_000);
  expect(state()).toBe(before);
});

test("the responder's own reply, validly signed, does take it; the same again changes nothing more", async () => {
  const take = inbound(patrol, `${code} T`);
  expect(await post(take, sign(take))).toBeLessThan(300);
  await town.until("the episode taken", () => town.alerting.backend.board()[0]?.status === "taken");
  await town.text("patrol-1", /DU HAR LARMET/);
  await town.pass(3_000);
  const before = state();
  expect(await post(take, sign(take))).toBeLessThan(300);
  await town.pass(5_000);
  expect(state()).toBe(before);
});
