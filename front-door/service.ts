import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Alerting } from "../alerting/alerting.ts";
import type { Classifier } from "../detector/classifier/classifier.ts";
import type { Clock } from "../firmware-contracts/clock.ts";
import { type CertificateInForce, openCredentialFiles } from "../firmware-contracts/credential-files.ts";
import type { Intake } from "../firmware-contracts/intake.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { HttpIntake } from "../gateway/outbox/http-intake.ts";
import type { Config, Role } from "./config.ts";
import { startHealth } from "./health.ts";
import { brokerOf } from "./installer-note.ts";

export interface ServiceOptions {
  config: Config;
  role: Role;
  clock: Clock;
  log: Logger;
  /** Of the program, for alerting to show. */
  version?: string | undefined;
  /** Stands between gateway and intake; for trials that break something on purpose. */
  throughIntake?: (intake: Intake) => Intake;
}

/** The parts that a role runs, wired together. */
export interface Service {
  readonly gateway: Gateway | null;
  readonly alerting: Alerting | null;
  readonly classifier: Classifier | null;
  /** Alerting's address for people, or null in the gateway's role. */
  readonly consoleUrl: string | null;
  /** Where `/healthz`, `/readyz` and `/metrics` are, or null where the configuration names no such server. */
  readonly healthUrl: string | null;
  /** Certificates that the parts show and trust now. */
  certificates(): CertificateInForce[];
  stop(): Promise<void>;
}

/** Where alerting keeps its store and spool. */
export function alertingFolder(config: Config): string {
  return join(config.dataDir, "alerting");
}

/**
 * Starts what a role needs: alerting first, so that a fall in the gateway's journal finds its intake.
 * What was started is stopped again where a later part cannot start.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, role, clock, log } = options;
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    let alerting: Alerting | null = null;
    // Each role loads its own half alone: the other's libraries would cost a small machine 20 MiB.
    if (role !== "gateway") {
      const { createAlerting } = await import("../alerting/alerting.ts");
      if (!config.alerting) throw new Error("alerting is missing in the configuration");
      alerting = createAlerting({
        config: config.alerting,
        dataDir: alertingFolder(config),
        clock,
        log: log.child({ part: "alerting" }),
        brokerForDevices: (named) => brokerOf(config, named),
      });
      await alerting.start();
      started.push(alerting);
    }
    let gateway: Gateway | null = null;
    let classifier: Classifier | null = null;
    const shown: { certificates(): CertificateInForce[] }[] = alerting ? [alerting] : [];
    if (role !== "alerting") {
      const { loadClassifier } = await import("../detector/classifier/classifier.ts");
      const { createGateway } = await import("../gateway/gateway.ts");
      const door = alerting ?? (await remoteIntake(config, clock, log.child({ part: "gateway" })));
      if (door !== alerting) {
        started.push(door);
        shown.push(door);
      }
      const { intake } = door;
      const model = await loadClassifier({
        backend: config.gateway.detector.backend,
        log: log.child({ part: "detector" }),
      });
      classifier = model;
      started.push({ stop: async () => model.dispose() });
      gateway = createGateway({
        config: config.gateway,
        dataDir: join(config.dataDir, "gateway"),
        intake: options.throughIntake?.(intake) ?? intake,
        clock,
        log: log.child({ part: "gateway" }),
        classifier,
        version: options.version,
      });
      // One that could not start altogether has something to stop too, or the process would never end.
      started.push(gateway);
      await gateway.start();
      shown.push(gateway);
    }
    const service: Service = {
      gateway,
      alerting,
      classifier,
      consoleUrl: alerting?.url ?? null,
      healthUrl: null,
      certificates: () => shown.flatMap((part) => part.certificates()),
      stop,
    };
    if (!config.health) return service;
    const health = await startHealth(config.health, service);
    started.push({ stop: () => health.close() });
    return { ...service, healthUrl: health.listeningOrigin };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Alerting in another process, as the configuration says. */
export async function remoteIntake(
  config: Config,
  clock: Clock,
  log: Logger,
): Promise<{ intake: HttpIntake; certificates(): CertificateInForce[]; stop(): Promise<void> }> {
  const { createHttpIntake } = await import("../gateway/outbox/http-intake.ts");
  const door = config.gateway.intake;
  if (!door) throw new Error("gateway.intake is missing in the configuration");
  const mend = `make it with: fallvakt gateway certificate ${config.gateway.id} --out FILE`;
  const hasFiles = door.caFile !== undefined || door.certFile !== undefined;
  const credential = hasFiles
    ? openCredentialFiles({ section: "gateway.intake", paths: door, mend, clock, log })
    : undefined;
  const { url, token } = door;
  const intake = createHttpIntake({
    url,
    token,
    credential,
    clock,
    timeoutSeconds: config.gateway.outbox.submitSeconds,
  });
  return {
    intake,
    certificates: () => credential?.certificates() ?? [],
    async stop() {
      credential?.stop();
      intake.close();
    },
  };
}
