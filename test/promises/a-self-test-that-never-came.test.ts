import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;
const local = (hours: number, minutes: number) => Date.UTC(2026, 10, 24, hours - 1, minutes);

test("alerting alone expects a self-test at the set times: nothing came to the intake, and that is told", async () => {
  night = await Night.open({
    startAt: local(21, 38),
    settings: (change) => {
      change.selfTest = { times: ["10:05", "21:40"] };
      change.technical = { gatherSeconds: 0, digestMinutes: 0 };
    },
  });
  await night.text(
    "leader",
    /^TEKNISKT LARM T\d{3}, inte ett fall\. Självtestet 21\.40 stannade: intaget\./,
    6 * minute,
  );
  const [test] = await night.store(({ selfTests }) => selfTests.list(5));
  expect(test).toMatchObject({ by: null, failed: "intake", detail: "nothing came to the intake", links: {} });
  // The next does not come either: it is the same alarm.
  night.setClock(13 * 60 * minute);
  await night.pass(5 * minute);
  const tests = await night.store(({ selfTests }) => selfTests.list(5));
  expect(tests.map(({ failed }) => failed)).toEqual(["intake", "intake"]);
  expect(night.alerting.episodes().filter(({ kind }) => kind === "technical")).toHaveLength(1);
});

test("a restart in the midst of one asks anew", async () => {
  night = await Night.open({ settings: (change) => Object.assign(change, { selfTest: { times: [] } }) });
  const ask = () =>
    night.store(async ({ selfTests }) => {
      const limits = { connect: 15, acknowledged: 15, detected: 8, intake: 30, paged: 30, delivered: 60 };
      await selfTests.ask({ id: "s1", askedAt: night.clock.wallNow(), by: "eva", device: "self-test", limits });
    });
  await ask();
  await expect(ask()).rejects.toThrow(/under way/);
  await night.pass(5_000);
  await night.restart();
  const tests = await night.store(({ selfTests }) => selfTests.list(5));
  expect(tests.map(({ isCutOff, by, endedAt }) => ({ isCutOff, by, isOver: endedAt !== null }))).toEqual([
    { isCutOff: false, by: "eva", isOver: false },
    { isCutOff: true, by: "eva", isOver: true },
  ]);
});
