import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

test.each([
  { what: "breaks the connection", api: "accept-then-reset", known: 0 },
  // The service waits 10 s for an answer.
  { what: "never answers", api: "hang", known: 10_000 },
] as const)("the provider accepts and $what: the next at once, the same phone once more, same code", async (fault) => {
  night = await Night.open({ speed: 2 });
  night.phone("patrol-1").behaveOnce({ api: fault.api, receipts: "none" });
  const started = night.now;
  await night.fall("38");

  const next = await night.text("patrol-2", /^LARM FALL/);
  expect(next.at - started).toBeGreaterThanOrEqual(fault.known);
  expect(next.at - started).toBeLessThan(fault.known + 3_000);
  // It was on its way all the while, and the second text is the same.
  const first = await night.text("patrol-1", /^LARM FALL/);
  const again = await night.text("patrol-1", /^LARM FALL/);
  expect(again.body).toBe(first.body);
  expect(next.code).toBe(first.code);

  // Once more, not for ever; and the one who was paged beside still has the policy's wait.
  await night.pass(30_000);
  expect(night.texts("patrol-1")).toHaveLength(2);
  expect(night.texts("patrol-3")).toEqual([]);
  expect(night.alerting.episodes()).toHaveLength(1);
  await night.reply("patrol-1", `${again.code} T`);
  await night.text("patrol-1", /DU HAR LARMET/);
});

test("a receipt that comes all the same says that it arrived: no second text", async () => {
  night = await Night.open();
  night.phone("patrol-1").behaveOnce({ api: "accept-then-reset" });
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  await night.text("patrol-2", new RegExp(`^LARM FALL ${code}`));
  await night.pass(30_000);
  expect(night.texts("patrol-1")).toHaveLength(1);
});
