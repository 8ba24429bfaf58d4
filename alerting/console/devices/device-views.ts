import type { DeviceRow, DeviceTroubleRow, Dwelling, OperationTest } from "../../store/store.ts";
import { missedMeanwhile } from "../../trouble-kinds.ts";
import { type Account, maySeeUnit } from "../roles.ts";
import type { DeviceFilter, DeviceItem, DeviceKind, TroubleView } from "./api.ts";

/** At this charge a battery is low whatever its trend says, per cent. */
const lowBattery = 20;

/** What the register and the watch know, of all devices. */
export interface Known {
  dwellings: ReadonlyMap<string, Dwelling>;
  /** Those that last. */
  troubles: readonly DeviceTroubleRow[];
  /** Tests that await an alarm or a key number. */
  tests: readonly OperationTest[];
  lostGateways: ReadonlySet<string>;
}

/** Whether a device is this account's to see. One in no dwelling says nothing of a resident: whoever takes it out of store may be of any unit. */
export function maySeeDevice(account: Account, dwelling: Dwelling | null): boolean {
  return dwelling === null || maySeeUnit(account, dwelling.unit);
}

/** Where a device is. While a test awaits the key number nobody is told it: it is to be read from the key. */
export function whereOf(
  dwelling: Dwelling | null,
  room: string | null,
  isTested: boolean,
): Pick<DeviceItem, "key" | "isKeyHidden" | "unit" | "area" | "room"> {
  return {
    key: isTested ? null : (dwelling?.alias ?? null),
    isKeyHidden: isTested && dwelling !== null,
    unit: dwelling?.unit ?? null,
    area: dwelling?.area ?? null,
    room: room ?? dwelling?.room ?? null,
  };
}

export function troubleViewOf(row: DeviceTroubleRow, isInStore: boolean): TroubleView {
  const { trouble, since, deviceClass, battery, daysLeft, driftMs } = row;
  const missed = isInStore ? null : missedMeanwhile(trouble, deviceClass);
  return { trouble, since: Math.round(since), missed, battery, daysLeft, driftMs };
}

function kindOf(device: DeviceRow, troubles: readonly DeviceTroubleRow[]): DeviceKind {
  if (device.isSelfTest) return "self-test";
  if (device.staffTag) return "staff-tag";
  if (device.leadsOut) return "door";
  if (device.tellsPresence) return "presence";
  return troubles.find(({ deviceClass }) => deviceClass !== null)?.deviceClass ?? "wearable";
}

/** Makes what is shown of a device, over all that is known. */
export function itemMaker({ dwellings, troubles, tests, lostGateways }: Known): (device: DeviceRow) => DeviceItem {
  const byDevice = Map.groupBy(troubles, ({ deviceId }) => deviceId);
  const tested = new Map(tests.map(({ deviceId, untilAt }) => [deviceId, untilAt]));
  return (device) => {
    const { deviceId, placement, operation, revoked, lastSeenAt, online, battery, gatewayId } = device;
    const dwelling = device.dwellingId === null ? null : (dwellings.get(device.dwellingId) ?? null);
    const its = revoked ? [] : (byDevice.get(deviceId) ?? []);
    const testUntil = tested.get(deviceId) ?? null;
    const kind = kindOf(device, its);
    const raisesAlarms = kind === "wearable" || kind === "button";
    return {
      ...{ deviceId, kind, placement, ...whereOf(dwelling, device.room, testUntil !== null) },
      operation: operation.state,
      needsTest: raisesAlarms && operation.state === "awaiting-test" && !revoked,
      ...{ revoked, lastSeenAt, online, battery },
      troubles: its.map((row) => troubleViewOf(row, operation.state === "in-store")),
      ...{ gatewayId, isGatewayLost: gatewayId !== null && lostGateways.has(gatewayId) },
      ...{ consent: device.consent ?? "missing", pausedUntil: device.pause?.until ?? null, testUntil },
    };
  };
}

const filters: Record<DeviceFilter, (item: DeviceItem) => boolean> = {
  all: ({ revoked }) => !revoked,
  trouble: ({ revoked, troubles, isGatewayLost }) => !revoked && (troubles.length > 0 || isGatewayLost),
  "battery-low": ({ revoked, troubles, battery }) =>
    !revoked && (troubles.some(({ trouble }) => trouble === "battery-low") || (battery ?? 100) <= lowBattery),
  "awaiting-test": ({ needsTest }) => needsTest,
  "in-store": ({ revoked, operation, kind }) => !revoked && operation === "in-store" && kind !== "self-test",
  revoked: ({ revoked }) => revoked,
};

export function matches(item: DeviceItem, filter: DeviceFilter): boolean {
  return filters[filter](item);
}

/** Whether every word of `search` stands in what is shown of the device. */
export function holds(item: DeviceItem, search: string): boolean {
  const { deviceId, key, area, room, unit } = item;
  const text = [deviceId, key, area, room, unit].join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** As people count: key 9 before key 10. */
const byText = new Intl.Collator("sv", { numeric: true }).compare;

/** By unit and key number; what is in no dwelling comes last. */
export function inOrder(a: DeviceItem, b: DeviceItem): number {
  return (
    Number(a.unit === null) - Number(b.unit === null) ||
    byText(a.unit ?? "", b.unit ?? "") ||
    Number(a.key === null) - Number(b.key === null) ||
    byText(a.key ?? "", b.key ?? "") ||
    byText(a.deviceId, b.deviceId)
  );
}
