import type { Clock } from "../../../firmware-contracts/clock.ts";
import type { InstallerNote } from "../../../firmware-contracts/installer-note.ts";
import type { Board } from "../../board.ts";
import type { AlertingConfig } from "../../config.ts";
import type { GatewayWatch } from "../../intake/gateway-watch.ts";
import type { Keeper } from "../../keeper.ts";
import type { Dwelling, Store } from "../../store/store.ts";
import type { Known } from "./device-views.ts";

/** Where devices find the broker, and whom they shall trust there; `named`: its address, where a person gave it. @throws where nobody knows. */
export type BrokerForDevices = (named?: string) => Pick<InstallerNote, "broker" | "ca">;

/** What the devices' part of the API needs of alerting. */
export interface DevicesParts {
  config: AlertingConfig;
  clock: Clock;
  store: () => Store;
  board: () => Board;
  keeper: () => Keeper;
  gatewayWatch: GatewayWatch;
  brokerForDevices?: BrokerForDevices | undefined;
}

/** All that is known of devices now, but for the devices themselves. */
export async function readKnown({ store, gatewayWatch }: Pick<DevicesParts, "store" | "gatewayWatch">): Promise<Known> {
  const { registry, troubles, operation } = store();
  const [dwellings, open, tests] = await Promise.all([
    registry.dwellings(),
    troubles.open(),
    operation.listOpenTests(),
  ]);
  return {
    dwellings: new Map(dwellings.map((dwelling): [string, Dwelling] => [dwelling.id, dwelling])),
    ...{ troubles: open, tests },
    lostGateways: new Set(gatewayWatch.lost().map(({ gatewayId }) => gatewayId)),
  };
}
