import { randomInt, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Classifier } from "../detector/classifier/classifier.ts";
import type { Clock } from "../firmware-contracts/clock.ts";
import type { CertificateInForce } from "../firmware-contracts/credential-files.ts";
import { type Detection, detectionId } from "../firmware-contracts/detection.ts";
import type { DeviceEvent, GatewayEvent, Intake } from "../firmware-contracts/intake.ts";
import type { HelpReport, StatusReport } from "../firmware-contracts/reports.ts";
import { earliestTimeSync, encodeTimeSync } from "../firmware-contracts/time-sync.ts";
import { downlinkTopic } from "../firmware-contracts/topics.ts";
import { createAdapterConnection } from "./adapters/connection.ts";
import type { Told } from "./adapters/device-reports.ts";
import { reportedFall } from "./adapters/reported-fall.ts";
import type { Admission, Broker, OfflineReason } from "./broker/broker.ts";
import { createEmbeddedBroker } from "./broker/embedded.ts";
import { createOutsideBroker } from "./broker/outside.ts";
import { createCandidateLog } from "./candidates/log.ts";
import { removeCandidates } from "./candidates/tables.ts";
import type { GatewayConfig, OutsideConfig } from "./config.ts";
import { createCounters } from "./counters.ts";
import { createDiskWatch } from "./disk-watch.ts";
import { admit, type Message, type Refused } from "./ingest/admit.ts";
import { withTimeHeld } from "./ingest/held.ts";
import { createRegistry } from "./ingest/registry.ts";
import { createOut } from "./out/out.ts";
import { createOutbox } from "./outbox/outbox.ts";
import { createOutboxStore } from "./outbox/store.ts";
import { createPresence } from "./presence/presence.ts";
import { createSeldom } from "./seldom.ts";
import { connectionOfDevices } from "./self-test/publisher.ts";
import { createSelfTester } from "./self-test/tester.ts";
import { createJournal } from "./stream/journal.ts";
import { createScorer } from "./stream/scorer.ts";
import { createSession, type Session } from "./stream/session.ts";
import { createSteadyTime, type SteadyTime } from "./stream/steady-time.ts";
import type { Decision } from "./stream/track.ts";
import { createSupervision } from "./supervision/supervision.ts";
import { within } from "./time-limit.ts";

export type { Decision } from "./stream/track.ts";

/** As of a fall, a help call that reached the gateway later than this after the press is told as late, ms. */
const lateMs = 120_000;
/** The same refusal of one device is logged and reported at most so often, ms; it is always counted. */
const refusalEveryMs = 60_000;
const suspectClockEveryMs = 3_600_000;

export interface GatewayOptions {
  config: GatewayConfig;
  /** Folder of the gateway's stores and journal; made where it is not there. */
  dataDir: string;
  intake: Intake;
  clock: Clock;
  log: Logger;
  /** Loaded and disposed of by the caller. */
  classifier: Classifier;
  /** Of the program, for alerting to show. */
  version?: string | undefined;
}

/** The unit that hears a building's devices: MQTT in, Detections and device events out to the intake. */
export interface Gateway {
  /** Takes up what was undecided at the last stop or crash, then lets devices in. Rejects where the disk or the port cannot be had. */
  start(): Promise<void>;
  /** Takes 5 s at most. What is undecided is taken up at the next start. */
  stop(): Promise<void>;
  /** `mqtt://host:port`, once started. */
  readonly mqttUrl: string;
  /** `mqtts://host:port`, once started, where it listens with TLS; else null. */
  readonly mqttsUrl: string | null;
  /** Counts since the start, by the names in README. */
  counters(): Record<string, number>;
  /** Whether an acknowledged alarm would be kept and handed on: started, listening, journal, outbox and classifier in order. */
  ready(): boolean;
  /** What keeps `ready` from being true. */
  problems(): string[];
  /** Resolves when the thread behind the outbox has answered, whatever it answers: for a watchdog. */
  answers(): Promise<void>;
  /** Certificates that the broker shows and trusts. */
  certificates(): CertificateInForce[];
  /** Version of the Control in force. */
  readonly controlVersion: number;
  /** Resolves when nothing is undecided and the outbox is empty. */
  settled(): Promise<void>;
  /** Tells what becomes of each candidate, and of the help button. Returns how to end it. */
  onDecision(listener: (decision: Decision) => void): () => void;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { config, dataDir, clock, classifier } = options;
  const log = options.log.child({ gateway: config.id });
  const counters = createCounters();
  const isSeldom = createSeldom(clock);
  const run = randomUUID();
  const store = createOutboxStore(dataDir);
  const outbox = createOutbox({ store, intake: options.intake, clock, counters, log, ...config.outbox });
  const scorer = createScorer(classifier, clock, counters, log);
  const journal = createJournal({
    folder: join(dataDir, "journal"),
    segmentBytes: config.journal.segmentBytes,
    maxBytes: config.journal.maxBytes,
    keepMs: config.journal.keepMinutes * 60_000,
    letGo: (deviceId) => sessions.get(deviceId)?.letGo(),
    clock,
    counters,
    log,
  });
  const candidates =
    config.candidates.days > 0
      ? createCandidateLog({ folder: dataDir, config: config.candidates, clock, counters, log })
      : null;
  const disk = createDiskWatch(dataDir, clock);
  const registry = createRegistry({
    store,
    intake: options.intake,
    clock,
    counters,
    log,
    gatewayId: config.id,
    refreshSeconds: config.control.refreshSeconds,
    version: options.version,
    maxChecks: config.limits.secretChecks,
    onChange: followRegistry,
  });
  const presence = createPresence({ registry, store, outbox, clock, counters, log });
  const supervision = createSupervision({
    gatewayId: config.id,
    limits: config.supervision,
    frames: () => sessions,
    isListening: () => isStarted && broker.listening && !broker.trouble,
    ...{ registry, store, outbox, clock, counters, log },
  });
  const broker: Broker = config.outside ? outsideBroker(config.outside) : embeddedBroker();
  const out = config.out
    ? createOut({ config: config.out, gatewayId: config.id, registry, clock, counters, log })
    : null;
  const adapters = config.adapters.map((adapter, at) =>
    createAdapterConnection({
      ...{ config: adapter, gatewayId: config.id, at, run: randomInt(2 ** 32), packetBytes: config.limits.packetBytes },
      handlers: { isRegistered: (deviceId) => registry.device(deviceId) !== null, take: fromAdapter },
      ...{ clock, counters, log },
    }),
  );
  const sessions = new Map<string, Session>();
  const listeners = new Set<(decision: Decision) => void>();
  const inFlight = new Map<string, number>();
  /** Devices whose going offline was told already, by their will. */
  const goneByWill = new Set<string>();
  let time: SteadyTime = createSteadyTime(clock);
  /** Falls whose watch had ended before the start. */
  let endedWatches: ReadonlySet<string> = new Set();
  /** Falls that a sensor reported, by their Detections' ids, and when they are safe. */
  const reportedIds = new Map<string, Promise<void>>();
  let events = 0;
  let isStarted = false;

  const selfTester = config.selfTest
    ? createSelfTester({
        ...config.selfTest,
        connection: () => connectionOfDevices(config, broker),
        onDetected: (listener) => {
          const own = ({ deviceId, candidateId, decision }: Decision) => {
            // A candidate's id begins with the boot id, a Detection's with the device's.
            if (decision === "detected") listener(`${deviceId}.${candidateId}`);
          };
          listeners.add(own);
          return () => void listeners.delete(own);
        },
        report: (event) => outbox.event({ ...event, gatewayId: config.id }),
        clock,
        counters,
        log,
      })
    : null;

  function embeddedBroker(): Broker {
    const handlers = { admits: registry.admits, publish, frame, online, offline };
    const { mqtt, limits } = config;
    return createEmbeddedBroker({ mqtt, limits, clock, isSeldom, counters, log, handlers });
  }

  function outsideBroker(outside: OutsideConfig): Broker {
    const { limits, id: gatewayId } = config;
    const handlers = { publish };
    return createOutsideBroker({ outside, limits, gatewayId, handlers, onContact, clock, counters, log });
  }

  function session(deviceId: string): Session {
    const known = sessions.get(deviceId);
    if (known) return known;
    const made = createSession({
      deviceId,
      placement: () => registry.device(deviceId)?.placement ?? "wrist",
      threshold: () => registry.device(deviceId)?.threshold,
      presence: () => presence.fusionOf(deviceId),
      operatingPoints: classifier.operatingPoints,
      modelVersion: classifier.modelVersion,
      bufferMs: config.journal.bufferSeconds * 1000,
      clock,
      time,
      journal,
      scorer,
      candidates,
      counters,
      log,
      keep: (detection, watch) => {
        out?.detection(detection);
        return outbox.keep(detection, watch);
      },
      keepUpdate: outbox.keepUpdate,
      endWatch: outbox.endWatch,
      hadEnded: (detection) => endedWatches.has(detection),
      onDecision: tell,
      onSuspectClock: () => {
        if (isSeldom(`clock ${deviceId}`, suspectClockEveryMs)) event(deviceId, "clock-suspect");
      },
    });
    sessions.set(deviceId, made);
    return made;
  }

  function tell(decision: Decision): void {
    for (const listener of listeners) {
      try {
        listener(decision);
      } catch (error) {
        log.warn({ error: String(error) }, "an observer of decisions failed");
      }
    }
  }

  function event(deviceId: string, kind: DeviceEvent["event"], more: Partial<DeviceEvent> = {}): void {
    const id = `${run}.${++events}`;
    const at = Math.max(0, Math.round(clock.wallNow()));
    const told: DeviceEvent = { v: 1, id, deviceId, at, event: kind, gatewayId: config.id, ...more };
    outbox.event(told);
    out?.event(told);
  }

  function onContact(kind: GatewayEvent["event"], detail?: string): void {
    const at = Math.max(0, Math.round(clock.wallNow()));
    outbox.event({
      v: 1,
      id: `${run}.${++events}`,
      gatewayId: config.id,
      at,
      event: kind,
      ...(detail ? { detail } : {}),
    });
  }

  function publish(
    deviceId: string,
    topic: string,
    payload: Uint8Array,
    isWill: boolean,
    heldAtMostMs = 0,
  ): Promise<void> | undefined {
    counters.add("publish.received");
    const admission = admit(deviceId, topic, payload);
    if (!admission.ok) return refuse(deviceId, admission);
    const message = withTimeHeld(admission.message, clock.wallNow(), heldAtMostMs);
    if (isFull(deviceId)) return tooMany();
    supervision.take(deviceId, message, isWill);
    return watched(deviceId, take(deviceId, message, isWill));
  }

  /** Nearly all there is: what `publish` does of a device's own frame. */
  function frame(deviceId: string, bytes: Buffer, from: number, to: number): Promise<void> | undefined {
    counters.add("publish.received");
    if (isDropped(deviceId)) return undefined;
    const taken = session(deviceId).wire(bytes, from, to, time.now());
    return taken && "reason" in taken ? refuse(deviceId, taken) : taken;
  }

  /** What cannot be read is counted and acknowledged: sent again it would be no better. */
  function refuse(deviceId: string, { reason, detail }: Refused): undefined {
    counters.add(`publish.refused.${reason}`);
    if (!isSeldom(`${deviceId} ${reason}`, refusalEveryMs)) return;
    // A parser's message can quote the payload; the other details are ours.
    log.warn({ deviceId, reason, detail: reason === "bad-json" ? undefined : detail }, "payload refused");
    event(deviceId, "refused-payload", { detail: reason });
  }

  const isFull = (deviceId: string) =>
    inFlight.size > 0 && (inFlight.get(deviceId) ?? 0) >= config.limits.inFlightPerDevice;

  function tooMany(): Promise<void> {
    counters.add("connections.cut.in-flight");
    return Promise.reject(new Error("too many messages in flight"));
  }

  /** Knows what waits for its commit. */
  function watched(deviceId: string, work: Promise<void> | undefined): Promise<void> | undefined {
    if (!work) return undefined;
    inFlight.set(deviceId, (inFlight.get(deviceId) ?? 0) + 1);
    return work.finally(() => {
      const left = (inFlight.get(deviceId) ?? 1) - 1;
      if (left > 0) inFlight.set(deviceId, left);
      else inFlight.delete(deviceId);
    });
  }

  /** A session counts its frames itself. */
  function countedWhereItFails(work: Promise<void> | undefined): Promise<void> | undefined {
    return work?.catch((error: unknown) => {
      counters.add("publish.not-committed");
      throw error;
    });
  }

  /** Whether this device's frames, or reports of presence, are to be dropped now; then one was, and is counted. */
  function isDropped(deviceId: string, what: "frames" | "presence" | "reported" = "frames"): boolean {
    const dropped = registry.unwatched(deviceId);
    if (dropped === null) return false;
    if (what === "frames") counters.add(`frames.dropped.${dropped}`);
    else counters.add(what === "presence" ? `presence.dropped.${dropped}` : `adapters.falls.dropped.${dropped}`);
    return true;
  }

  function take(deviceId: string, message: Message, isWill: boolean): Promise<void> | undefined {
    switch (message.kind) {
      case "frame":
        return isDropped(deviceId) ? undefined : session(deviceId).frame(message.frame, time.now());
      case "help":
        return countedWhereItFails(help(deviceId, message.report));
      case "cancel":
        event(deviceId, "cancel");
        return countedWhereItFails(session(deviceId).cancel(time.now() - message.report.age));
      case "presence":
        if (isDropped(deviceId, "presence")) return undefined;
        event(deviceId, "presence", { detail: `${message.report.sensor}:${message.report.state}` });
        presence.take(deviceId, message.report);
        return undefined;
      case "status":
        status(deviceId, message.report, isWill);
        return undefined;
    }
  }

  function status(deviceId: string, report: StatusReport, isWill: boolean): void {
    const { battery, worn, charging, firmware } = report;
    if (report.kind === "will" || isWill) {
      goneByWill.add(deviceId);
      event(deviceId, "offline", { detail: "will" });
    } else {
      event(deviceId, "heartbeat", { battery, worn, charging, firmware, detail: report.kind });
      if (report.boot !== undefined) tellTime(deviceId, report.boot);
    }
  }

  /** Answers a sign of life with the time, for a device to set its clock by. A gateway without a clock of its own tells nobody. */
  function tellTime(deviceId: string, bootId: number): void {
    const wallMs = Math.round(clock.wallNow());
    if (wallMs < earliestTimeSync) return;
    broker.send(downlinkTopic(deviceId, "time"), encodeTimeSync({ bootId, wallMs }));
    counters.add("time.told");
  }

  function help(
    deviceId: string,
    report: HelpReport,
    keep: (detection: Detection) => Promise<void> = outbox.put,
  ): Promise<void> {
    const arrivedAt = Math.max(0, clock.wallNow());
    const pressedAt = Math.max(0, arrivedAt - report.age);
    const detection: Detection = {
      v: 1,
      id: detectionId(deviceId, report.boot, report.seq, "help"),
      deviceId,
      kind: "help",
      strength: "strong",
      reason: "help-button",
      impactAt: Math.round(pressedAt),
      detectedAt: Math.round(arrivedAt),
      arrivedAt: Math.round(arrivedAt),
      late: report.age > lateMs,
      clockSuspect: false,
      evidence: null,
      model: null,
      test: false,
    };
    counters.add("detections.help");
    out?.detection(detection);
    return keep(detection).then(() =>
      tell({ deviceId, candidateId: detection.id, decision: "detected", impactAt: detection.impactAt }),
    );
  }

  /** What a device told by an adapter: taken as if it spoke our own contract. */
  function fromAdapter(deviceId: string, told: Told, via: string, comesAgain: boolean): Promise<void> | undefined {
    const keep = comesAgain ? outbox.put : outbox.keep;
    switch (told.kind) {
      case "availability":
        event(deviceId, told.online ? "online" : "offline", { detail: via });
        return undefined;
      case "fall":
        return isDropped(deviceId, "reported") ? undefined : watched(deviceId, reported(deviceId, told, via, keep));
      case "help":
        return watched(deviceId, countedWhereItFails(help(deviceId, told.report, keep)));
      default:
        return watched(deviceId, take(deviceId, told, false));
    }
  }

  function reported(
    deviceId: string,
    { fall }: Extract<Told, { kind: "fall" }>,
    via: string,
    keep: (detection: Detection) => Promise<void>,
  ): Promise<void> {
    const detection = reportedFall(deviceId, fall, via, clock.wallNow());
    const { id, impactAt } = detection;
    // A sensor says it again with each of its messages.
    if (reportedIds.has(id)) return reportedIds.get(id)!;
    counters.add("detections.reported");
    out?.detection(detection);
    const kept = keep(detection);
    reportedIds.set(id, kept);
    return kept.then(
      () => {
        tell({ deviceId, candidateId: id, decision: "detected", impactAt });
        if (reportedIds.size > 1000) reportedIds.delete(reportedIds.keys().next().value!);
      },
      (error: unknown) => {
        reportedIds.delete(id);
        counters.add("publish.not-committed");
        throw error;
      },
    );
  }

  function online(deviceId: string, admission: Admission): void {
    goneByWill.delete(deviceId);
    event(deviceId, "online", admission === "new-secret" ? { detail: admission } : {});
  }

  function offline(deviceId: string, why: OfflineReason): void {
    // The will came just before and said the same.
    if (!goneByWill.delete(deviceId)) event(deviceId, "offline", { detail: why });
  }

  function followRegistry(): void {
    broker.follow?.(registry.deviceIds());
    candidates?.retain(registry.hasConsent);
    presence.follow();
    out?.follow();
    supervision.follow();
    if (isStarted) selfTester?.follow(registry.wantedSelfTest());
    for (const [deviceId, one] of sessions) {
      if (registry.hasConsent(deviceId)) continue;
      one.forget();
      sessions.delete(deviceId);
    }
    for (const deviceId of broker.connected()) {
      if (registry.mayStay(deviceId)) continue;
      counters.add("connections.cut.revoked");
      log.info({ deviceId }, "device or its secret revoked: shut out");
      broker.shutOut(deviceId);
    }
  }

  async function takeUp(): Promise<void> {
    const { undecided, latest } = await journal.start();
    const watches = await store.watches();
    endedWatches = new Set(watches.ended);
    time = createSteadyTime(clock, Math.max(latest, await presence.read(), await supervision.read()));
    presence.begin(time);
    supervision.begin(time);
    await Promise.all(
      [...undecided].map(([deviceId, records]) => {
        if (!registry.hasConsent(deviceId)) return journal.release(deviceId, time.now());
        counters.add("journal.devices-taken-up");
        log.info({ deviceId, records: records.length }, "taking up what was undecided");
        return session(deviceId).replay(records);
      }),
    );
    for (const watch of watches.open) {
      if (registry.hasConsent(watch.deviceId)) session(watch.deviceId).watchAgain(watch);
      else outbox.endWatch(watch.detectionId);
    }
  }

  const isBusy = async () =>
    [...sessions.values()].some((one) => one.busy) ||
    inFlight.size > 0 ||
    presence.busy ||
    supervision.busy ||
    !(await outbox.isEmpty());

  function problems(): string[] {
    const list: string[] = [];
    if (!isStarted) list.push("not started");
    else if (broker.trouble) list.push(broker.trouble);
    else if (!broker.listening) list.push("the broker does not listen");
    if (!disk.hasRoom) list.push("the disk is full");
    if (!journal.healthy) list.push("the journal cannot be written");
    if (!outbox.healthy) list.push("the outbox cannot be written");
    if (!scorer.healthy) list.push("the classifier fails");
    if (isStarted) for (const { trouble } of adapters) if (trouble) list.push(trouble);
    return list;
  }

  return {
    get mqttUrl() {
      return broker.url;
    },
    get mqttsUrl() {
      return broker.tlsUrl ?? null;
    },
    get controlVersion() {
      return registry.version;
    },
    counters: () => ({ ...counters.read(), "connections.open": broker.connected().length }),
    ready: () => problems().length === 0,
    problems,
    answers: () =>
      store.countDetections().then(
        () => undefined,
        () => undefined,
      ),
    certificates: () => broker.certificates?.() ?? [],
    async settled() {
      while (isStarted && (await isBusy())) await new Promise<void>((resolve) => clock.after(20, resolve));
    },
    onDecision(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async start() {
      await store.open(clock.wallNow());
      disk.start();
      outbox.start();
      scorer.start();
      if (candidates) candidates.start();
      else removeCandidates(dataDir);
      await registry.start();
      await takeUp();
      await broker.start();
      await Promise.all(adapters.map((adapter) => adapter.start()));
      out?.start();
      isStarted = true;
      log.info({ mqtt: broker.url, control: registry.version }, "gateway started");
    },
    async stop() {
      isStarted = false;
      await selfTester?.stop();
      disk.stop();
      registry.stop();
      await Promise.all([broker.stop(), out?.stop(), ...adapters.map((adapter) => adapter.stop())]);
      await supervision.stop();
      for (const one of sessions.values()) one.stop();
      sessions.clear();
      scorer.stop();
      await presence.stop();
      await within(clock, 2000, journal.stop()).catch(() => {});
      outbox.stop();
      if (candidates) await within(clock, 10_000, candidates.stop()).catch(() => {});
      await store.close();
    },
  };
}
