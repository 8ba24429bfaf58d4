import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Alerting, createAlerting } from "../../alerting/alerting.ts";
import { createTwilioSms } from "../../alerting/channels/twilio/sms.ts";
import { AlertingConfig } from "../../alerting/config.ts";
import { sampleTexts } from "../../alerting/messages/samples.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { aFall } from "../alerting/a-fall.ts";
import { codeIn } from "../promises/town.ts";
import { lacks } from "../services/needs.ts";
import { type OwnPrism, startPrism } from "../services/prism.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";

// Prism reads Twilio's whole description, and the episode waits for its reminders.
vi.setConfig({ testTimeout: 120_000 });

const skipped = lacks("FALLVAKT_SPECS");
const document = join(process.env.FALLVAKT_SPECS ?? "", "twilio_api_v2010.json");
const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
const authToken = "fedcba9876543210fedcba9876543210";
const serviceNumber = "+46766860000";
const phones = { "patrol-1": "+46701740601", "patrol-2": "+46701740602", leader: "+46701740603" };
type PersonId = keyof typeof phones;

/** A wait of a minute takes 3 s. */
const clock = systemClock(20);
const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-prism-"));
let network: PhoneNetwork;
let prism: OwnPrism;
let alerting: Alerting;
let publicUrl: string;

beforeAll(async () => {
  if (skipped) return;
  const port = await freePort();
  publicUrl = `http://127.0.0.1:${port}`;
  network = await startPhoneNetwork({ clock, accountSid, authToken });
  network.addNumber(serviceNumber, { inboundUrl: `${publicUrl}/webhooks/twilio/inbound` });
  for (const phone of Object.values(phones)) network.addPhone(phone);
  prism = await startPrism(document, network.url);
  const config = AlertingConfig.parse({
    http: { port, publicUrl },
    twilio: { accountSid, authToken, from: serviceNumber, baseUrl: prism.url },
    responders: Object.entries(phones).map(([id, phone]) => ({ id, phone, name: id })),
    policy: {
      steps: [
        { responders: ["patrol-1"], waitSeconds: 40 },
        { responders: ["patrol-2"], waitSeconds: 40 },
      ],
      setOffWithinMinutes: 1,
      arriveWithinMinutes: 4,
      outcomeWithinMinutes: 1,
    },
    operators: ["leader"],
    technical: { gatherSeconds: 1, digestMinutes: 0 },
    intake: { token: "a-token-of-more-than-twenty-characters" },
  });
  alerting = createAlerting({ config, dataDir, clock, log: pino({ level: "silent" }) });
  await alerting.start();
}, 60_000);

afterAll(async () => {
  await alerting?.stop();
  await prism?.stop();
  await network?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Waits for a text that this phone has not been asked for before. */
const seen = new Set<string>();
async function text(id: PersonId, pattern: RegExp): Promise<string> {
  const inbox = () => network.phones.get(phones[id])?.inbox ?? [];
  const deadline = performance.now() + 30_000;
  for (;;) {
    const found = inbox().find(({ sid, body }) => pattern.test(body) && !seen.has(sid));
    if (found) {
      seen.add(found.sid);
      return found.body;
    }
    if (performance.now() > deadline) {
      const got = inbox().map(({ body }) => body);
      throw new Error(
        `no text like ${pattern} to ${id} within 30 s; it got:\n${got.join("\n")}\n${prism.complaints()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const reply = (id: PersonId, body: string) => network.phones.get(phones[id])?.reply(body, serviceNumber);

let sequence = 0;
function fall(deviceId: string, change: Partial<Detection> = {}): Detection {
  return aFall(deviceId, Math.round(clock.wallNow()), sequence++, change);
}

describe.skipIf(skipped)("what Twilio is sent is as Twilio's own OpenAPI describes it (FALLVAKT_SPECS)", () => {
  test("every text of a whole episode, of a test alarm and of a fault", async () => {
    await alerting.registry.addDevice(
      {
        deviceId: "watch-38",
        placement: "wrist",
        key: "38",
        area: "Gustavsberg syd",
        room: "badrum",
      },
      simulatedFleet,
    );
    await alerting.intake.submit({ type: "detection", detection: fall("watch-38") });
    const code = codeIn(await text("patrol-1", /^LARM FALL/));
    await reply("patrol-1", "22222 T");
    await text("patrol-1", /finns inte bland dina larm/);
    await reply("patrol-1", `${code} P`);
    await text("patrol-1", /V eller F/);
    await reply("patrol-1", `${code} ?`);
    await text("patrol-1", /svara \d+ och T tar/);
    await reply("patrol-1", `${code} N`);
    await text("patrol-1", /noterat att du inte kan/);
    await text("patrol-2", /^LARM FALL/);
    await text("leader", /EJ TAGET/);
    await reply("patrol-2", `${code} T`);
    await text("patrol-2", /DU HAR LARMET/);
    await text("patrol-1", /är taget av patrol-2/);
    await text("patrol-2", /^PÅMINNELSE .*ingen är på väg/);
    await reply("patrol-2", `${code} V`);
    await text("patrol-2", /på väg/);
    await reply("patrol-2", `${code} X`);
    await text("patrol-2", /är du hos personen/);
    await text("patrol-2", /^PÅMINNELSE .*ingen är framme/);
    await text("leader", /INGEN FRAMME/);
    await reply("patrol-2", `${code} K`);
    await text("patrol-2", /du kommer inte in/);
    await text("leader", /KOMMER INTE IN/);
    await reply("leader", `${code} T`);
    await text("leader", /noterat att du hjälper/);
    await text("patrol-2", /har svarat och hjälper dig/);
    await reply("patrol-2", `${code} F`);
    await text("patrol-2", /Hur gick det/);
    await reply("patrol-2", `${code} A`);
    await text("patrol-2", /112 är uppringt/);
    await text("patrol-2", /^PÅMINNELSE .*inte avslutat/);
    await reply("patrol-2", `${code} U`);
    await text("patrol-2", /avslutat/);
    await text("leader", /avslutat/);
    await reply("patrol-2", `${code} Z`);
    await text("patrol-2", /U är ångrat/);
    await reply("patrol-2", `${code} U`);
    await text("patrol-2", /avslutat/);
    await reply("patrol-1", `${code} T`);
    await text("patrol-1", /avslutades/);

    await alerting.intake.submit({ type: "detection", detection: fall("watch-38", { test: true }) });
    await text("patrol-1", /^PROVLARM/);
    const at = Math.round(clock.wallNow());
    await alerting.intake.submit({
      type: "gateway-event",
      event: { v: 1, id: "gateway-1.1", gatewayId: "gateway-1", at, event: "broker-lost" },
    });
    await text("leader", /^TEKNISKT LARM/);
    // The test alarm would be paged on and on, and the tests below count what they themselves send.
    await alerting.stop();

    const { checked, invalid, forwarded } = await prism.counts();
    expect(prism.complaints()).toEqual([]);
    expect(checked).toBeGreaterThan(20);
    expect(invalid).toBe(0);
    expect(forwarded).toBe(checked);
  });

  test("each kind of text there is, in both languages, also the longest", async () => {
    const before = await prism.counts();
    const sms = createTwilioSms({ accountSid, authToken, from: serviceNumber, baseUrl: prism.url }, () => publicUrl);
    const first = new Map(sampleTexts("longest").map((sample) => [sample.kind, sample]));
    const texts = [...sampleTexts("small"), ...first.values()].flatMap(({ write }) => [write("sv"), write("en")]);
    const bodies = [...new Set(texts)];
    for (let i = 0; i < bodies.length; i += 10) {
      const some = bodies.slice(i, i + 10);
      const results = await Promise.all(
        some.map((body, n) => sms.send({ pageId: `e1.${i + n}`, phone: phones.leader, body })),
      );
      expect(results.map(({ outcome }) => outcome)).toEqual(some.map(() => "accepted"));
    }
    const { checked, invalid } = await prism.counts();
    expect(checked - before.checked).toBeGreaterThanOrEqual(bodies.length);
    expect(bodies.length).toBeGreaterThan(100);
    expect(invalid).toBe(0);
  });

  test("the check can fail: a request without To, and one with a callback that is no address", async () => {
    const before = await prism.counts();
    const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
    const response = await fetch(prism.url + path, {
      method: "POST",
      body: new URLSearchParams({ From: serviceNumber, Body: "LARM" }),
      headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}` },
    });
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("must have required property 'To'");
    const sms = createTwilioSms(
      { accountSid, authToken, from: serviceNumber, baseUrl: prism.url },
      () => "larm.example",
    );
    expect(await sms.send({ pageId: "e1.1", phone: phones.leader, body: "LARM" })).toMatchObject({
      outcome: "retryable",
    });
    const { checked, invalid, forwarded } = await prism.counts();
    expect([checked, invalid, forwarded]).toEqual([before.checked + 2, before.invalid + 2, before.forwarded]);
    expect(prism.complaints()).toHaveLength(2);
  });
});
