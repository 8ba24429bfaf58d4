import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

test("accepted is not delivered: no receipt in 20 s and the next is paged, while the first can still take it", async () => {
  night = await Night.open();
  // The provider takes it, and nothing more is heard: a phone in a lift, a network that is down.
  night.phone("patrol-1").behave({ deliveryMs: 60_000 });
  const started = night.now;
  await night.fall("38");
  const second = await night.text("patrol-2", /^LARM FALL/, 30_000);
  expect(second.at - started).toBeGreaterThanOrEqual(20_000);
  expect(second.at - started).toBeLessThan(25_000);
  expect(night.texts("patrol-1")).toEqual([]);

  const first = await night.text("patrol-1", /^LARM FALL/, 60_000);
  expect(first.code).toBe(second.code);
  await night.reply("patrol-1", `${first.code} T`);
  await night.text("patrol-2", /är taget av Patrull 1/);
  expect(night.episode(first.code).status).toBe("taken");
});

test("delivered: the next is paged after the policy's wait, not before", async () => {
  night = await Night.open();
  await night.fall("38");
  const first = await night.text("patrol-1", /^LARM FALL/);
  const second = await night.text("patrol-2", /^LARM FALL/, 70_000);
  expect(second.at - first.at).toBeGreaterThan(55_000);
  expect(second.at - first.at).toBeLessThan(66_000);
});

test.each(["twice", "out-of-order"] as const)("receipts that come %s change nothing", async (receipts) => {
  night = await Night.open({ network: { behaviour: { queueMs: 100, deliveryMs: 300, receiptMs: 100, receipts } } });
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  const told = () => night.network.webhooks.filter(({ kind }) => kind === "receipt");
  const expected = receipts === "twice" ? 4 : 2;
  await night.until("every receipt", () => told().length === expected);
  expect(told().every(({ status }) => status === 204)).toBe(true);
  expect(night.alerting.backend.board()[0]?.pages).toMatchObject([{ purpose: "alarm", status: "delivered" }]);
  // The deadline of receipts has passed, and nobody else was paged for it.
  await night.pass(30_000);
  expect(night.texts("patrol-2")).toEqual([]);
  expect(night.episode(code).status).toBe("open");
});
