import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Alerting, ServiceEvent } from "../alerting/alerting.ts";
import { startInfluxd } from "../alerting/event-log/influxd.ts";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import type { Placement } from "../firmware-contracts/detection.ts";
import type { Intake } from "../firmware-contracts/intake.ts";
import { type RecordingSet, readRecordingSet } from "../firmware-contracts/recordings/read.ts";
import { newSecret } from "../firmware-contracts/secret.ts";
import { serviceNumber, staff, startPatrols } from "../simulators/demo/patrols.ts";
import { castScenes, type PlayedScene, playScenes, type Scene } from "../simulators/demo/play.ts";
import {
  type DemoSummary,
  foundFall,
  type SeenDetection,
  type SeenPage,
  summarise,
} from "../simulators/demo/summary.ts";
import { generateSet } from "../simulators/generator/set.ts";
import { writeSet } from "../simulators/generator/write.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../simulators/phone-network/network.ts";
import { type ReadText, readText } from "../simulators/phone-network/responder.ts";
import { wait } from "../simulators/replay/play.ts";
import { Config } from "./config.ts";
import { lineOf, replyOnPhone, smsOnPhone } from "./demo-story.ts";
import { type AcknowledgedFrames, expectedDetections } from "./expected-detections.ts";
import { freePort } from "./free-port.ts";
import { openLog } from "./log.ts";
import { progressOf } from "./progress.ts";
import { type Service, startService } from "./service.ts";
import { toldToStop } from "./start.ts";

export interface DemoRun {
  dataDir: string;
  speed: number;
  recordings?: string;
  part?: string;
  placement?: Placement;
  limit?: number;
  seed: number;
  sideBySide: number;
  language: "sv" | "en";
  stay: boolean;
  /** Shows a line to the viewer. */
  say: (line: string) => void;
  /** Says only what went wrong. */
  quiet: boolean;
  /** Stands between gateway and intake; a test drops a Detection here. */
  throughIntake?: (intake: Intake) => Intake;
}

export interface DemoResult {
  summary: DemoSummary;
  events: { where: string; dropped: number };
}

/** After the last trial the patrols get this long, on the clock, to take, arrive and close. */
const followUpMs = 15 * 60_000;

/** Runs the true service with simulated devices and phones on one clock, and counts what came of it. */
export async function runDemo(run: DemoRun): Promise<DemoResult> {
  const clock = systemClock(run.speed);
  const set = await setOf(run);
  for (const problem of set.problems) run.say(`${problem.where}: ${problem.why}`);
  const scenes = castScenes(set);
  if (scenes.length === 0) throw new Error(`${run.recordings}: no trial could be read`);
  const tell = run.quiet ? () => {} : run.say;

  const account = { accountSid: `AC${randomBytes(16).toString("hex")}`, authToken: randomBytes(16).toString("hex") };
  // Speed makes a slow answer of ours look slower to the network's patience.
  const network = await startPhoneNetwork({ clock, ...account, webhookTimeoutMs: 120_000 });
  const influxd = await startInfluxd({ dataDir: join(run.dataDir, "influxdb") });
  if (!influxd) run.say("influxd is not on the PATH: events are kept in the spool.");
  let service: Service | null = null;
  try {
    const port = await freePort();
    network.addNumber(serviceNumber, { inboundUrl: `http://127.0.0.1:${port}/webhooks/twilio/inbound` });
    const config = demoConfig(run, { port, phonesUrl: network.url, influxUrl: influxd?.url ?? null, account });
    const { throughIntake } = run;
    const log = openLog("error");
    service = await startService({ config, role: "all", clock, log, ...(throughIntake ? { throughIntake } : {}) });
    return await perform(run, { clock, scenes, network, service, port, tell, hasInflux: influxd !== null });
  } finally {
    await service?.stop();
    await network.close();
    await influxd?.stop();
  }
}

async function setOf(run: DemoRun): Promise<RecordingSet> {
  const { part, placement, limit } = run;
  let folder = run.recordings;
  if (!folder) {
    folder = join(run.dataDir, "generated");
    await writeSet(folder, generateSet({ seed: run.seed }));
  }
  return readRecordingSet(folder, {
    ...(part ? { part } : {}),
    ...(placement ? { placement } : {}),
    ...(limit ? { limit } : {}),
  });
}

function demoConfig(
  run: DemoRun,
  at: {
    port: number;
    phonesUrl: string;
    influxUrl: string | null;
    account: { accountSid: string; authToken: string };
  },
): Config {
  return Config.parse({
    dataDir: run.dataDir,
    // Limits are in the clock's seconds: at speed 8 a busy machine's second counts for eight. All devices are at one address.
    gateway: { mqtt: { port: 0 }, limits: { connectSeconds: 60, connectionsPerAddress: 5000 } },
    alerting: {
      language: run.language,
      http: { port: at.port, publicUrl: `http://127.0.0.1:${at.port}` },
      twilio: { ...at.account, from: serviceNumber, baseUrl: at.phonesUrl },
      responders: staff.map((who) => ({ ...who })),
      policy: { steps: staff.slice(0, 2).map((who) => ({ responders: [who.id], waitSeconds: 120 })) },
      operators: [staff[2].id],
      intake: { token: newSecret() },
      ...(at.influxUrl ? { influx: { url: at.influxUrl, database: "fallvakt" } } : {}),
    },
  });
}

interface Stage {
  clock: Clock;
  scenes: readonly Scene[];
  network: PhoneNetwork;
  service: Service;
  port: number;
  tell: (line: string) => void;
  hasInflux: boolean;
}

async function perform(run: DemoRun, stage: Stage): Promise<DemoResult> {
  const { clock, scenes, network, service, tell } = stage;
  const { alerting, gateway, classifier } = service;
  if (!alerting || !gateway || !classifier) throw new Error("the demo needs every part of the service");
  const password = newSecret();
  await alerting.users.addUser("demo", password, "operator");
  const added = await alerting.registry.addDevices(
    scenes.map(({ dwelling }) => ({ ...dwelling, consentBy: "demo" })),
    { allowSimilarAliases: true, inOperation: { by: "demo", reason: "simulated devices" } },
  );
  const secrets = new Map(added.map(({ deviceId, secret }) => [deviceId, secret]));
  tell(`${scenes.length} trials on ${scenes.length} devices in as many dwellings, at ${run.speed} × real time.`);
  tell(`Detector: model ${classifier.modelVersion}, backend ${classifier.backend}.`);
  tell(`Console: ${service.consoleUrl}   name: demo   password: ${password}\n`);

  const progress = progressOf(scenes.length, run.quiet);
  const nameOf = (id: string) => staff.find((who) => who.id === id)?.name ?? id;
  const seen: SeenDetection[] = [];
  const stopListening = alerting.events.on((event) => {
    if (event.type === "detection") seen.push(detectionSeen(event));
    const line = lineOf(event, nameOf);
    if (line) progress.say(tell, line);
  });
  const pages: ReadText[] = [];
  network.onMessage((phone, message) => {
    const read = readText(message.body, message.at);
    if (read?.kind === "page" || read?.kind === "not-taken") pages.push(read);
    const name = staff.find((who) => who.phone === phone.number)?.name ?? phone.number;
    progress.say(tell, smsOnPhone(message.at, name, message.body));
  });
  const labels = new Map(scenes.map(({ dwelling, recording }) => [dwelling.key, recording.trial.label]));
  const patrols = startPatrols({
    clock,
    network,
    outcome: (alias) => (labels.get(/\d+/.exec(alias ?? "")?.[0] ?? "") === "adl" ? "X" : "U"),
    onReply: (who, text) => progress.say(tell, replyOnPhone(clock.wallNow(), who.name, text)),
  });

  const results = await playScenes({
    scenes,
    url: gateway.mqttUrl,
    secrets,
    clock,
    sideBySide: run.sideBySide,
    onPlayed: () => progress.step(),
  });
  await gateway.settled();
  const deadline = clock.monotonicNow() + followUpMs;
  const open = () => alerting.episodes().some((episode) => episode.status !== "closed");
  while (open() && clock.monotonicNow() < deadline) await wait(clock, 1000);
  progress.stop();
  patrols.stop();

  for (const result of results) {
    if ("refused" in result) run.say(`${result.scene.recording.trial.id}: not played: ${result.refused}`);
  }
  const played = results.flatMap((result) => ("played" in result ? [result] : []));
  sayMisses(run, played, seen);
  await eventsWritten(alerting, clock, stage.hasInflux);
  const episodes = alerting.episodes();
  const { written, spooled, dropped } = alerting.eventsLogged();
  const summary = summarise({
    played: played.map((scene) => scene.played),
    detections: seen,
    episodes: episodes.map(({ id, takenAt }) => ({ id, taken: takenAt !== null })),
    pages: pagesOf(pages, new Map(episodes.map(({ code, id }) => [code, id]))),
    expected: await expectedDetections(played.map(acknowledgedOf), classifier),
    eventsLogged: stage.hasInflux ? written : spooled,
  });
  if (run.stay) {
    run.say(`\nStill running. Console: ${service.consoleUrl}   name: demo   password: ${password}\nCtrl-C ends it.`);
    await toldToStop();
  }
  stopListening();
  return { summary, events: { where: stage.hasInflux ? "in InfluxDB" : "in the spool", dropped } };
}

type Played = Extract<PlayedScene, { played: unknown }>;

function acknowledgedOf({ scene, played }: Played): AcknowledgedFrames {
  const frames = played.frames.flatMap(({ acked, record }) => (acked ? [record] : []));
  return { deviceId: played.deviceId, placement: scene.dwelling.placement, frames };
}

function detectionSeen(event: Extract<ServiceEvent, { type: "detection" }>): SeenDetection {
  const [, bootId, sequence] = event.detectionId.split(".");
  return {
    id: event.detectionId,
    deviceId: event.deviceId,
    bootId: Number(bootId),
    sequence: Number(sequence),
    impactAt: event.impactAt,
    episodeId: event.episodeId,
  };
}

/** Pages with the episodes that their codes name. */
function pagesOf(read: readonly ReadText[], episodeOf: ReadonlyMap<string, string>): SeenPage[] {
  return read.flatMap(({ code, at }) => {
    const episodeId = episodeOf.get(code);
    return episodeId ? [{ episodeId, at }] : [];
  });
}

function sayMisses(run: DemoRun, played: readonly Played[], seen: readonly SeenDetection[]): void {
  for (const { played: one } of played) {
    const { id, part, activity, activityName, label } = one.trial;
    const own = seen.filter((detection) => detection.deviceId === one.deviceId);
    const found = own.some((detection) => foundFall(one, detection));
    if (label === "fall" && !found) run.say(`missed: ${activityName ?? activity} (${part}, ${id})`);
    if (own.length > (found ? 1 : 0)) run.say(`false alarm: ${activityName ?? activity} (${part}, ${id})`);
  }
}

/** Gives the event log a moment to bring what is still on its way to InfluxDB. */
async function eventsWritten(alerting: Alerting, clock: Clock, hasInflux: boolean): Promise<void> {
  const deadline = clock.monotonicNow() + 60_000;
  while (hasInflux && alerting.eventsLogged().spooled > 0 && clock.monotonicNow() < deadline) await wait(clock, 200);
}
