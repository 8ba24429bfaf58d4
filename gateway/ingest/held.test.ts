import { expect, test } from "vitest";
import { heldMs, withTimeHeld } from "./held.ts";

const hour = 3_600_000;
const message = { arrivedAt: 1_700_000_000_000, ageMs: 500, deviceAt: 1_700_000_000_000 - 500, atMostMs: hour };

test.each([
  ["one that came at once", {}, 0],
  ["one that a broker kept for half an hour", { deviceAt: message.deviceAt - hour / 2 }, hour / 2],
  ["where no broker could", { deviceAt: message.deviceAt - hour / 2, atMostMs: 0 }, 0],
  ["a device in 1970", { deviceAt: 4_000 }, 0],
  ["a device a day behind", { deviceAt: message.deviceAt - 24 * hour }, 0],
  ["a device a day ahead", { deviceAt: message.deviceAt + 24 * hour }, 0],
])("%s", (_what, change, held) => {
  expect(heldMs({ ...message, ...change })).toBe(held);
});

test("a presence report that a broker kept is as much older, so that nobody moves an hour late", () => {
  const { arrivedAt, deviceAt } = message;
  const report = { v: 1, boot: 1, seq: 1, t: deviceAt - hour / 2, age: 500, sensor: "motion", state: "on" } as const;
  const held = (atMostMs: number) => withTimeHeld({ kind: "presence", report }, arrivedAt, atMostMs);
  expect(held(hour)).toEqual({ kind: "presence", report: { ...report, age: 500 + hour / 2 } });
  expect(held(0)).toEqual({ kind: "presence", report });
});
