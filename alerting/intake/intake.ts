import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import {
  type FallUpdate,
  type GatewayEvent,
  type Intake,
  IntakeItem,
  itemId,
  type SupervisionEvent,
  type WelfareEvent,
} from "../../firmware-contracts/intake.ts";
import type { SelfTestEvent } from "../../firmware-contracts/self-test.ts";
import type { Counters } from "../counters.ts";
import type { DeviceTroubles } from "../device-troubles.ts";
import type { ServiceEvent } from "../events.ts";
import type { Keeper } from "../keeper.ts";
import { actOf } from "../registry/acting.ts";
import type { Store } from "../store/store.ts";
import type { GatewayTroubles } from "./gateway-troubles.ts";
import type { GatewayWatch } from "./gateway-watch.ts";
import { takeStaffTag } from "./staff-tag.ts";

/** An item that cannot be committed comes again several times a second; each time is counted, and it is logged so often, ms. */
const failureEveryMs = 60_000;

/** Alerting's door. An item is committed before `submit` resolves; what rejects has changed nothing and may come again. */
export function createIntake(options: {
  store: () => Store;
  keeper: () => Keeper;
  clock: Clock;
  counters: Counters;
  log: Logger;
  gatewayTroubles: GatewayTroubles;
  gatewayWatch: GatewayWatch;
  deviceTroubles: DeviceTroubles;
  onEvent(event: ServiceEvent): void;
  onSelfTest(event: SelfTestEvent): Promise<void>;
}): Intake {
  const { gatewayTroubles, gatewayWatch, deviceTroubles, store, keeper, clock, counters, log, onEvent } = options;
  let failureLoggedAt = Number.NEGATIVE_INFINITY;

  async function takeDeviceEvent(event: Extract<IntakeItem, { type: "device-event" }>["event"]): Promise<void> {
    const { deviceId, battery = null, worn = null, charging, gatewayId = null, detail = null, firmware = null } = event;
    const online =
      event.event === "online" || event.event === "heartbeat" ? true : event.event === "offline" ? false : null;
    await store().registry.deviceSeen(deviceId, event.at, {
      online,
      battery,
      gatewayId,
      firmware,
      goodbye: detail === "disconnected",
      // On its charger nobody wears it, whatever its skin sensor says.
      worn: charging === true ? false : (worn ?? (charging === false ? true : null)),
      tellsPresence: event.event === "presence",
    });
    if (online === true || event.event === "presence") await deviceTroubles.heard(deviceId, gatewayId, event.at);
    if (event.event === "online" && detail === "new-secret") {
      await store().registry.endPreviousSecret(deviceId, event.at, actOf(clock, undefined));
    }
    // Where somebody was up again the detector has heeded it; what was not measured here ends nothing, and is shown.
    if (event.event === "cancel") await keeper().cancel(deviceId, event.at, detail === "upright");
    const found = await store().registry.device(deviceId);
    // What the test device does is no life of a resident's.
    if (found?.device.isSelfTest) return;
    onEvent({
      type: "device",
      at: Math.round(clock.wallNow()),
      deviceId,
      alias: found?.dwelling?.alias ?? null,
      event: event.event,
      battery,
      worn,
      detail,
    });
  }

  async function takeDetection(detection: Detection): Promise<void> {
    if (!(await takeStaffTag({ store: store(), clock, counters }, detection))) await keeper().detect(detection);
  }

  /** It comes behind its Detection: one whose Detection is not here is of another store, and would be no better later. */
  async function takeFallUpdate(update: FallUpdate): Promise<void> {
    const fate = await keeper().fallUpdate(update);
    if (fate === "unknown") counters.count("intake.fall-update.unknown");
    if (fate === "known") counters.count("intake.fall-update.known");
  }

  async function takeWelfareEvent(event: WelfareEvent): Promise<void> {
    const fate = await keeper().welfare(event);
    if (fate === "unknown") counters.count("intake.welfare-event.unknown");
    if (fate === "known") counters.count("intake.welfare-event.known");
  }

  async function takeSupervisionEvent(event: SupervisionEvent): Promise<void> {
    if ((await deviceTroubles.take(event)) === "known") counters.count("intake.supervision-event.known");
  }

  async function takeGatewayEvent({ gatewayId, at, event, detail }: GatewayEvent): Promise<void> {
    if (event === "broker-lost") await store().blindTime.brokerLost(gatewayId, at);
    else await store().blindTime.brokerBack(gatewayId, at);
    // Told again each minute while it lasts; it is news once.
    if (!gatewayTroubles.take(gatewayId, at, event)) return;
    if (event === "broker-lost") log.error({ gatewayId }, "a gateway has lost its broker: nothing is heard through it");
    else log.info({ gatewayId, detail }, "a gateway has its broker again");
    onEvent({ type: "gateway", at: Math.round(clock.wallNow()), gatewayId, event, detail: detail ?? null });
  }

  return {
    async submit(item) {
      const checked = IntakeItem.parse(item);
      counters.count(`intake.${checked.type}`);
      try {
        if (checked.type === "detection") await takeDetection(checked.detection);
        else if (checked.type === "device-event") await takeDeviceEvent(checked.event);
        else if (checked.type === "fall-update") await takeFallUpdate(checked.update);
        else if (checked.type === "welfare-event") await takeWelfareEvent(checked.event);
        else if (checked.type === "supervision-event") await takeSupervisionEvent(checked.event);
        else if (checked.type === "gateway-event") await takeGatewayEvent(checked.event);
        else if (checked.type === "self-test-event") await options.onSelfTest(checked.event);
      } catch (error) {
        counters.count("intake.failed");
        if (clock.monotonicNow() - failureLoggedAt >= failureEveryMs) {
          failureLoggedAt = clock.monotonicNow();
          log.error(
            { err: error, itemId: itemId(checked) },
            "an item could not be committed; the gateway keeps it and tries again",
          );
        }
        throw error;
      }
    },
    async control(haveVersion, heartbeat) {
      gatewayWatch.heard(heartbeat, haveVersion);
      return store().control.since(haveVersion, Math.round(clock.wallNow()));
    },
  };
}
