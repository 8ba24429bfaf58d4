import Fastify from "fastify";
import { pino } from "pino";
import { expect, test } from "vitest";
import { systemClock } from "../../../firmware-contracts/clock.ts";
import type { ApiBehaviour } from "../../../simulators/phone-network/behaviour.ts";
import { startPhoneNetwork } from "../../../simulators/phone-network/network.ts";
import { describeChannel, type Encounter, type RunningProvider } from "../../../test/alerting/channel-suite.ts";
import { createCounters } from "../../counters.ts";
import type { InboundReceipt } from "../../reply-desk.ts";
import { webhookPlugin } from "../../webhooks/plugin.ts";
import { judgeError } from "./errors.ts";
import { readRetryAfter } from "./request-client.ts";
import { createTwilioSms } from "./sms.ts";

const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
const authToken = "a-token-of-this-test-1234";
const from = "+46766860000";
const phone = "+46701740601";

/** Every code of Twilio's that no second try mends. */
const ofPhone = [21211, 21214, 21217, 21265, 21266, 21408, 21610, 21612, 21614, 21635];
const ofOurs = [21212, 21602, 21603, 21604, 21606, 21617, 21659];

describeChannel({
  name: "Twilio SMS, by the twilio package against the simulated network",
  refusals: [
    ...ofPhone.map((code) => ({ name: `error ${code}`, reason: String(code), fault: "phone" as const })),
    ...ofOurs.map((code) => ({ name: `error ${code}`, reason: String(code) })),
    // Of Twilio's own, and in no list of ours.
    { name: "error 21609", reason: "21609" },
  ],
  start,
});

/** The network, our channel to it and, for its receipts, our own webhooks. */
async function start(limitMs: number): Promise<RunningProvider> {
  const clock = systemClock(20);
  const network = await startPhoneNetwork({ clock, accountSid, authToken });
  network.addNumber(from);
  const simulated = network.addPhone(phone);
  const receipts: InboundReceipt[] = [];
  const web = Fastify({ forceCloseConnections: true });
  let publicUrl = "";
  await web.register(webhookPlugin, {
    authToken,
    publicUrl: () => publicUrl,
    desk: () => ({ reply: async () => {}, receipt: async (receipt) => void receipts.push(receipt) }),
    counters: createCounters(),
    log: pino({ level: "silent" }),
  });
  publicUrl = await web.listen({ host: "127.0.0.1", port: 0 });
  const channel = createTwilioSms({ accountSid, authToken, from, baseUrl: network.url }, () => publicUrl, limitMs);
  let gone = false;
  const vanish = async () => {
    if (!gone) await network.close();
    gone = true;
  };
  return {
    channel,
    phone,
    next: (encounter) => simulated.behaveOnce({ api: behaviourOf(encounter) }),
    accepted: () => network.messages.map(({ sid }) => sid),
    receipts,
    vanish,
    async close() {
      await vanish();
      await web.close();
    },
  };
}

function behaviourOf(encounter: Encounter): ApiBehaviour {
  switch (encounter.meets) {
    case "refusal":
      return { status: 400, code: Number(encounter.refusal.replace("error ", "")) };
    case "too-many": {
      const { retryAfter } = encounter;
      if (retryAfter === null) return { status: 429 };
      return {
        status: 429,
        retryAfter: retryAfter === "date" ? new Date(Date.now() + 90_000).toUTCString() : retryAfter,
      };
    }
    case "trouble":
      return { status: encounter.status };
    case "unreadable-answer":
      return "not-json";
    default:
      return encounter.meets;
  }
}

test("a wrong token or no right is ours to mend, and says nothing of the phone", () => {
  expect(judgeError({ status: 401, code: 20003 })).toEqual({ outcome: "retryable", reason: "20003" });
  expect(judgeError({ status: 403, code: 20403 })).toEqual({ outcome: "retryable", reason: "20403" });
});

test("what is not Twilio's own word says nothing of the phone: a proxy's 404 is tried again", () => {
  expect(judgeError({ status: 404, code: undefined })).toEqual({ outcome: "retryable", reason: "404" });
  expect(judgeError({ status: 302, code: undefined })).toEqual({ outcome: "retryable", reason: "302" });
  expect(judgeError({ status: 400, code: 21609 })).toEqual({ outcome: "permanent", reason: "21609" });
});

test("an answer cannot bring its own words into the reason", () => {
  for (const code of ["+46701740601", "LARM FALL 274", 46701740601, 274, Number.NaN, {}]) {
    expect(judgeError({ status: 500, code })).toEqual({ outcome: "retryable", reason: "500" });
  }
  expect(judgeError({ code: "getaddrinfo for +46701740601" })).toEqual({ outcome: "unknown", reason: "no-answer" });
});

test.each([
  ["30", undefined, 30_000],
  ["0", undefined, 0],
  ["Wed, 25 Nov 2026 03:00:10 GMT", "Wed, 25 Nov 2026 03:00:00 GMT", 10_000],
  ["Wed, 25 Nov 2026 02:00:00 GMT", "Wed, 25 Nov 2026 03:00:00 GMT", 0],
  // Against our own clock it could be hours.
  ["Wed, 25 Nov 2026 03:00:10 GMT", undefined, null],
  ["soon", "Wed, 25 Nov 2026 03:00:00 GMT", null],
  ["-5", undefined, null],
  [undefined, undefined, null],
])("Retry-After %s, by a Date of %s", (value, date, ms) => {
  expect(readRetryAfter({ "retry-after": value, date })).toBe(ms);
});
