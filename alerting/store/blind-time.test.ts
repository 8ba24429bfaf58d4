import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openInMemory } from "./database.ts";
import { storeIn } from "./sqlite.ts";
import type { Store } from "./store.ts";

const minute = 60_000;
const t = Date.UTC(2026, 10, 24, 3);
let store: Store;
beforeEach(() => {
  store = storeIn(openInMemory(), { file: "/nowhere" });
});
afterEach(() => store.close());

const beat = (minutes: number, isSure = true) => store.blindTime.beat(t + minutes * minute, minute, isSure);
const rounded = (at: number | null) => (at === null ? null : (at - t) / minute);
const gaps = async () =>
  (await store.blindTime.causes(0)).serviceGaps.map(({ from, until }) => [rounded(from), rounded(until)]);
const losses = async () =>
  (await store.blindTime.causes(0)).gatewayOutages.map(({ from, until }) => [rounded(from), rounded(until)]);

describe("when the service lived", () => {
  test("a silence that is longer than its limit was a gap, a shorter one none", async () => {
    for (const minutes of [0, 1, 2, 32, 33]) await beat(minutes);
    expect(await gaps()).toEqual([[2, 32]]);
    expect(await store.blindTime.causes(0)).toMatchObject({ knownSince: t, lastBeatAt: t + 33 * minute });
  });

  test("a clock that is not set yet after a start changes nothing, and the whole silence counts once it is", async () => {
    await beat(0);
    expect(await beat(-1000, false)).toBe(false);
    await beat(120);
    expect(await gaps()).toEqual([[0, 120]]);
  });

  test("a clock that was ahead and is set back: what has not been yet was no gap, and the next one is found", async () => {
    await beat(0);
    await beat(1_000_000);
    expect(await beat(5)).toBe(true);
    await beat(50);
    expect(await gaps()).toEqual([
      [0, 5],
      [5, 50],
    ]);
  });
});

describe("when a gateway was lost", () => {
  const heard = (minutes: number, lostAt: number | null = null) =>
    store.gateways.putGateway({
      gatewayId: "g1",
      everyMs: 10_000,
      controlVersion: 1,
      lastSeenAt: t + minutes * minute,
      lostAt: lostAt === null ? null : t + lostAt * minute,
    });

  test("from when it was last heard, not from when that was found", async () => {
    await heard(0);
    await heard(0, 3);
    expect(await losses()).toEqual([[0, null]]);
    await heard(20);
    expect(await losses()).toEqual([[0, 20]]);
  });

  test("with nobody to notice, as the service began anew in between: all the same, and what the service was down is not held against it", async () => {
    for (const minutes of [0, 1, 2]) await beat(minutes);
    await heard(2);
    await beat(60);
    await beat(60.5);
    await heard(60.1);
    expect(await losses()).toEqual([]);
    await heard(70);
    expect(await losses()).toEqual([[60.1, 70]]);
  });

  test("one that was lost before the service went down, and is heard right after its start, was there at the start", async () => {
    await beat(0);
    await heard(0);
    await heard(0, 1);
    await beat(10);
    await heard(10.2);
    expect(await losses()).toEqual([[0, 10]]);
  });

  test("a broker that is lost is told again each minute, and is one outage", async () => {
    for (const minutes of [0, 1, 2]) await store.blindTime.brokerLost("g1", t + minutes * minute);
    await store.blindTime.brokerBack("g1", t + 3 * minute);
    await store.blindTime.brokerBack("g1", t + 9 * minute);
    expect(await losses()).toEqual([[0, 3]]);
  });
});

test("what supervision finds wrong is an outage where no fall is seen meanwhile, from when it was so", async () => {
  const dwelling = { id: "d1", alias: "38", unit: null, area: null, room: null };
  const device = {
    ...{
      deviceId: "watch-1",
      dwellingId: "d1",
      placement: "wrist" as const,
      room: null,
      secretHash: "",
      revoked: false,
    },
    ...{ addedAt: t, lastSeenAt: null, online: null, battery: null, gatewayId: null },
  };
  await store.registry.addDevices([{ device, dwelling, consentBy: "eva" }], { at: t, by: "eva" });
  const more = { deviceClass: "wearable", gatewayId: "g1", battery: null, daysLeft: null, driftMs: null } as const;
  const open = { endedAt: null, isRaised: false };
  const told = (trouble: "overdue" | "charging-long" | "tamper", since: number) => ({
    ...{ deviceId: "watch-1", trouble, since: t + since * minute, at: t + (since + 2) * minute, ...more, ...open },
  });
  await store.troubles.begin(told("overdue", 3));
  await store.troubles.end(told("overdue", 3), t + 9 * minute);
  await store.troubles.begin(told("charging-long", 20));
  await store.troubles.begin(told("tamper", 25));
  const { dwellings } = await store.blindTime.causes(t);
  expect(dwellings[0]?.causes.wearables[0]?.outages).toMatchObject([
    { reason: "overdue", from: t + 3 * minute, until: t + 9 * minute },
    { reason: "not-worn", from: t + 20 * minute, until: null },
  ]);
});

test("a device that moves, or goes back into store, sees falls in each dwelling for as long as it was there", async () => {
  const dwelling = (id: string) => ({ id, alias: id, unit: null, area: null, room: null });
  const device = {
    ...{
      deviceId: "watch-1",
      dwellingId: "d1",
      placement: "wrist" as const,
      room: null,
      secretHash: "",
      revoked: false,
    },
    ...{ addedAt: t, lastSeenAt: null, online: null, battery: null, gatewayId: null },
  };
  await store.registry.addDevices([{ device, dwelling: dwelling("d1"), consentBy: "eva" }], { at: t, by: "eva" });
  const stays = async () =>
    (await store.blindTime.causes(0)).dwellings.map(({ alias, causes: { wearables } }) => [
      alias,
      ...wearables.map(({ registered: { from, until } }) => [from, until].map((at) => at && (at - t) / minute)),
    ]);
  expect(await stays()).toEqual([["d1", [0, null]]]);
  await store.operation.commission(["watch-1"], { at: t + 5 * minute, by: "eva" }, "a test");
  expect(await stays()).toEqual([["d1", [0, null]]]);
  await store.operation.moveDevice(
    "watch-1",
    { dwelling: dwelling("d2"), placement: "wrist", room: null },
    { at: t + 20 * minute, by: "eva" },
  );
  expect(await stays()).toEqual([
    ["d1", [0, 20]],
    ["d2", [20, null]],
  ]);
  await store.operation.putInStore("watch-1", { at: t + 50 * minute, by: "eva" });
  expect(await stays()).toEqual([
    ["d1", [0, 20]],
    ["d2", [20, 50]],
  ]);
});

test("what a device says of itself begins and ends its outages; a goodbye is none, and presence sees no falls", async () => {
  const dwelling = { id: "d1", alias: "38", unit: null, area: null, room: null };
  const device = (deviceId: string) => ({
    ...{ deviceId, dwellingId: "d1", placement: "wrist" as const, room: null, secretHash: "", revoked: false },
    ...{ addedAt: t, lastSeenAt: null, online: null, battery: null, gatewayId: null },
  });
  const additions = ["watch-1", "motion-1"].map((id) => ({ device: device(id), dwelling, consentBy: "eva" }));
  await store.registry.addDevices(additions, { at: t, by: "eva" });
  await beat(0);
  const seen = (id: string, minutes: number, more: Partial<Parameters<Store["registry"]["deviceSeen"]>[2]>) =>
    store.registry.deviceSeen(id, t + minutes * minute, { online: null, battery: null, ...more });
  await seen("motion-1", 1, { tellsPresence: true });
  await seen("watch-1", 2, { online: true, gatewayId: "g1" });
  await seen("watch-1", 3, { online: false, goodbye: true });
  await seen("watch-1", 4, { online: false });
  await seen("watch-1", 5, { online: false });
  await seen("watch-1", 6, { online: true, worn: false, gatewayId: "g2" });
  const [home] = (await store.blindTime.causes(0)).dwellings;
  expect(home?.causes).toMatchObject({ since: t, consents: [{ at: t, isGiven: true }] });
  expect(home?.causes.wearables).toEqual([
    {
      registered: { from: t, until: null },
      firstHeardAt: t + 2 * minute,
      heardThrough: [
        { gatewayId: "g1", at: t + 2 * minute },
        { gatewayId: "g2", at: t + 6 * minute },
      ],
      outages: [
        { deviceId: "watch-1", reason: "overdue", from: t + 4 * minute, until: t + 6 * minute },
        { deviceId: "watch-1", reason: "not-worn", from: t + 6 * minute, until: null },
      ],
    },
  ]);
});
