import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { GatewayConfig } from "../config.ts";
import { createCounters } from "../counters.ts";
import { createSeldom } from "../seldom.ts";
import type { Broker } from "./broker.ts";
import { conformancePermissions } from "./conformance-permissions.ts";
import { createEmbeddedBroker } from "./embedded.ts";

/** FOR CONFORMANCE TESTS ONLY: the gateway's broker, its bounds included, with permissions that let everybody in. */
export function openConformanceBroker(port: number, clock: Clock, log: Logger): Broker {
  const { mqtt, limits } = GatewayConfig.parse({ mqtt: { port } });
  return createEmbeddedBroker({
    mqtt,
    limits,
    clock,
    log,
    counters: createCounters(),
    isSeldom: createSeldom(clock),
    permissions: conformancePermissions,
    handlers: {
      admits: async () => "secret",
      publish: () => undefined,
      frame: () => undefined,
      online: () => {},
      offline: () => {},
    },
  });
}
