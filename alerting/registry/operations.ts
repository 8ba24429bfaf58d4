import { randomUUID } from "node:crypto";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { DeviceRow, OperationChange, OperationTest, Store, Via } from "../store/store.ts";
import { longestTestMs } from "../test-alarm-facts.ts";
import { actOf } from "./acting.ts";
import { dwellingFor, NewDevice, problemOf, unknownDevice, wordOf } from "./registry.ts";

/** Where a device goes. What is left out stays as it is: its placement, and what is known of a dwelling that is in the register. */
export interface NewPlace {
  key: string;
  area?: string | undefined;
  unit?: string | undefined;
  room?: string | undefined;
  placement?: Placement | undefined;
}

/**
 * Whether devices are in operation: their alarms call staff to their dwelling only then. Until a test alarm from there was answered with its key number,
 * or somebody has given their word for it, a fall goes to the operators first.
 */
export interface Operations {
  /**
   * The device's next alarm within `minutes` is a test: it asks the phone of `to`, or of whoever is on call, for the key number.
   * @throws with the mend where there is nothing to be tried.
   */
  test(deviceId: string, options: { minutes: number; to?: string | undefined; by: string }): Promise<OperationTest>;
  /**
   * Ends a device's test before its time. An alarm that has come already is then no test: it goes to the operators. Null where none is open.
   * @throws where there is no such device.
   */
  callOff(deviceId: string, by: string): Promise<OperationTest | null>;
  /** A device's newest test, and what came of it; null where it had none. */
  lastTest(deviceId: string): Promise<OperationTest | null>;
  /**
   * Puts devices that await their test into operation without one; `all`: whichever do. Returns which.
   * @throws without a name and a reason, and where one of them cannot be.
   */
  commission(devices: readonly string[] | "all", word: { by: string; reason: string }): Promise<string[]>;
  /** Takes a device out of its dwelling: it alarms to no address any more. @throws where there is no such device. */
  store(deviceId: string, by: string): Promise<void>;
  /** Puts a device into a dwelling, where it awaits its test. @throws where there is no such device, or the key could be taken for a neighbour's. */
  move(deviceId: string, to: NewPlace, by: string): Promise<void>;
  /** The oldest first. */
  changes(deviceId: string): Promise<OperationChange[]>;
}

/** @param via where what is changed is changed, for the audit log. */
export function createOperations(store: () => Store, clock: Clock, via: Via = "cli"): Operations {
  const acted = (by: string) => {
    const act = actOf(clock, by, via);
    return { ...act, by: act.by ?? "" };
  };

  async function find(deviceId: string): Promise<DeviceRow> {
    const found = await store().registry.device(deviceId);
    if (!found || found.device.revoked) throw unknownDevice(deviceId);
    if (found.device.isSelfTest) throw new Error(`${deviceId} is the self-test's own; it is in no dwelling`);
    return found.device;
  }

  return {
    async test(deviceId, { minutes, to, by }) {
      if (!(Number.isInteger(minutes) && minutes >= 1 && minutes * 60_000 <= longestTestMs)) {
        throw new Error(`minutes: a whole number from 1 to ${longestTestMs / 60_000}`);
      }
      const { operation, dwellingId } = await find(deviceId);
      if (dwellingId === null) {
        throw new Error(
          `${deviceId} is in store; put it into a dwelling first: fallvakt device move ${deviceId} --key KEY --by NAME`,
        );
      }
      if (operation.state === "in-operation") {
        throw new Error(
          `${deviceId} is in operation: a fall of its wearer would be taken for a test. Where it is worn by somebody else now: fallvakt device move`,
        );
      }
      const act = acted(by);
      const test = {
        id: `t${randomUUID().replaceAll("-", "").slice(0, 12)}`,
        ...{ deviceId, dwellingId, responderId: to ?? null, by: act.by },
        ...{ openedAt: act.at, untilAt: act.at + minutes * 60_000 },
      };
      await store().operation.openTest(test, via);
      return { ...test, episodeId: null, wrong: 0, endedAt: null, outcome: null };
    },
    async callOff(deviceId, by) {
      await find(deviceId);
      return store().operation.callOffTest(deviceId, acted(by));
    },
    lastTest: (deviceId) => store().operation.findTest(deviceId),
    async commission(devices, word) {
      const { by, reason } = wordOf(word);
      if (devices !== "all") {
        for (const deviceId of devices) {
          const { operation, dwellingId } = await find(deviceId);
          if (dwellingId === null) {
            throw new Error(`${deviceId} is in store: it has no dwelling to be in operation in; fallvakt device move`);
          }
          if (operation.state === "in-operation") throw new Error(`${deviceId} is in operation already`);
        }
      }
      const act = acted(by);
      return store().operation.commission(devices === "all" ? null : devices, act, reason);
    },
    async store(deviceId, by) {
      await find(deviceId);
      if (!(await store().operation.putInStore(deviceId, acted(by)))) throw unknownDevice(deviceId);
    },
    async move(deviceId, { key, area, unit, room, placement }, by) {
      const device = await find(deviceId);
      const wanted = NewDevice.safeParse({ deviceId, placement: placement ?? device.placement, key, area, unit, room });
      if (!wanted.success) throw new Error(`device ${deviceId}: ${problemOf(wanted.error)}`);
      const dwelling = dwellingFor(wanted.data, await store().registry.dwellings(), {});
      const to = { dwelling, placement: wanted.data.placement, room: wanted.data.room ?? null };
      if (!(await store().operation.moveDevice(deviceId, to, acted(by)))) throw unknownDevice(deviceId);
    },
    changes: (deviceId) => store().operation.readChanges(deviceId),
  };
}
