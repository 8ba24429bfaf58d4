import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const lost = () => night.store((store) => store.contacts.lost());
async function consoleTells(trouble: string, isSo: boolean): Promise<void> {
  await night.until(
    `the console ${isSo ? "shows" : "shows no"} ${trouble}`,
    () => night.alerting.backend.troubles().includes(trouble) === isSo,
    30_000,
  );
}

test("a number that takes no SMS: the next within 5 s, whoever leads is told, and it is passed over from then on", async () => {
  night = await Night.open({ landlines: ["patrol-1"] });
  const started = night.now;
  await night.fall("38");
  const next = await night.text("patrol-2", /^LARM FALL/);
  const told = await night.text("leader", /^TEKNISKT LARM/);
  expect(next.at - started).toBeLessThan(5_000);
  expect(told.at - started).toBeLessThan(5_000);
  expect(told.body).toContain("SMS når inte larmtelefon Patrull 1");
  expect(await lost()).toMatchObject([{ responderId: "patrol-1", reason: "21614" }]);
  await consoleTells("contact-unreachable", true);

  // The next fall does not try it first, and whoever leads is not told twice of one dead phone.
  await night.fall("54");
  await night.text("patrol-2", /^LARM FALL/);
  await night.pass(5_000);
  expect(night.texts("leader", /^TEKNISKT LARM/)).toHaveLength(1);
});

test("STOP: the next within 5 s and whoever leads is told; START brings the phone back and ends the technical alarm", async () => {
  night = await Night.open();
  await night.fall("38");
  await night.text("patrol-1", /^LARM FALL/);
  const stopped = night.now;
  await night.reply("patrol-1", "Stop");
  const next = await night.text("patrol-2", /^LARM FALL/);
  const told = await night.text("leader", /^TEKNISKT LARM/);
  expect(next.at - stopped).toBeLessThan(5_000);
  expect(told.at - stopped).toBeLessThan(5_000);
  expect(await lost()).toMatchObject([{ responderId: "patrol-1", reason: "stop" }]);
  await consoleTells("contact-unreachable", true);

  await night.reply("patrol-1", "START");
  await night.text("leader", new RegExp(`^TEKNISKT LARM ${told.code} är över`), 120_000);
  expect(night.episode(told.code).status).toBe("closed");
  expect(await lost()).toEqual([]);
  await consoleTells("contact-unreachable", false);
  await night.fall("54");
  await night.text("patrol-1", /^LARM FALL/);
});
