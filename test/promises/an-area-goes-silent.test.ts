import { afterEach, expect, test } from "vitest";
import type { VisitingList } from "../../alerting/visiting-list.ts";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

/** A heartbeat; three that do not come, and it is lost. */
const beat = (gatewayId: string, everyMs: number) => night.alerting.intake.control(0, { gatewayId, everyMs });
/** A device is heard of through a gateway. */
const heardOf = (deviceId: string, gatewayId: string) =>
  night.alerting.intake.submit({
    type: "device-event",
    event: { v: 1, id: `${deviceId}.1`, deviceId, gatewayId, at: Math.round(night.clock.wallNow()), event: "online" },
  });
const technical = () => night.alerting.episodes().filter(({ kind }) => kind === "technical");
const open = () => technical().filter(({ status }) => status !== "closed");

test("three gateways silent within five minutes are one alarm, with a list of whom to look in at; it is over when they are back", async () => {
  night = await Night.open({
    settings: ({ technical }) => {
      Object.assign(technical, { gatherSeconds: 1, digestMinutes: 1 });
    },
  });
  // The fourth goes on; its dwelling is on no list.
  await beat("gateway-4", 600_000);
  for (const [key, gatewayId] of [
    ["38", "gateway-1"],
    ["54", "gateway-2"],
    ["61", "gateway-3"],
    ["72", "gateway-4"],
  ] as const)
    await heardOf(`belt-${key}`, gatewayId);
  await beat("gateway-1", 1000);
  const first = await night.text("leader", /^TEKNISKT LARM .*lokalenhet gateway-1 /);
  await night.pass(2 * minute);
  await beat("gateway-2", 1000);
  await night.until("the second alarm", () => open().length === 2);
  await night.pass(2 * minute - 10_000);
  await beat("gateway-3", 1000);
  const area = await night.text("leader", /^TEKNISKT LARM .*OMRÅDE: minst tre lokalenheter tysta/, 16 * minute);
  await night.until("one alarm instead of three", () => open().length === 1);
  expect(open()[0]).toMatchObject({ code: area.code, status: "open" });
  expect(night.episode(first.code).status).toBe("closed");
  expect(night.texts("leader", /är över/)).toEqual([]);
  // One more joins it.
  await beat("gateway-5", 1000);
  await night.pass(minute);
  expect(open()).toHaveLength(1);
  expect(night.alerting.backend.troubles()).toContain("area-silent");

  await night.fall("61");
  const list = (await night.alerting.backend.visitingList?.(false)) as VisitingList;
  expect(list.gateways.map(({ gatewayId }) => gatewayId)).toEqual(["gateway-1", "gateway-2", "gateway-3", "gateway-5"]);
  // Where an alarm is open first; 49 was heard through no gateway that anybody knows of.
  expect(list.visits.map(({ key, priority }) => `${key} ${priority}`)).toEqual([
    "61 alarm",
    "38 unknown",
    "49 unknown",
    "54 unknown",
  ]);
  const everybody = await night.alerting.backend.visitingList?.(true);
  expect(everybody?.visits.map(({ key }) => key)).toContain("72");

  const fall = night.alerting.episodes().find(({ kind }) => kind === "fall");
  const operator = { name: "eva", role: "operator" as const };
  const report = { action: "close", outcome: "test", reason: "prov" } as const;
  await night.alerting.backend.act(fall?.id ?? "", report, operator);
  for (const gatewayId of ["gateway-1", "gateway-2", "gateway-3"]) await beat(gatewayId, 600_000);
  expect(night.episode(area.code).status).toBe("open");
  await beat("gateway-5", 600_000);
  await night.until("it is over", () => open().length === 0);
  await night.text("leader", /är över.*flera lokalenheter/, 16 * minute);
  expect(technical()).toHaveLength(3);
});

test("three gateways that go silent over a quarter of an hour are three alarms", async () => {
  night = await Night.open();
  for (const gatewayId of ["gateway-1", "gateway-2", "gateway-3"]) {
    await beat(gatewayId, 1000);
    await night.until(`${gatewayId} lost`, () => night.alerting.episodes().length > Number(gatewayId.at(-1)) - 1);
    await night.pass(6 * minute);
  }
  expect(open()).toHaveLength(3);
});
