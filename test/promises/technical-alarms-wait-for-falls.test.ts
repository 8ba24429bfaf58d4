import { afterEach, expect, test } from "vitest";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

/** Heartbeats of so many gateways, which then go silent. */
async function gatewaysHeard(count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    await night.alerting.intake.control(0, { gatewayId: `gateway-${i}`, everyMs: 1_000 });
  }
}

test("twenty technical alarms to one phone are one text; who takes one of them is told, and the rest stay open", async () => {
  night = await Night.open({ haste: 4 });
  const start = Math.round(night.clock.wallNow());
  for (let i = 1; i <= 20; i++) await night.supervise(`watch-${i}`, "began", "overdue", { since: start });
  await night.until("twenty alarms", () => night.alerting.episodes().length === 20);
  night.haste = 1000;
  const digest = await night.text("leader", /^TEKNISKA LARM, inte fall: /, 3 * minute);
  expect(digest.body).toMatch(/och \d+ till\. Se konsolen/);
  const open = night.alerting.episodes().filter(({ kind, status }) => kind === "technical" && status === "open");
  expect(open).toHaveLength(20);
  expect(open.map(({ code }) => code)).toContain(digest.code);
  await night.pass(20 * minute);
  expect(night.texts("leader", /^TEKNISK/).length).toBeLessThanOrEqual(2);

  await night.reply("leader", `${digest.code} T`);
  await night.text("leader", new RegExp(`^${digest.code} Tekniskt larm: du har det`));
  expect(night.episode(digest.code).status).toBe("taken");
  expect(night.alerting.episodes().filter(({ status }) => status === "open")).toHaveLength(19);
  // One that is heard again ends its own.
  await night.supervise("watch-1", "ended", "overdue", { since: start });
  await night.until(
    "one alarm ended",
    () => night.alerting.episodes().filter(({ status }) => status === "closed").length === 1,
  );
});

test("quiet hours hold a gap in the rota until they end, not a gateway that is lost", async () => {
  night = await Night.open({
    startAt: Date.UTC(2026, 10, 24, 4, 55),
    settings: (settings) => {
      settings.technical = { quietHours: { from: "22:00", to: "06:00" }, gatherSeconds: 10, digestMinutes: 0 };
      // Nobody is on call from 20.00.
      settings.rotas = [
        {
          id: "syd",
          name: "Syd",
          shifts: [{ id: "day", days: ["tue"], from: "05:00", to: "20:00", responders: ["patrol-1"] }],
        },
      ];
      settings.policy.steps = [{ rotas: ["syd"], waitSeconds: 60 }];
    },
  });
  await night.until("the gap seen", () => night.alerting.episodes().some(({ kind }) => kind === "technical"));
  await gatewaysHeard(1);
  await night.text("leader", /^TEKNISKT LARM.*Ingen kontakt med lokalenhet gateway-1/, minute);
  expect(night.texts("leader", /larmschema/)).toEqual([]);
  await night.pass(2 * minute);
  expect(night.texts("leader", /larmschema/)).toEqual([]);
  const held = await night.text("leader", /^TEKNISKT LARM.*Ingen på larmschema syd från .*20\.00/, 5 * minute);
  expect(held.body).toContain("Fyll luckan");
  expect(night.clock.wallNow()).toBeGreaterThanOrEqual(Date.UTC(2026, 10, 24, 5, 0));
});

test("a fall in the midst of thirty answers, with a provider that takes one SMS a second: sent within 2 s", async () => {
  night = await Night.open({
    speed: 1,
    settings: ({ twilio }) => {
      twilio.perSecond = 1;
    },
    network: { messagesPerSecond: 1 },
  });
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  // Each "?" is answered with the letters.
  for (let i = 0; i < 30; i++) await night.reply("patrol-1", `${code} ?`);
  await night.text("patrol-1", /svara \d+ och T tar/);

  const fell = night.clock.wallNow();
  await night.fall("54");
  await night.until("the page taken by the provider", () =>
    night.network.messages.some(({ body }) => /^LARM FALL.*Nyckel 54/.test(body)),
  );
  const page = night.network.messages.find(({ body }) => /^LARM FALL.*Nyckel 54/.test(body));
  expect((page?.createdAt ?? 0) - fell).toBeLessThan(2_000);
  expect(night.texts("patrol-1", /svara \d+ och T tar/).length).toBeLessThan(25);
  // What waited is sent after it, none lost.
  night.speed = 12;
  await night.until("every answer", () => night.texts("patrol-1", /svara \d+ och T tar/).length === 30, 90_000);
});

test("whoever takes an alarm in the midst of a storm is told within 10 s, before those who are only informed", async () => {
  night = await Night.open({
    speed: 4,
    settings: ({ twilio, policy }) => {
      twilio.perSecond = 1;
      policy.steps = [{ responders: ["patrol-1", "patrol-2", "patrol-3"], waitSeconds: 120 }];
    },
    network: { messagesPerSecond: 100 },
  });
  const keys = Array.from({ length: 20 }, (_, i) => `${200 + i}`);
  await night.alerting.registry.addDevices(
    keys.map((key) => ({ deviceId: `belt-${key}`, placement: "waist" as const, key, area: `Trapp ${key}` })),
    simulatedFleet,
  );
  for (const key of keys) await night.fall(key);
  const { code } = await night.text("patrol-2", /^LARM FALL/);
  // Sixty texts were handed over just now, a minute's worth.
  const replied = night.clock.wallNow();
  await night.reply("patrol-2", `${code} T`);
  await night.text("patrol-2", new RegExp(`^${code} .*DU HAR LARMET`));
  const texts = night.network.messages.filter(({ createdAt }) => createdAt >= replied);
  const told = texts.find(({ body }) => body.includes("DU HAR LARMET"));
  expect((told?.createdAt ?? 0) - replied).toBeLessThan(10_000);
  expect(texts.filter(({ body }) => body.includes("är taget av"))).toEqual([]);
});
