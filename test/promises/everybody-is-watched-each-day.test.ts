import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;
const hour = 60 * minute;
/** A Tuesday in November; Stockholm is an hour before UTC. */
const local = (hours: number, minutes: number) => Date.UTC(2026, 10, 24, hours - 1, minutes);
const nobodyWatches = /^TEKNISKT LARM T\d{3}, inte ett fall\. Nyckel 38: ingen sensor i drift hörd på ett dygn/;

/** Keys 38, 54 and 61 consented two days ago. */
async function opened(hours: number, minutes: number): Promise<void> {
  night = await Night.open({
    startAt: local(hours, minutes),
    settings: (s) => {
      s.technical = { gatherSeconds: 0, digestMinutes: 0 };
    },
  });
  const at = night.clock.wallNow() - 48 * hour;
  await night.store(async ({ registry, watching }) => {
    for (const key of ["38", "54", "61"]) {
      const id = (await registry.device(`belt-${key}`))?.dwelling?.id ?? "";
      await watching.putConsent(id, "given", { at, by: "eva" });
    }
  });
}
const heard = (key: string) =>
  night.store(({ registry }) =>
    registry.deviceSeen(`belt-${key}`, night.clock.wallNow(), { online: true, battery: null }),
  );
const open = () =>
  night.alerting.backend
    .board()
    .filter(({ trouble, status }) => trouble?.kind === "dwelling-unwatched" && status !== "closed");

test("at the set time each dwelling has a live device or a dated pause, else there is one technical alarm, which ends by itself", async () => {
  await opened(9, 50);
  await heard("54");
  await night.alerting.dwellings.pause({ key: "61" }, { minutes: 600, reason: "hospital", by: "eva" });
  await night.text("leader", nobodyWatches, 15 * minute);
  expect(open().map(({ alias }) => alias)).toEqual(["38"]);
  // Not before the time that is set. While nothing happens the clock hurries: a tenth of a second that a busy machine is late is minutes.
  expect(new Date(open()[0]?.openedAt ?? 0).toISOString()).toMatch(/T09:0\d/);
  await heard("38");
  await night.text("leader", /^TEKNISKT LARM T\d{3} är över.*Nyckel 38, ingen sensor i drift/, 3 * minute);
  expect(open()).toEqual([]);
  // A device in store watches nobody, however lately it was heard: told the next day, once.
  await night.store(({ operation }) => operation.putInStore("belt-54", { at: night.clock.wallNow(), by: "eva" }));
  night.setClock(24 * hour);
  for (const key of ["38", "61"]) await heard(key);
  await night.until("the next day's alarm", () => open().length > 0, minute);
  expect(open().map(({ alias }) => alias)).toEqual(["54"]);
  expect(night.alerting.counters()["operation.daily-check"]).toBe(2);
});

test("down at the set time: it is looked at the start, once", async () => {
  await opened(9, 50);
  await night.restart(undefined, () => night.setClock(2 * hour));
  await night.text("leader", nobodyWatches, 5 * minute);
  await night.restart();
  await night.pass(5 * minute);
  expect(night.texts("leader", nobodyWatches)).toHaveLength(1);
});
