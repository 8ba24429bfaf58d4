import { randomUUID } from "node:crypto";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { hashSecret, newSecret } from "../../firmware-contracts/secret.ts";
import type { SelfTestConfig } from "../operation-config.ts";
import type { SelfTestRow, Store } from "../store/store.ts";
import { actOf } from "./acting.ts";
import type { NewSecret } from "./registry.ts";

/** The self-test's device, and its tests, as a command sees them beside a service that may be running. */
export interface SelfTesting {
  /** Puts the test device into the register, or gives it another secret, which is shown once. @throws where a resident's device has its id. */
  putDevice(deviceId: string, by: string | undefined): Promise<NewSecret>;
  /** Asks the running service for a test. Returns its id. @throws where one is under way, or its device is in no register. */
  ask(config: Pick<SelfTestConfig, "device" | "limits">, by: string | undefined): Promise<string>;
  find(id: string): Promise<SelfTestRow | null>;
  /** The newest first. */
  list(limit: number): Promise<SelfTestRow[]>;
}

export function createSelfTesting(store: () => Store, clock: Clock): SelfTesting {
  return {
    async putDevice(deviceId, by) {
      const secret = newSecret();
      await store().selfTests.putDevice(deviceId, await hashSecret(secret, "device"), actOf(clock, by));
      return { deviceId, secret };
    },
    async ask({ device, limits }, by) {
      const found = await store().registry.device(device);
      if (!found?.device.isSelfTest) {
        throw new Error(
          `the self-test's device ${device} is not in the register: fallvakt self-test device --out FILE`,
        );
      }
      const { at: askedAt, by: name } = actOf(clock, by);
      const id = `s${randomUUID().replaceAll("-", "").slice(0, 12)}`;
      await store().selfTests.ask({ id, askedAt, by: name, device, limits });
      return id;
    },
    find: (id) => store().selfTests.findById(id),
    list: (limit) => store().selfTests.list(limit),
  };
}
