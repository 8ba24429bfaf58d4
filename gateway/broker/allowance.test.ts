import { expect, test } from "vitest";
import type { Clock, MonotonicMs, WallMs } from "../../firmware-contracts/clock.ts";
import { createAllowance } from "./allowance.ts";

/** A clock that stands until it is moved. */
function standing() {
  let now = 0;
  let timers: { at: number; call: () => void }[] = [];
  const clock: Clock = {
    wallNow: () => now as WallMs,
    monotonicNow: () => now as MonotonicMs,
    after(ms, call) {
      const timer = { at: now + ms, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  };
  const move = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      timers = timers.filter((one) => one !== next);
      now = next.at;
      next.call();
    }
    now = end;
  };
  return { clock, move };
}

test("a burst goes at once, the rest at the even rate and in order; beyond what is held back it is a flood", () => {
  const { clock, move } = standing();
  const allowance = createAllowance({ clock, perSecond: 10, burst: 5, mostHeld: 20 });
  const went: number[] = [];
  const owner = {};
  const sent = Array.from({ length: 40 }, (_, i) =>
    allowance.pass(
      "watch-1",
      owner,
      () => went.push(i),
      () => {},
    ),
  );
  const atOnce = went.length;
  expect(atOnce).toBeGreaterThanOrEqual(5);
  expect(atOnce).toBeLessThanOrEqual(6);
  expect(sent.filter((isTaken) => isTaken).length).toBe(atOnce + 20);
  move(1000);
  expect(went.length - atOnce).toBe(10);
  move(5000);
  expect(went).toEqual(Array.from({ length: atOnce + 20 }, (_, i) => i));
  // Another device has an allowance of its own.
  expect(
    allowance.pass(
      "watch-2",
      owner,
      () => went.push(-1),
      () => {},
    ),
  ).toBe(true);
  expect(went.at(-1)).toBe(-1);
});

test("a new connection does not renew the allowance, and what the old one had waiting is dropped", () => {
  const { clock, move } = standing();
  const allowance = createAllowance({ clock, perSecond: 10, burst: 1, mostHeld: 20 });
  const [older, newer] = [{}, {}];
  const went: string[] = [];
  let dropped = 0;
  for (let i = 0; i < 10; i++)
    allowance.pass(
      "watch-1",
      older,
      () => went.push("older"),
      () => dropped++,
    );
  const atOnce = went.length;
  allowance.forget("watch-1", older);
  expect(dropped).toBe(10 - atOnce);
  allowance.pass(
    "watch-1",
    newer,
    () => went.push("newer"),
    () => {},
  );
  expect(went).not.toContain("newer");
  move(1000);
  expect(went.filter((who) => who === "newer")).toHaveLength(1);
});
