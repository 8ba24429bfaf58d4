import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

let night: Night;
afterEach(() => night.close());
const open = () => night.alerting.episodes().filter(({ status }) => status !== "closed");

test("the same outage told again, also after its alarm was taken and closed, raises nothing; the next outage does", async () => {
  night = await Night.open();
  const since = Math.round(night.clock.wallNow()) - 10 * minute;
  const told = { since, deviceClass: "wearable" as const };
  for (let n = 0; n < 3; n++) await night.supervise("belt-38", "began", "overdue", told);
  const { code } = await night.text("leader", /ingen kontakt med sensorn/, 3 * minute);
  await night.reply("leader", `${code} T`);
  await night.text("leader", /du har det/);
  const operator = { name: "eva", role: "operator" as const };
  await night.alerting.backend.act(
    night.episode(code).id,
    { action: "close", outcome: "unknown", reason: "batteriet byts i morgon" },
    operator,
  );
  await night.supervise("belt-38", "began", "overdue", told);
  await night.restart();
  await night.supervise("belt-38", "began", "overdue", told);
  expect(open()).toEqual([]);
  await night.supervise("belt-38", "ended", "overdue", told);
  await night.supervise("belt-38", "ended", "overdue", told);
  await night.supervise("belt-38", "began", "overdue", { ...told, since: since + hour });
  expect(open()).toHaveLength(1);
  const history = await night.store((store) => store.troubles.between(since, since + day));
  expect(history).toMatchObject([
    {
      deviceId: "belt-38",
      trouble: "overdue",
      since,
      endedAt: expect.any(Number),
      deviceClass: "wearable",
      isRaised: true,
    },
    { deviceId: "belt-38", since: since + hour, endedAt: null },
  ]);
});

test("a lost gateway's devices add no alarms to its own; one whose outage outlasts it has its alarm when it is back", async () => {
  night = await Night.open();
  const at = Math.round(night.clock.wallNow());
  await night.alerting.intake.control(0, { gatewayId: "gateway-1", everyMs: 1000 });
  await night.until("it is lost", () => open().length === 1);
  const told = { gatewayId: "gateway-1", deviceClass: "wearable" as const };
  for (const key of ["38", "54", "61"])
    await night.supervise(`belt-${key}`, "began", "overdue", { ...told, since: at });
  expect(open()).toHaveLength(1);
  await night.alerting.intake.control(0, { gatewayId: "gateway-1", everyMs: 600_000 });
  for (const key of ["38", "54"]) await night.supervise(`belt-${key}`, "ended", "overdue", { ...told, since: at });
  await night.until("the third is raised", () => open().some(({ alias }) => alias === "61"));
  expect(night.alerting.episodes().filter(({ alias }) => alias === "38" || alias === "54")).toEqual([]);
});

test("a device that is heard through another gateway since has only moved: its silence at the first is no alarm, or none any more", async () => {
  night = await Night.open();
  const since = Math.round(night.clock.wallNow());
  const told = { since, gatewayId: "gateway-1", deviceClass: "wearable" as const };
  const heard = (key: string, gatewayId: string, at: number) =>
    night.alerting.intake.submit({
      type: "device-event",
      event: { v: 1, id: `${key}.${gatewayId}.${at}`, deviceId: `belt-${key}`, gatewayId, at, event: "online" },
    });
  await night.supervise("belt-38", "began", "overdue", told);
  // Of before, and of the gateway itself, which says by its own word when it hears it.
  await heard("38", "gateway-2", since - 1);
  await heard("38", "gateway-1", since + 1);
  expect(open()).toHaveLength(1);
  await heard("38", "gateway-2", since + minute);
  await heard("54", "gateway-2", since + minute);
  await night.supervise("belt-54", "began", "overdue", told);
  expect(open()).toEqual([]);
  expect(night.alerting.episodes()).toHaveLength(1);
});

test("what comes late, from a gateway's queue, waits a minute for its end", async () => {
  night = await Night.open();
  const at = Math.round(night.clock.wallNow()) - 3 * hour;
  for (const event of ["began", "ended"] as const)
    await night.supervise("belt-38", event, "overdue", { since: at, at });
  await night.supervise("belt-54", "began", "overdue", { since: at, at });
  expect(night.alerting.episodes()).toEqual([]);
  await night.until("the other is raised", () => open().some(({ alias }) => alias === "54"), 2 * minute);
  expect(night.alerting.episodes()).toHaveLength(1);
});

test("quiet hours hold a battery, not a wearable that is silent or not worn; a presence sensor's silence claims nothing of falls", async () => {
  night = await Night.open({
    startAt: Date.UTC(2026, 10, 24, 4, 40),
    settings: (settings) => {
      settings.technical = { quietHours: { from: "22:00", to: "06:00" }, gatherSeconds: 0, digestMinutes: 0 };
    },
  });
  const since = Math.round(night.clock.wallNow());
  await night.supervise("belt-38", "began", "battery-low", { since, battery: 14 });
  await night.supervise("belt-54", "began", "overdue", { since, deviceClass: "presence" });
  await night.supervise("belt-61", "began", "not-worn", { since });
  await night.supervise("belt-72", "began", "overdue", { since, deviceClass: "wearable" });
  await night.text("leader", /Nyckel 61: sensorn bärs inte .* Fall larmas inte nu/);
  await night.text("leader", /Nyckel 72: ingen kontakt med sensorn .* Fall larmas inte nu/);
  await night.pass(10 * minute);
  expect(night.texts("leader", /Nyckel (38|54)/)).toEqual([]);
  const held = await night.text("leader", /Nyckel 54: ingen kontakt med rörelsesensor/, 6 * hour);
  expect(held.body).not.toContain("Fall larmas");
  expect(night.clock.wallNow()).toBeGreaterThanOrEqual(Date.UTC(2026, 10, 24, 5, 0));
});
