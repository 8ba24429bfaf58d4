import fc from "fast-check";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { Control, type ControlDevice, longestPauseMs } from "../../firmware-contracts/intake.ts";
import { createCounters } from "../counters.ts";
import { KeptControl } from "./kept-control.ts";
import { createRegistry } from "./registry.ts";
import { hindrancesOf, unwatched } from "./watching.ts";

const minute = 60_000;
const hour = 60 * minute;
/** Alerting's time when it gave the Control. */
const given = 1_800_000_000_000;

const device = (more: Partial<ControlDevice> = {}): ControlDevice => ({
  deviceId: "watch-1",
  secretHash: "hash",
  placement: "wrist",
  revoked: false,
  consent: "given",
  ...more,
});
const pausedFor = (ms: number, begunBefore = 0) =>
  device({ pause: { from: given - begunBefore, until: given + ms, reason: "visit" } });
const control = (one: ControlDevice, at: number | undefined = given): Control => ({
  v: 1,
  version: 7,
  at,
  devices: [one],
});

/** Whether frames would be dropped `afterMs` after the Control came, where the gateway's wall clock then says `wall`. */
function heldAt(one: ControlDevice, afterMs: number, wall: number, at = given) {
  const found = hindrancesOf(control(one, at), 0, 5000).get("watch-1");
  return found ? unwatched(found, wall, 5000 + afterMs) : null;
}

describe("who may be watched", () => {
  test("consent given, or an alerting that knows of no consents: watched; missing or withdrawn: not", () => {
    expect(heldAt(device(), 0, given)).toBeNull();
    expect(heldAt(device({ consent: undefined }), 0, given)).toBeNull();
    expect(heldAt(device({ consent: "missing" }), 0, given)).toBe("no-consent");
    expect(heldAt(device({ consent: "withdrawn" }), 0, given)).toBe("no-consent");
    expect(heldAt({ ...pausedFor(-1), consent: "withdrawn" }, 0, given)).toBe("no-consent");
  });

  test("a pause ends when its time is over, though the wall clock says 1970 or was set back", () => {
    for (const wall of [30 * minute, given - 5 * hour, given]) {
      expect(heldAt(pausedFor(30 * minute), 30 * minute - 1, wall)).toBe("paused");
      expect(heldAt(pausedFor(30 * minute), 30 * minute, wall)).toBeNull();
    }
  });

  test("it ends when the wall clock says so, and does not begin again when that is set back", () => {
    const found = hindrancesOf(control(pausedFor(30 * minute)), 0, 0).get("watch-1")!;
    expect(unwatched(found, given + 29 * minute, 1)).toBe("paused");
    expect(unwatched(found, given + 30 * minute, 2)).toBeNull();
    expect(unwatched(found, given, 3)).toBeNull();
  });

  test("what is left counts from when alerting gave it, and is never more than the whole, whatever alerting's clock says", () => {
    const one = pausedFor(10 * minute, 20 * minute);
    expect(heldAt(one, 10 * minute - 1, given)).toBe("paused");
    expect(heldAt(one, 10 * minute, given)).toBeNull();
    // Alerting's clock has gone back to 1970.
    expect(heldAt(one, 30 * minute - 1, given, 1000)).toBe("paused");
    expect(heldAt(one, 30 * minute, given, 1000)).toBeNull();
    expect(heldAt(pausedFor(400 * 24 * hour), longestPauseMs, given)).toBeNull();
  });

  test("given again, the same pause is not made longer by a clock that stands still; another pause is its own", () => {
    const first = hindrancesOf(control(pausedFor(30 * minute)), 0, 0);
    const again = hindrancesOf(control(pausedFor(30 * minute)), 0, 20 * minute, first);
    expect(unwatched(again.get("watch-1")!, given, 30 * minute - 1)).toBe("paused");
    expect(unwatched(again.get("watch-1")!, given, 30 * minute)).toBeNull();
    const other = hindrancesOf(control(pausedFor(31 * minute)), 0, 20 * minute, first);
    expect(unwatched(other.get("watch-1")!, given, 50 * minute)).toBe("paused");
  });

  test("for any two clocks: never held longer than the pause is", () => {
    const ms = fc.integer({ min: 1, max: 60 * 24 * hour });
    const wall = fc.integer({ min: 0, max: 2 * given });
    fc.assert(
      fc.property(ms, ms, wall, wall, ms, (length, left, at, now, after) => {
        const one = device({ pause: { from: given - length + left, until: given + left, reason: "other" } });
        const isHeld = heldAt(one, after, now, at) !== null;
        if (after >= Math.min(length, longestPauseMs) || now >= given + left) expect(isHeld).toBe(false);
        else if (at <= given - length + left) expect(isHeld).toBe(true);
      }),
    );
  });
});

describe("versions of the contract", () => {
  test("a gateway reads a Control of an alerting that is older, and one that is newer", () => {
    const older = {
      v: 1,
      version: 3,
      devices: [{ deviceId: "a-1", secretHash: "h", placement: "hip", revoked: false }],
    };
    expect(Control.parse(older)).toEqual(older);
    const pause = { from: 1, until: 2, reason: "a reason of later days" };
    const newer = {
      ...older,
      at: 5,
      later: true,
      devices: [{ ...older.devices[0], consent: "given", pause, more: 1 }],
    };
    expect(Control.parse(newer).devices[0]?.pause).toEqual({ from: 1, until: 2, reason: "other" });
    expect(KeptControl.parse(older).kept).toBeUndefined();
  });
});

/** A machine whose two clocks are moved by hand; what is due runs in between. */
function machine() {
  const is = { wall: given, monotonic: 0 };
  let timers: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    wallNow: () => is.wall,
    monotonicNow: () => is.monotonic,
    after(ms, run) {
      const timer = { at: is.monotonic + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  };
  return {
    clock,
    is,
    async pass(ms: number) {
      const end = is.monotonic + ms;
      for (let turns = 0; turns < 100_000; turns++) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        const to = next?.at ?? end;
        is.wall += to - is.monotonic;
        is.monotonic = to;
        if (!next) return;
        timers = timers.filter((one) => one !== next);
        next.run();
        // What it began awaits an answer or two.
        for (let i = 0; i < 12; i++) await null;
      }
      throw new Error("time does not pass");
    },
    /** Switched off: nothing runs on. */
    off() {
      timers = [];
    },
  };
}

/** A gateway's registry over restarts: what it has on the disk, and whether alerting can be reached. */
function gatewayOf(one: ControlDevice) {
  const { clock, is, pass, off } = machine();
  const disk: { text: string | null } = { text: null };
  const asked: number[] = [];
  const alerting = { isAway: false, at: given, version: 7 };
  const store = {
    readControl: async () => (disk.text === null ? null : KeptControl.parse(JSON.parse(disk.text))),
    writeControl: async (kept: KeptControl) => {
      disk.text = JSON.stringify(kept);
    },
  };
  const intake = {
    submit: async () => {},
    async control(have: number) {
      asked.push(have);
      if (alerting.isAway) throw new Error("away");
      return have === alerting.version ? null : { ...control(one, alerting.at), version: alerting.version };
    },
  };
  async function boot() {
    const registry = createRegistry({
      store,
      intake,
      clock,
      counters: createCounters(),
      log: pino({ level: "silent" }),
      gatewayId: "gateway-1",
      refreshSeconds: 10,
      maxChecks: 4,
      onChange() {},
    });
    await registry.start();
    return registry;
  }
  return { boot, pass, off, is, alerting, asked, disk };
}

describe("without contact", () => {
  test("after a restart the pause goes on with what is left of it, and ends", async () => {
    const gateway = gatewayOf(pausedFor(hour));
    await gateway.boot();
    await gateway.pass(20 * minute);
    gateway.off();
    gateway.alerting.isAway = true;
    gateway.is.wall += 10 * minute;
    gateway.is.monotonic = 0;
    const again = await gateway.boot();
    expect(again.version).toBe(7);
    expect(again.unwatched("watch-1")).toBe("paused");
    await gateway.pass(29 * minute);
    expect(again.unwatched("watch-1")).toBe("paused");
    await gateway.pass(minute);
    expect(again.unwatched("watch-1")).toBeNull();
  });

  test("started in 1970 nobody knows what is left: it watches", async () => {
    const gateway = gatewayOf(pausedFor(hour));
    await gateway.boot();
    gateway.off();
    gateway.alerting.isAway = true;
    gateway.is.wall = 5000;
    expect((await gateway.boot()).unwatched("watch-1")).toBeNull();
  });

  test("back in contact it asks anew, and alerting's word on what is left counts", async () => {
    const gateway = gatewayOf(pausedFor(hour));
    await gateway.boot();
    gateway.off();
    gateway.is.wall = 5000;
    gateway.alerting.at = given + 15 * minute;
    const again = await gateway.boot();
    expect(gateway.asked).toEqual([0, -1]);
    expect(again.unwatched("watch-1")).toBe("paused");
    await gateway.pass(10_000);
    expect(gateway.asked.at(-1)).toBe(7);
    await gateway.pass(45 * minute - 11_000);
    expect(again.unwatched("watch-1")).toBe("paused");
    await gateway.pass(1000);
    expect(again.unwatched("watch-1")).toBeNull();
  });

  test("a Control from before there were consents is asked for anew, once", async () => {
    const gateway = gatewayOf(device({ consent: "missing" }));
    gateway.disk.text = JSON.stringify({ v: 1, version: 7, devices: [device({ consent: undefined })] });
    const registry = await gateway.boot();
    expect(registry.hasConsent("watch-1")).toBe(false);
    await gateway.pass(30_000);
    expect(gateway.asked).toEqual([-1, 7, 7, 7]);
  });

  test("no consent stays no consent", async () => {
    const gateway = gatewayOf(device({ consent: "withdrawn" }));
    await gateway.boot();
    gateway.off();
    gateway.alerting.isAway = true;
    gateway.is.wall = 5000;
    const again = await gateway.boot();
    await gateway.pass(hour);
    expect(again.unwatched("watch-1")).toBe("no-consent");
  });

  test("switched off and on as often as may be, with any clock: it never pauses longer than the pause is, and at last not at all", async () => {
    const off = fc.record({
      upMs: fc.integer({ min: 0, max: 25 * minute }),
      downMs: fc.integer({ min: 0, max: 3 * hour }),
      // What its wall clock says when it is on again: the time; that of when it went off; or of some day.
      clock: fc.oneof(
        fc.constantFrom("right", "stopped", "1970"),
        fc.integer({ min: given - hour, max: given + hour }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(off, { minLength: 1, maxLength: 8 }), async (times) => {
        const length = 30 * minute;
        const gateway = gatewayOf(pausedFor(length));
        let registry = await gateway.boot();
        gateway.alerting.isAway = true;
        let held = 0;
        const live = async (ms: number) => {
          for (let left = ms; left > 0; left -= 10_000) {
            const step = Math.min(left, 10_000);
            if (registry.unwatched("watch-1") !== null) held += step;
            await gateway.pass(step);
          }
        };
        for (const { upMs, downMs, clock } of times) {
          await live(upMs);
          gateway.off();
          if (clock === "right") gateway.is.wall += downMs;
          else if (clock === "1970") gateway.is.wall = downMs;
          else if (clock !== "stopped") gateway.is.wall = clock;
          registry = await gateway.boot();
        }
        await live(length);
        expect(held).toBeLessThanOrEqual(length + 10_000);
        expect(registry.unwatched("watch-1")).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});
