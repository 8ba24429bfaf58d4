import { rmSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { z } from "zod";
import { type Alerting, createAlerting } from "../../alerting/alerting.ts";
import { AlertingConfig } from "../../alerting/config.ts";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { type Detection, detectionId } from "../../firmware-contracts/detection.ts";
import { freePort } from "../../front-door/free-port.ts";
import { startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { generatedEvidence } from "./generated-board.ts";

const password = "generated for this test";
/** One account of each role. The second patrol is of another unit than the dwellings. */
export const operator = { name: "Maria", password, role: "operator", units: null } as const;
export const patrol = { name: "Rut", password, role: "responder", units: ["Gustavsberg"] } as const;
export const otherPatrol = { name: "Bo", password, role: "responder", units: ["Hemmesta"] } as const;
export const installer = { name: "Ivar", password, role: "installer", units: null } as const;
export const manager = { name: "Mona", password, role: "manager", units: null } as const;
export const auditor = { name: "Aina", password, role: "auditor", units: null } as const;
const accounts = [operator, patrol, otherPatrol, installer, manager, auditor];
export type TestAccount = (typeof accounts)[number];

const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
const authToken = "fedcba9876543210fedcba9876543210";
const serviceNumber = "+46766860000";
export const responders = [
  { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
  { id: "patrol-3", name: "Patrull 3", phone: "+46701740603" },
  { id: "leader", name: "Gruppchef", phone: "+46701740604" },
];
const keys = ["38", "57", "826"];
const unit = "Gustavsberg";

/** Accounts and dwellings that every night has. */
async function settleIn({ users, registry }: Alerting): Promise<void> {
  await Promise.all(accounts.map(({ name, role, units }) => users.addUser(name, password, role, units)));
  await registry.addDevices(
    keys.map((key) => ({
      deviceId: `watch-${key}`,
      placement: "wrist",
      key,
      unit,
      area: "Gustavsberg syd",
      room: "badrum",
      consentBy: operator.name,
    })),
    simulatedFleet,
  );
}

let prepared: Promise<string> | null = null;

/** The data of a service that was settled in and stopped, made once: passwords take their time. */
function preparedData(): Promise<string> {
  prepared ??= (async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "fallvakt-prepared-"));
    process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
    const port = await freePort();
    const config = AlertingConfig.parse({
      http: { port, publicUrl: `http://127.0.0.1:${port}` },
      twilio: { accountSid, authToken, from: serviceNumber, baseUrl: "http://127.0.0.1:9" },
      responders,
      policy: { steps: [{ responders: ["patrol-2"], waitSeconds: 60 }] },
      operators: ["leader"],
      intake: { token: "a-token-of-more-than-twenty-characters" },
    });
    const alerting = createAlerting({ config, dataDir, clock: systemClock(), log: pino({ level: "silent" }) });
    await alerting.start();
    await settleIn(alerting);
    await alerting.stop();
    return dataDir;
  })();
  return prepared;
}

/**
 * The true alerting service with its console on a port of this machine, a store of its own, and phones on a simulated network.
 * @param change more of the configuration, or other values.
 */
export async function startNightShift(change: Partial<z.input<typeof AlertingConfig>> = {}, ownClock?: Clock) {
  const clock = ownClock ?? systemClock();
  const isPrepared = ownClock === undefined;
  const network = await startPhoneNetwork({ clock, accountSid, authToken });
  const dataDir = await mkdtemp(join(tmpdir(), "fallvakt-night-"));
  if (isPrepared) await cp(await preparedData(), dataDir, { recursive: true });
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  network.addNumber(serviceNumber, { inboundUrl: `${publicUrl}/webhooks/twilio/inbound` });
  const config = AlertingConfig.parse({
    http: { port, publicUrl },
    twilio: { accountSid, authToken, from: serviceNumber, baseUrl: network.url },
    responders,
    policy: {
      steps: [
        { responders: ["patrol-2"], waitSeconds: 60 },
        { responders: ["patrol-3"], waitSeconds: 60 },
      ],
    },
    operators: ["leader"],
    intake: { token: "a-token-of-more-than-twenty-characters" },
    ...change,
  });
  const phones = new Map(config.responders.map(({ id, phone }) => [id, network.addPhone(phone)]));
  let boot = 0;
  let alerting: Alerting;

  async function start(): Promise<void> {
    alerting = createAlerting({ config, dataDir, clock, log: pino({ level: "error" }, pino.destination(2)) });
    await alerting.start();
  }

  await start();
  if (!isPrepared) await settleIn(alerting!);

  return {
    url: publicUrl,
    port,
    clock,
    network,
    config,
    dataDir,
    /** The service that runs now. */
    alerting: () => alerting,
    /** The phone of the patrol that is paged first. */
    patrol: phones.get("patrol-2")!,
    phone(responderId: string) {
      const phone = phones.get(responderId);
      if (!phone) throw new Error(`nobody is called ${responderId}`);
      return phone;
    },
    /** Hands in a fall of now in the dwelling with that key; returns when it is committed. */
    async fall(key: string, change: Partial<Detection> = {}): Promise<void> {
      const now = clock.wallNow();
      const deviceId = `watch-${key}`;
      const detection: Detection = {
        v: 1,
        id: detectionId(deviceId, ++boot, 7, "fall"),
        deviceId,
        kind: "fall",
        strength: "strong",
        reason: "still",
        impactAt: now - 2_500,
        detectedAt: now,
        arrivedAt: now,
        late: false,
        clockSuspect: false,
        evidence: generatedEvidence(),
        model: "wrist-1",
        test: false,
        ...change,
      };
      await alerting.intake.submit({ type: "detection", detection });
    },
    /** The episode of that dwelling, as the service has it. */
    episode: (key: string) => alerting.backend.board().find((view) => view.alias === key),
    stop: () => alerting.stop(),
    start,
    async close(): Promise<void> {
      await alerting.stop();
      await network.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export type NightShift = Awaited<ReturnType<typeof startNightShift>>;
