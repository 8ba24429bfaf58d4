import type { Clock, MonotonicMs } from "../../../firmware-contracts/clock.ts";
import type { InstallerNote } from "../../../firmware-contracts/installer-note.ts";
import type { Board } from "../../board.ts";
import type { AlertingConfig } from "../../config.ts";
import type { GatewayWatch } from "../../intake/gateway-watch.ts";
import type { Keeper } from "../../keeper.ts";
import type { DeviceRow, Dwelling, Store } from "../../store/store.ts";
import type { DeviceItem } from "./api.ts";
import { inOrder, itemMaker, type Known } from "./device-views.ts";

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

/** A device as it is shown, and the dwelling that says who may see it. */
export interface ShownDevice {
  item: DeviceItem;
  dwelling: Dwelling | null;
}

/** All that is known of devices at one moment. */
export interface Snapshot extends Known {
  devices: readonly DeviceRow[];
  /** In the order of the list. */
  shown: readonly ShownDevice[];
}

/** Reads all that is known of devices, for all pages that ask at about the same time. */
export interface Snapshots {
  read(): Promise<Snapshot>;
  /** Something was changed: the next read is of after that. */
  forget(): void;
}

/** One snapshot serves for so long, ms: reading thousands of devices keeps the store's thread from alarms, however many pages are open. */
const freshMs = 2_000;

export function createSnapshots({ store, clock, gatewayWatch }: DevicesParts): Snapshots {
  let last: { at: MonotonicMs; snapshot: Promise<Snapshot> } | null = null;

  async function readNow(): Promise<Snapshot> {
    const { registry, troubles, operation } = store();
    const [devices, dwellings, open, tests] = await Promise.all([
      registry.devices(Math.round(clock.wallNow())),
      registry.dwellings(),
      troubles.open(),
      operation.listOpenTests(),
    ]);
    const known: Known = {
      dwellings: new Map(dwellings.map((dwelling): [string, Dwelling] => [dwelling.id, dwelling])),
      ...{ troubles: open, tests },
      lostGateways: new Set(gatewayWatch.lost().map(({ gatewayId }) => gatewayId)),
    };
    const itemOf = itemMaker(known);
    const shown = devices.map((device) => ({
      item: itemOf(device),
      dwelling: known.dwellings.get(device.dwellingId ?? "") ?? null,
    }));
    return { ...known, devices, shown: shown.sort((a, b) => inOrder(a.item, b.item)) };
  }

  return {
    read() {
      const now = clock.monotonicNow();
      if (last !== null && now - last.at < freshMs) return last.snapshot;
      const mine = { at: now, snapshot: readNow() };
      last = mine;
      // What could not be read is tried again by whoever asks next.
      mine.snapshot.catch(() => {
        if (last === mine) last = null;
      });
      return mine.snapshot;
    },
    forget() {
      last = null;
    },
  };
}
