import type { Clock } from "../../firmware-contracts/clock.ts";

export interface AllowanceOptions {
  clock: Clock;
  perSecond: number;
  /** How many may come at once after a rest. */
  burst: number;
  /** How many of one device may be held back at one time. */
  mostHeld: number;
}

interface Device {
  /** When the next message would be due at the even rate, ms of the monotonic clock. */
  due: number;
  held: { go(): void; drop(): void; owner: object }[];
  callOff: () => void;
}

/**
 * How fast one device may publish (the generic cell rate algorithm of ITU-T I.371). What comes faster is held back in its order, which by the
 * broker's back-pressure slows its sender; the allowance belongs to the device, so that a new connection does not renew it.
 */
export function createAllowance({ clock, perSecond, burst, mostHeld }: AllowanceOptions) {
  const gap = 1000 / perSecond;
  const depth = gap * burst;
  const devices = new Map<string, Device>();

  function drain(device: Device): void {
    device.callOff = () => {};
    while (device.held.length > 0) {
      const wait = device.due - depth - clock.monotonicNow();
      if (wait > 0) {
        device.callOff = clock.after(Math.ceil(wait), () => drain(device));
        return;
      }
      device.due += gap;
      device.held.shift()?.go();
    }
  }

  function deviceOf(deviceId: string, now: number): Device {
    const known = devices.get(deviceId);
    if (known) return known;
    const device: Device = { due: now, held: [], callOff: () => {} };
    devices.set(deviceId, device);
    return device;
  }

  /** Whether a message may go now; it then has. */
  function goesAtOnce(device: Device, now: number): boolean {
    if (device.held.length > 0) return false;
    if (device.due < now) device.due = now;
    if (device.due - depth > now) return false;
    device.due += gap;
    return true;
  }

  return {
    /** As `pass` for a message that may go now. False where it may not; nothing is held back then. */
    passAtOnce(deviceId: string): boolean {
      const now = clock.monotonicNow();
      return goesAtOnce(deviceOf(deviceId, now), now);
    },
    /** Calls `go` now or in its turn. False where too many of this device are held back: it floods. `drop` is called for what `forget` finds. */
    pass(deviceId: string, owner: object, go: () => void, drop: () => void): boolean {
      const now = clock.monotonicNow();
      const device = deviceOf(deviceId, now);
      if (goesAtOnce(device, now)) {
        go();
        return true;
      }
      if (device.held.length >= mostHeld) return false;
      device.held.push({ go, drop, owner });
      if (device.held.length === 1) drain(device);
      return true;
    },
    /** Drops what is held back for a connection that is gone. */
    forget(deviceId: string, owner: object): void {
      const device = devices.get(deviceId);
      if (!device) return;
      const gone = device.held.filter((one) => one.owner === owner);
      device.held = device.held.filter((one) => one.owner !== owner);
      if (device.held.length === 0) device.callOff();
      for (const { drop } of gone) drop();
      if (device.held.length === 0 && device.due <= clock.monotonicNow()) devices.delete(deviceId);
    },
  };
}

export type Allowance = ReturnType<typeof createAllowance>;
