import type { EpisodeState } from "../../episode-state.ts";
import { areaOf } from "../../gateway-alarms.ts";
import type { WatchedGateway } from "../../intake/gateway-watch.ts";
import type { DeviceRow } from "../../store/store.ts";
import { kindOfTrouble } from "../../trouble-kinds.ts";
import { troubleKey } from "../../welfare-keys.ts";
import type { Account } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import { type DeviceInTrouble, type GatewayInTrouble, Gateways, type GatewayView, Troubles } from "./api.ts";
import { maySeeDevice, troubleViewOf, whereOf } from "./device-views.ts";
import type { DevicesParts, Snapshot, Snapshots } from "./parts.ts";

/** More are counted: nobody reads them one by one. */
const mostDevices = 60;

/** What is wrong now, as it is gathered from. */
export interface TroubleSources extends Omit<Snapshot, "shown" | "lostGateways"> {
  gateways: readonly WatchedGateway[];
  /** Open episodes. */
  open: readonly EpisodeState[];
}

/** What is wrong with devices and gateways, as `account` may see it. */
export function troublesOf(sources: TroubleSources, account: Account, now: number): Troubles {
  const { devices, gateways, dwellings, troubles, tests, open } = sources;
  const byId = new Map(devices.map((device) => [device.deviceId, device]));
  const tested = new Set(tests.map(({ deviceId }) => deviceId));
  const alarms = new Map(open.flatMap((one) => (one.facts.trouble ? [[troubleKey(one.facts.trouble), one]] : [])));
  const alarmOf = (kind: Parameters<typeof troubleKey>[0]["kind"], subject: string) => {
    const found = alarms.get(troubleKey({ kind, subject }));
    return found ? { id: found.facts.id, code: found.facts.code, status: found.status } : null;
  };
  const dwellingOf = (device: DeviceRow | undefined) => dwellings.get(device?.dwellingId ?? "") ?? null;
  const dwellingsBehind = (some: (gatewayId: string) => boolean) =>
    new Set(
      devices.flatMap((device) => {
        const dwelling = dwellingOf(device);
        const isBehind = !device.revoked && device.gatewayId !== null && some(device.gatewayId);
        return isBehind && dwelling && maySeeDevice(account, dwelling) ? [dwelling.id] : [];
      }),
    ).size;

  const ofGateway = (gatewayId: string, trouble: GatewayInTrouble["trouble"], since: number): GatewayInTrouble => ({
    ...{ gatewayId, trouble, since: Math.round(since) },
    dwellings: dwellingsBehind((one) => one === gatewayId),
    alarm: alarmOf(trouble === "lost" ? "gateway-lost" : trouble, gatewayId),
  });
  const lost = gateways.flatMap(({ gatewayId, lostAt }) => (lostAt === null ? [] : [{ gatewayId, lostAt }]));
  const lostGateways = new Set(lost.map(({ gatewayId }) => gatewayId));
  const withoutBroker = brokersLost(open).filter(({ gatewayId }) => !lostGateways.has(gatewayId));
  const inTrouble = [
    ...lost.map(({ gatewayId, lostAt }) => ofGateway(gatewayId, "lost", lostAt)),
    ...withoutBroker.map(({ gatewayId, since }) => ofGateway(gatewayId, "broker-lost", since)),
  ].sort((a, b) => a.since - b.since || (a.gatewayId < b.gatewayId ? -1 : 1));

  const areaAlarm = alarmOf("area-silent", "area");
  const silent = lost.map(({ lostAt }) => areaOf(lost, lostAt)).find((one) => one !== null);
  const areaSince = areaAlarm ? open.find(({ facts }) => facts.id === areaAlarm.id)?.facts.since : silent?.since;
  const area =
    areaSince === undefined
      ? null
      : {
          since: Math.round(areaSince),
          gateways: lost.length,
          dwellings: dwellingsBehind((gatewayId) => lostGateways.has(gatewayId)),
          alarm: areaAlarm,
        };

  const shown = troubles
    .filter((row) => {
      const device = byId.get(row.deviceId);
      // While its gateway is lost, that is what is wrong.
      const isBehind = lostGateways.has(row.gatewayId ?? "") || lostGateways.has(device?.gatewayId ?? "");
      return !isBehind && !device?.revoked && maySeeDevice(account, dwellingOf(device));
    })
    .map((row): DeviceInTrouble => {
      const device = byId.get(row.deviceId);
      const isInStore = device?.operation.state === "in-store";
      return {
        ...troubleViewOf(row, isInStore),
        ...{ deviceId: row.deviceId, deviceClass: row.deviceClass, isInStore },
        ...whereOf(dwellingOf(device), device?.room ?? null, tested.has(row.deviceId)),
        pausedUntil: device?.pause?.until ?? null,
        alarm: alarmOf(kindOfTrouble(row.trouble, row.deviceClass), row.deviceId),
      };
    })
    .sort((a, b) => rankOf(a) - rankOf(b) || a.since - b.since);
  return {
    now,
    area,
    gateways: inTrouble,
    devices: shown.slice(0, mostDevices),
    more: Math.max(0, shown.length - mostDevices),
  };
}

const rankOf = ({ missed }: Pick<DeviceInTrouble, "missed">) => (missed === "falls" ? 0 : missed === "help" ? 1 : 2);

const brokersLost = (open: readonly EpisodeState[]) =>
  open.flatMap(({ facts: { trouble, since } }) =>
    trouble?.kind === "broker-lost" ? [{ gatewayId: trouble.subject, since }] : [],
  );

/** What is wrong with devices and gateways, and every gateway. */
export function troublesArea({ store, clock, board, gatewayWatch }: DevicesParts, snapshots: Snapshots): ConsoleArea {
  const now = () => Math.round(clock.wallNow());
  const openEpisodes = () =>
    board()
      .states()
      .filter(({ status }) => status !== "closed");

  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/troubles",
        tag: "Devices",
        summary: "What is wrong with devices and gateways now, quieter than alarms",
        needs: "devices.read",
        answer: Troubles,
      },
      async ({ account }) => {
        const sources = { ...(await snapshots.read()), gateways: gatewayWatch.list(), open: openEpisodes() };
        return troublesOf(sources, account, now());
      },
    );
    api.route(
      {
        method: "GET",
        url: "/gateways",
        tag: "Devices",
        summary: "Every gateway: when it was heard last, and what it follows",
        needs: "devices.read",
        answer: Gateways,
      },
      async ({ account }) => {
        const [{ version }, { devices, dwellings }] = await Promise.all([store().control.versions(), snapshots.read()]);
        const brokers = new Map(brokersLost(openEpisodes()).map(({ gatewayId, since }) => [gatewayId, since]));
        const heardBy = Map.groupBy(
          devices.filter(
            ({ revoked, dwellingId }) => !revoked && maySeeDevice(account, dwellings.get(dwellingId ?? "") ?? null),
          ),
          ({ gatewayId }) => gatewayId,
        );
        const gateways = gatewayWatch.list().map((one): GatewayView => {
          const { gatewayId, lastSeenAt, lostAt, controlVersion, clockAheadMs } = one;
          return {
            ...{ gatewayId, lastSeenAt, lostAt, controlVersion, clockAheadMs, version: one.version },
            brokerLostAt: brokers.get(gatewayId) ?? null,
            isCurrent: controlVersion === version,
            devices: heardBy.get(gatewayId)?.length ?? 0,
          };
        });
        return { now: now(), version, gateways: gateways.sort((a, b) => (a.gatewayId < b.gatewayId ? -1 : 1)) };
      },
    );
  };
}
