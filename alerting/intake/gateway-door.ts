import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import type { Clock, MonotonicMs } from "../../firmware-contracts/clock.ts";
import type { CertificateInForce } from "../../firmware-contracts/credential-files.ts";
import type { Intake } from "../../firmware-contracts/intake.ts";
import type { AlertingConfig } from "../config.ts";
import type { Counters } from "../counters.ts";
import { createWebServer } from "../web-server.ts";
import { byCertificate } from "./callers.ts";
import { intakePlugin } from "./plugin.ts";

/** The same refusal is logged so often at most, ms; it is always counted. */
const oftenestMs = 60_000;

export interface GatewayDoorOptions {
  tls: NonNullable<AlertingConfig["intake"]["tls"]>;
  intake: Intake;
  clock: Clock;
  counters: Counters;
  log: Logger;
}

/** The port at which gateways come in by certificate. It serves the intake and nothing else. */
export interface GatewayDoor {
  /** `https://host:port`. */
  readonly url: string;
  certificates(): CertificateInForce[];
  close(): Promise<void>;
}

/** Rejects where the port cannot be had or a certificate not be read, with the mend. */
export async function openGatewayDoor(options: GatewayDoorOptions): Promise<GatewayDoor> {
  const { tls, intake, clock, counters, log } = options;
  const told = new Map<string, MonotonicMs>();

  function onRefused(code: string, from: string | undefined): void {
    const reason = reasonOf(code);
    counters.count(`intake.refused.${reason}`);
    const last = told.get(reason);
    if (last !== undefined && clock.monotonicNow() - last < oftenestMs) return;
    told.set(reason, clock.monotonicNow());
    log.warn({ reason, code, from }, "somebody was not let in at the intake for gateways");
  }

  const server = createWebServer({ section: "alerting.intake.tls", tls, onRefused, clock, log });
  try {
    await server.app.register(intakePlugin, { intake, whoIsIt: byCertificate(clock, tls.revoked), counters });
    await server.app.listen({ host: tls.host, port: tls.port });
  } catch (error) {
    await server.close();
    throw error;
  }
  const { address, family, port } = server.app.server.address() as AddressInfo;
  const url = `https://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  return { url, certificates: server.certificates, close: server.close };
}

/** OpenSSL's code as one of the few reasons that are counted. */
function reasonOf(code: string): string {
  if (code === "CERT_HAS_EXPIRED") return "ended";
  if (code === "CERT_NOT_YET_VALID") return "not-yet-valid";
  if (code === "INVALID_PURPOSE") return "not-for-clients";
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "no-certificate";
  return /SIGNED|ISSUER|LEAF|CHAIN|SIGNATURE|_CA$/.test(code) ? "unknown-authority" : "handshake";
}
