import type { Logger } from "pino";
import type { Clock, MonotonicMs } from "../firmware-contracts/clock.ts";
import type { SupervisionEvent } from "../firmware-contracts/intake.ts";
import type { ServiceEvent } from "./events.ts";
import type { GatewayWatch } from "./intake/gateway-watch.ts";
import type { Keeper } from "./keeper.ts";
import type { DeviceTroubleRow, Store } from "./store/store.ts";
import { kindOfTrouble } from "./trouble-kinds.ts";

/** What a gateway said so long ago comes from a queue, and its end may be right behind it, ms: it is waited for. */
const lateMs = 120_000;
const settleMs = 60_000;
/** Whether what was held back can be raised is looked at so often, ms. */
const lookEveryMs = 15_000;

/** Keeps what supervision found wrong with devices, and raises one technical alarm for each outage. */
export interface DeviceTroubles {
  start(): Promise<void>;
  stop(): void;
  /** Resolves once it is kept, and its alarm raised or ended. `known`: it was told before. */
  take(event: SupervisionEvent): Promise<"taken" | "known">;
  /** A device was heard through this gateway: one that another calls overdue since before has only moved. */
  heard(deviceId: string, gatewayId: string | null, at: number): Promise<void>;
}

export function createDeviceTroubles(options: {
  store: () => Store;
  keeper: () => Keeper;
  gatewayWatch: Pick<GatewayWatch, "lost">;
  clock: Clock;
  log: Logger;
  onEvent(event: ServiceEvent): void;
}): DeviceTroubles {
  const { store, keeper, gatewayWatch, clock, log, onEvent } = options;
  /** Until when outages that came late are held back. */
  const held = new Map<string, MonotonicMs>();
  /** Devices that are overdue: a heartbeat of any other costs nothing here. */
  let overdue: ReadonlySet<string> = new Set();
  let callOff = () => {};
  let stopped = true;

  /** While its gateway is lost, that is the alarm: what else it may have to say of its devices would be a flood. */
  function mayBeRaised({ gatewayId, ...row }: DeviceTroubleRow): boolean {
    if ((held.get(nameOf(row)) ?? 0) > clock.monotonicNow()) return false;
    return gatewayId === null || gatewayWatch.lost().every((lost) => lost.gatewayId !== gatewayId);
  }

  async function raise(row: DeviceTroubleRow): Promise<void> {
    const { deviceId, trouble, deviceClass, since } = row;
    await keeper().raise({ kind: kindOfTrouble(trouble, deviceClass), subject: deviceId, since });
    await store().troubles.raised(row);
    held.delete(nameOf(row));
  }

  async function begin(event: SupervisionEvent): Promise<"taken" | "known"> {
    const { deviceId, trouble, since, at, deviceClass = null, gatewayId = null } = event;
    const { battery = null, daysLeft = null, driftMs = null } = event;
    // A device that is shut out is nobody's alarm any more: what comes of it comes late.
    const found = await store().registry.device(deviceId);
    if (found?.device.revoked) return "known";
    const told = { deviceId, trouble, since, at, deviceClass, gatewayId, battery, daysLeft, driftMs };
    const isElsewhere =
      trouble === "overdue" &&
      isOther(gatewayId, found?.device.gatewayId ?? null) &&
      (found?.device.lastSeenAt ?? 0) > since;
    const endedAt = isElsewhere ? (found?.device.lastSeenAt ?? at) : null;
    const row = await store().troubles.begin({ ...told, endedAt, isRaised: false });
    await readOverdue();
    if (row.isRaised || row.endedAt !== null) return "known";
    const name = nameOf(row);
    // Once more after a failure it is no news.
    const isHeld = held.has(name);
    if (clock.wallNow() - at > lateMs && !isHeld) held.set(name, clock.monotonicNow() + settleMs);
    if (mayBeRaised(row)) await raise(row);
    if (!isHeld) await tell(event);
    return "taken";
  }

  async function end(event: SupervisionEvent): Promise<"taken" | "known"> {
    const { deviceId, trouble, since, at, deviceClass = null } = event;
    const isNews = await store().troubles.end({ deviceId, trouble, since }, Math.max(since, at));
    held.delete(nameOf(event));
    const open = await readOverdue();
    // Another gateway may say the same of it; and a word that was lost half-way is done again.
    const isSaidByAnother = open.some((row) => row.deviceId === deviceId && row.trouble === trouble);
    if (!isSaidByAnother) await endAlarm(event, deviceClass);
    if (isNews) await tell(event);
    return isNews ? "taken" : "known";
  }

  /** What it was taken for may have changed since it began. */
  async function endAlarm({ deviceId, trouble }: SupervisionEvent, deviceClass: DeviceTroubleRow["deviceClass"]) {
    const classes = trouble === "overdue" ? (["wearable", "presence", "button"] as const) : [deviceClass];
    for (const one of classes) await keeper().end({ kind: kindOfTrouble(trouble, one), subject: deviceId });
  }

  /** @returns every outage that lasts */
  async function readOverdue(): Promise<DeviceTroubleRow[]> {
    const open = await store().troubles.open();
    overdue = new Set(open.flatMap(({ trouble, deviceId }) => (trouble === "overdue" ? [deviceId] : [])));
    return open;
  }

  async function heard(deviceId: string, gatewayId: string | null, at: number): Promise<void> {
    if (!overdue.has(deviceId)) return;
    for (const row of await store().troubles.open()) {
      if (row.deviceId !== deviceId || row.trouble !== "overdue" || row.since >= at) continue;
      if (!isOther(row.gatewayId, gatewayId)) continue;
      const { trouble, since, deviceClass } = row;
      const more = deviceClass === null ? {} : { deviceClass };
      await end({
        v: 1,
        id: `${deviceId}.${trouble}.${since}.ended`,
        deviceId,
        at,
        event: "ended",
        trouble,
        since,
        ...more,
      });
    }
  }

  async function tell(event: SupervisionEvent): Promise<void> {
    const { deviceId, trouble, since, deviceClass = null, battery = null, daysLeft = null, driftMs = null } = event;
    const found = await store().registry.device(deviceId);
    onEvent({
      type: "supervision",
      at: Math.round(clock.wallNow()),
      ...{ deviceId, alias: found?.dwelling?.alias ?? null, deviceClass, event: event.event },
      ...{ trouble, since, battery, daysLeft, driftMs },
    });
  }

  async function look(): Promise<void> {
    try {
      for (const row of await store().troubles.open()) if (!row.isRaised && mayBeRaised(row)) await raise(row);
    } catch (error) {
      if (!stopped)
        log.warn({ err: error }, "technical alarms about devices could not be raised; they are tried again");
    }
    if (!stopped) callOff = clock.after(lookEveryMs, () => void look());
  }

  return {
    async start() {
      stopped = false;
      await readOverdue();
      await look();
    },
    stop() {
      stopped = true;
      callOff();
      held.clear();
    },
    heard,
    take: (event) => (event.event === "began" ? begin(event) : end(event)),
  };
}

/** Two gateways, both known. */
const isOther = (one: string | null, another: string | null) => one !== null && another !== null && one !== another;

const nameOf = ({ deviceId, trouble, since }: Pick<DeviceTroubleRow, "deviceId" | "trouble" | "since">) =>
  `${deviceId} ${trouble} ${since}`;
