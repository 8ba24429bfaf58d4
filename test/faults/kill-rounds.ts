import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import { chance } from "../../simulators/generator/random.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { createMosquitto } from "../services/mosquitto.ts";
import { impactFrame, scriptFall } from "./fall-script.ts";
import { holdsWithin, isPaged, openPhones, prepareService, type ServiceProcess } from "./service-process.ts";

const clock = systemClock();
/** A service's folder is used for so many kills, then a new one is begun. */
const killsPerFolder = 20;
/** From the publish to the kill, ms. */
const latestKillMs = 500;
/** Between two frames of a fall, ms: as fast as that the story goes on until the kill. */
const frameEveryMs = 60;
/** A device that fell silent in the middle of a fall is waited for by the detector for some 20 s. */
const pageWithinMs = 60_000;
const connectMs = 20_000;

export interface KillReport {
  seed: number;
  kills: number;
  /** Falls and help calls whose PUBACK had come at the kill. */
  acknowledgedBeforeKill: number;
  /** Those, and the ones that their device sent again afterwards. */
  acknowledged: number;
  /** From the start of a process to its console, ms. */
  medianRestartMs: number;
  lostAlarms: number;
  /** What was acknowledged and not paged, not in the store, or in more than one episode. */
  lost: string[];
}

interface Round {
  kind: "fall" | "help";
  killAfterMs: number;
  /** Whether a device whose alarm was acknowledged before the kill is never heard of again. */
  vanishes: boolean;
  device: SimulatedDevice;
  key: string;
}

export interface KillOptions {
  onKill?: () => void;
  /** `outside`: a Mosquitto, which lives on, between devices and gateway. Default: the gateway's own broker. */
  broker?: "embedded" | "outside";
}

/** Kills the true service `times` times, on two folders side by side. The same seed gives the same rounds, but not the same moments of the disk. */
export async function killRounds(times: number, seed: number, options: KillOptions = {}): Promise<KillReport> {
  const network = await openPhones(clock);
  const report: KillReport = {
    seed,
    kills: 0,
    acknowledgedBeforeKill: 0,
    acknowledged: 0,
    medianRestartMs: 0,
    lostAlarms: 0,
    lost: [],
  };
  const restarts: number[] = [];
  let begun = 0;
  const lane = async () => {
    while (begun < times) {
      const first = begun;
      begun = Math.min(times, begun + Math.min(killsPerFolder, Math.ceil(times / 2)));
      await useFolder(network, first, begun, report, restarts, options);
    }
  };
  try {
    await Promise.all([lane(), lane()]);
  } finally {
    await network.close();
  }
  report.medianRestartMs = Math.round(restarts.sort((a, b) => a - b)[restarts.length >> 1] ?? 0);
  return report;
}

/** Rounds `from` up to `to` on one service; its last start is left running until all is paged. */
async function useFolder(
  network: PhoneNetwork,
  from: number,
  to: number,
  report: KillReport,
  restarts: number[],
  { onKill = () => {}, broker = "embedded" }: KillOptions,
): Promise<void> {
  const brokerFolder = mkdtempSync(join(tmpdir(), "fallvakt-broker-"));
  const mosquitto = broker === "outside" ? await createMosquitto(brokerFolder) : null;
  await mosquitto?.start();
  const service = await prepareService(network, { mosquitto });
  const start = async () => {
    const began = performance.now();
    if (!(await service.start())) throw new Error(`the service does not start: ${service.errors}`);
    restarts.push(performance.now() - began);
  };
  let isSound = false;
  try {
    const rounds: Round[] = [];
    for (let number = from; number < to; number++) rounds.push(await makeRound(service, number, report.seed));
    await start();
    if (mosquitto) await service.follows(rounds.length);
    for (const round of rounds) {
      await tryRound(service, round, report);
      report.kills++;
      onKill();
      await start();
    }
    await holdsWithin(pageWithinMs, () => rounds.every((round) => problemsOf(service, network, round).length === 0));
    report.acknowledged += rounds.filter(isAcknowledged).length;
    report.lostAlarms += rounds.filter((round) => problemsOf(service, network, round).length > 0).length;
    const lost = rounds.flatMap((round) => problemsOf(service, network, round));
    isSound = lost.length === 0;
    report.lost.push(...lost.map((problem) => `${problem} (${service.folder})`));
  } finally {
    // What went wrong is left to be looked at.
    await service.close(!isSound);
    await mosquitto?.stop();
    rmSync(brokerFolder, { recursive: true, force: true });
  }
}

async function makeRound(service: ServiceProcess, number: number, seed: number): Promise<Round> {
  const random = chance(seed, number);
  const kind = random.happens(0.7) ? "fall" : "help";
  const killAfterMs = random.between(0, latestKillMs);
  const key = String(1000 + number);
  const device = await service.addDevice(`${kind === "fall" ? "belt" : "button"}-${number}`, key);
  return { kind, killAfterMs, vanishes: random.happens(0.5), device, key };
}

const isAcknowledged = ({ kind, device }: Round) =>
  typeof (kind === "fall" ? device.records.frames[impactFrame] : device.records.reports[0])?.ackedAt === "number";

async function tryRound(service: ServiceProcess, round: Round, report: KillReport): Promise<void> {
  const { kind, device, killAfterMs } = round;
  await device.connect(connectMs);
  let killed = false;
  if (kind === "help") void device.help().catch(() => {});
  else {
    const fall = scriptFall(device, clock.wallNow());
    fall.sendLead();
    const sendNext = () => {
      if (!killed && fall.sendNext()) clock.after(frameEveryMs, sendNext);
    };
    sendNext();
  }
  await new Promise<void>((resolve) => clock.after(killAfterMs, resolve));
  await service.kill();
  killed = true;
  if (!isAcknowledged(round)) return;
  report.acknowledgedBeforeKill++;
  if (round.vanishes) await device.disconnect();
}

/** What is wrong with an acknowledged alarm now; nothing is owed to one that was not. */
function problemsOf(service: ServiceProcess, network: PhoneNetwork, round: Round): string[] {
  // A device that comes back sends again, so in the end every alarm is acknowledged or its device is gone.
  if (!isAcknowledged(round)) return [`${round.device.deviceId}: sent again in vain`];
  const { deviceId, bootId } = round.device;
  const id = round.kind === "fall" ? `${deviceId}.${bootId}.${impactFrame}.fall` : `${deviceId}.${bootId}.0.help`;
  const own = service.detections().filter((detection) => detection.deviceId === deviceId);
  const problems: string[] = [];
  if (!own.some((detection) => detection.id === id)) problems.push(`${id}: not in the store`);
  if (new Set(own.map(({ episodeId }) => episodeId)).size > 1) problems.push(`${id}: more than one episode`);
  if (!isPaged(network, round.key)) problems.push(`${id}: not paged`);
  return problems;
}
