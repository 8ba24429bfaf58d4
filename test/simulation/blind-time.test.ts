import { afterEach, expect, test } from "vitest";
import { type BlindSpan, clipped, sumsByReason } from "../../alerting/blind-time/blind-time.ts";
import { blindReasons } from "../../alerting/blind-time/causes.ts";
import { readLedger } from "../../alerting/blind-time/ledger.ts";
import { BlindMonth, type Home, hourMs, minuteMs } from "./blind-month.ts";

let month: BlindMonth;
afterEach(() => month.store.close());

/** What the ledger says, minute by minute, where that was true at no moment within a minute of it. */
function wrongMinutes(month: BlindMonth, home: Home, spans: readonly BlindSpan[]): string[] {
  const wrong: string[] = [];
  let [span, truth] = [0, 0];
  for (let at = (home.truth[0]?.at ?? 0) + minuteMs; at < month.now - minuteMs; at += minuteMs) {
    while ((spans[span]?.until ?? Number.POSITIVE_INFINITY) <= at) span++;
    while ((home.truth[truth + 1]?.at ?? Number.POSITIVE_INFINITY) <= at - minuteMs) truth++;
    const said = (spans[span]?.from ?? Number.POSITIVE_INFINITY) <= at ? (spans[span]?.reason ?? null) : null;
    const isTrue = home.truth
      .slice(truth)
      .some((one, i) => (i === 0 || one.at <= at + minuteMs) && one.reason === said);
    if (!isTrue) wrong.push(`${home.key} ${new Date(at).toISOString()}: ${said}, true ${home.truth[truth]?.reason}`);
  }
  return wrong;
}

test.each([
  [30, 1],
  [10, 2],
])(
  "%i days with outages of every kind, the service killed in between: the ledger is true to the minute (seed %i)",
  async (days, seed) => {
    month = new BlindMonth(seed, days);
    const from = month.now;
    await month.run();
    const ledgers = await readLedger(month.store.blindTime, { from, until: month.now });
    expect(ledgers).toHaveLength(month.homes.length);
    const reasons = new Set<string>();
    for (const home of month.homes) {
      const spans = ledgers.find(({ key }) => key === home.key)?.spans ?? [];
      expect(wrongMinutes(month, home, spans).slice(0, 20)).toEqual([]);
      for (const { reason } of spans) reasons.add(reason);
    }
    if (days < 30) return;
    expect([...reasons].sort()).toEqual([...blindReasons].sort());
    const { "service killed": killed = 0, "gateway lost": lost = 0, "broker lost": broker = 0 } = month.happened;
    expect(Math.min(killed, lost, broker)).toBeGreaterThan(5);
  },
);

test("what the event log was told of the hours adds up to what the ledger says, over restarts too", async () => {
  month = new BlindMonth(3, 6);
  const from = month.now;
  await month.run();
  const until = Math.floor((month.now - 5 * minuteMs) / hourMs) * hourMs;
  for (const { key, spans } of await readLedger(month.store.blindTime, { from, until })) {
    for (let hourAt = from; hourAt < until; hourAt += hourMs) {
      const sums = sumsByReason(clipped(spans, hourAt, hourAt + hourMs));
      for (const reason of blindReasons) {
        const told = month.told.filter((one) => one.alias === key && one.at === hourAt && one.reason === reason);
        const seconds = told.reduce((sum, one) => sum + one.seconds, 0);
        expect(seconds, `${key}, hour ${hourAt}, ${reason}`).toBe(Math.round((sums[reason] ?? 0) / 1000));
      }
    }
  }
});
