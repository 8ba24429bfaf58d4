import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { type CredentialFiles, openCredentialFiles } from "../../firmware-contracts/credential-files.ts";
import type { IntakeItem } from "../../firmware-contracts/intake.ts";
import { type Credential, certificateFiles, readAuthority, writeCertificates } from "../../front-door/certificates.ts";
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type Service, startService } from "../../front-door/service.ts";
import { createHttpIntake, type HttpIntake } from "../../gateway/outbox/http-intake.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { accountSid, authToken, serviceNumber, townSettings } from "../promises/town.ts";

export const silent = pino({ level: "silent" });

export interface AlertingOptions {
  /** Left out: free ones. */
  port?: number;
  intakePort?: number;
  clock?: Clock;
  revoked?: string[];
}

/** A service that this made, and how gateways get to it. */
export interface StartedAlerting {
  service: Service;
  /** Of the door for certificates: `https://localhost:port`. */
  intakeUrl: string;
  /** A count of the intake's. */
  counted(name: string): number;
}

/** Alerting with both its doors by TLS, and what gateways need to come in. */
export interface TlsPair {
  readonly clock: Clock;
  readonly network: PhoneNetwork;
  readonly authority: Credential;
  readonly caFile: string;
  /** What both doors show. */
  readonly server: { certFile: string; keyFile: string };
  readonly token: string;
  path(name: string): string;
  /** Certificate and key in one file, as the commands write them. Returns its path. */
  written(name: string, made: Credential): string;
  /** Runs until `stopAll`, unless it was stopped before. */
  startAlerting(name: string, options?: AlertingOptions): Promise<StartedAlerting>;
  /** A gateway's intake as the service makes it, with a certificate or none. */
  intakeWith(url: string, certFile?: string, clock?: Clock): HttpIntake & { credential: CredentialFiles };
  /** Stops it together with the others. */
  keep<T extends { stop(): unknown }>(part: T): T;
  /** After each test. */
  stopAll(): Promise<void>;
  close(): Promise<void>;
}

export async function openTlsPair(): Promise<TlsPair> {
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-two-tls-"));
  const path = (name: string) => join(folder, name);
  const clock = systemClock(8);
  const network = await startPhoneNetwork({ clock, accountSid, authToken, everyNumberHasAPhone: true });
  network.addNumber(serviceNumber);
  await writeCertificates(folder, ["localhost", "127.0.0.1"], new Date());
  const server = { certFile: path(certificateFiles.intake), keyFile: path(certificateFiles.intakeKey) };
  const caFile = path(certificateFiles.authority);
  const token = "a-token-of-more-than-twenty-characters";
  const parts: { stop(): unknown }[] = [];
  const pair: TlsPair = {
    clock,
    network,
    authority: readAuthority(folder),
    caFile,
    server,
    token,
    path,
    written(name, { certificate, key }) {
      writeFileSync(path(name), `${certificate.trim()}\n${key}`, { mode: 0o600 });
      return path(name);
    },
    async startAlerting(name, options = {}) {
      const { intakePort = 0, revoked = [] } = options;
      const port = options.port ?? (await freePort());
      const settings = townSettings({ dataDir: path(name), phonesUrl: network.url, port, waitSeconds: 3600 });
      const { alerting } = settings;
      const config = Config.parse({
        ...settings,
        alerting: {
          ...alerting,
          http: { ...alerting.http, tls: server },
          intake: { token, tls: { host: "127.0.0.1", port: intakePort, ...server, caFile, revoked } },
        },
      });
      const clockOf = options.clock ?? clock;
      const service = pair.keep(await startService({ config, role: "alerting", clock: clockOf, log: silent }));
      return {
        service,
        intakeUrl: (service.alerting?.intakeUrl ?? "").replace("127.0.0.1", "localhost"),
        counted: (counter) => service.alerting?.counters()[`intake.${counter}`] ?? 0,
      };
    },
    intakeWith(url, certFile, at = clock) {
      const paths = { caFile, certFile };
      const section = "gateway.intake";
      const credential = pair.keep(openCredentialFiles({ section, paths, mend: "mend", clock: at, log: silent }));
      const intake = createHttpIntake({ url, credential, clock: at, timeoutSeconds: 600 });
      pair.keep({ stop: intake.close });
      return { ...intake, credential };
    },
    keep(part) {
      parts.push(part);
      return part;
    },
    async stopAll() {
      for (const part of parts.splice(0).reverse()) await part.stop();
    },
    async close() {
      await network.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return pair;
}

/** Puts a file in another's place as a renewing program does it: a file of its own, then its name. */
export function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What a gateway says of itself. */
export const brokerLost = (id: string, gatewayId: string): IntakeItem => ({
  type: "gateway-event",
  event: { v: 1, id, gatewayId, at: 1, event: "broker-lost" },
});
