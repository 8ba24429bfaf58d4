import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import { holderOf } from "../firmware-contracts/certificate-name.ts";
import type { WallMs } from "../firmware-contracts/clock.ts";
import {
  type CredentialKey,
  type CredentialPaths,
  certificatesIn,
  daysLeft,
  readCredential,
  warnDays,
} from "../firmware-contracts/credential-files.ts";
import type { Config, Role } from "./config.ts";

/** What was found of a file that a section of the configuration names. */
export interface CertificateFinding {
  /** As `gateway.mqtt.tls.certFile`. */
  key: string;
  level: "ok" | "warn" | "mend";
  says: string;
}

interface Section {
  name: string;
  paths: CredentialPaths;
  /** What the certificate is for; of a section that names only an authority, nothing. */
  use?: "server" | "client";
  /** The file whose authorities must have signed it, and the key that names that. */
  signedBy?: { key: string; file: string };
  /** The gateway that it must name. */
  gatewayId?: string;
  /** The host by which a gateway in the same file reaches it. */
  host?: string;
  /** How a new one is made. */
  renew: string;
}

const uses = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/** Reads every certificate file that the configuration names for a role, and says of each what is wrong and the mend. */
export function checkCertificates(config: Config, role: Role, now: WallMs): CertificateFinding[] {
  return sectionsOf(config, role).flatMap((section) => examine(section, now));
}

function sectionsOf({ gateway, alerting }: Config, role: Role): Section[] {
  const { mqtt, outside, intake, id } = gateway;
  const door = alerting?.intake.tls;
  const renew = "fallvakt init --certificates-only makes new ones";
  const sections: Section[] = [];
  // Only where both roles are in one file is the other end known.
  const reached = role === "all" && intake ? new URL(intake.url).hostname.replace(/^\[|\]$/g, "") : undefined;
  const trusted = (caFile: string | undefined, key: string) => (caFile ? { signedBy: { key, file: caFile } } : {});
  if (role !== "alerting") {
    if (mqtt.tls) {
      const { caFile } = mqtt.tls;
      const known = trusted(caFile, "gateway.mqtt.tls.caFile");
      sections.push({ name: "gateway.mqtt.tls", paths: mqtt.tls, use: "server", renew, ...known });
    }
    if (outside?.caFile) sections.push({ name: "gateway.outside", paths: { caFile: outside.caFile }, renew: "" });
    const others = [
      ...gateway.adapters.map(({ caFile }, at) => ({ name: `gateway.adapters.${at}`, caFile })),
      { name: "gateway.out", caFile: gateway.out?.caFile },
    ];
    for (const { name, caFile } of others) if (caFile) sections.push({ name, paths: { caFile }, renew: "" });
    if (intake) {
      const known =
        role === "all" && door
          ? trusted(door.caFile, "alerting.intake.tls.caFile")
          : trusted(intake.caFile, "gateway.intake.caFile");
      const mend = `make it with fallvakt gateway certificate ${id} --out FILE`;
      sections.push({ name: "gateway.intake", paths: intake, use: "client", gatewayId: id, renew: mend, ...known });
    }
  }
  if (role !== "gateway" && alerting) {
    const { tls } = alerting.http;
    const isByCertificate = intake?.certFile !== undefined;
    const host = (isReached: boolean) => (reached !== undefined && isReached ? { host: reached } : {});
    const byGateway = trusted(reached === undefined ? undefined : intake?.caFile, "gateway.intake.caFile");
    if (tls) {
      const known = isByCertificate ? {} : byGateway;
      const to = host(!isByCertificate);
      sections.push({ name: "alerting.http.tls", paths: tls, use: "server", renew, ...known, ...to });
    }
    if (door) {
      const own = trusted(door.caFile, "alerting.intake.tls.caFile");
      const known = isByCertificate && byGateway.signedBy ? byGateway : own;
      const to = host(isByCertificate);
      sections.push({ name: "alerting.intake.tls", paths: door, use: "server", renew, ...known, ...to });
    }
  }
  return sections;
}

function examine(section: Section, now: WallMs): CertificateFinding[] {
  const { name, paths, renew } = section;
  const findings: CertificateFinding[] = [];
  const { cert, ca, problems } = readCredential(paths);
  const say = (key: CredentialKey, level: CertificateFinding["level"], says: string) =>
    findings.push({ key: `${name}.${key}`, level, says });
  const broken = new Set(problems.map((one) => one.key));
  const mend = renew === "" ? "name the right file" : `name the right file; ${renew}`;
  for (const { key, problem } of problems) say(key, "mend", `${problem}: ${mend}`);
  const chain = cert === undefined || broken.has("certFile") ? [] : certificatesIn(cert);
  const authorities = ca === undefined || broken.has("caFile") ? [] : certificatesIn(ca);

  const [leaf] = chain;
  if (leaf) {
    for (const problem of [...datesOf(leaf, now), ...fitOf(section, chain)]) {
      const { level, says, mend = renew } = problem;
      say("certFile", level, `${paths.certFile} ${says}: ${mend}`);
    }
  }
  for (const authority of authorities) {
    const wrong: Problem[] = datesOf(authority, now);
    if (!authority.ca) wrong.push({ level: "mend", says: "holds a certificate that is no authority's" });
    const newOne = "get the authority's new certificate";
    for (const { level, says } of wrong) say("caFile", level, `${paths.caFile} ${says}: ${newOne}`);
  }
  for (const [key, all] of [["certFile", chain.slice(0, 1)] as const, ["caFile", authorities] as const]) {
    if (all.length === 0 || findings.some((one) => one.key === `${name}.${key}`)) continue;
    const days = Math.min(...all.map((one) => daysLeft(one, now)));
    say(key, "ok", `${paths[key]}, ${days} days left`);
  }
  return findings;
}

interface Problem {
  level: "warn" | "mend";
  says: string;
  mend?: string;
}

function datesOf(certificate: X509Certificate, now: WallMs): Problem[] {
  const { validFromDate, validToDate } = certificate;
  const left = daysLeft(certificate, now);
  const until = validToDate.toISOString().slice(0, 10);
  if (now < validFromDate.getTime()) {
    const says = `is not valid before ${validFromDate.toISOString().slice(0, 10)}`;
    return [{ level: "mend", says, mend: "is this machine's clock right?" }];
  }
  if (left < 0) return [{ level: "mend", says: `has ended on ${until}` }];
  return left < warnDays ? [{ level: "warn", says: `ends in ${left} days, on ${until}` }] : [];
}

/** Whether a certificate is fit for what it stands there for. */
function fitOf({ use, signedBy, gatewayId, host }: Section, chain: X509Certificate[]): Problem[] {
  const [leaf] = chain;
  if (!leaf) return [];
  const problems: Problem[] = [];
  const mend = (says: string, mend?: string) => problems.push({ level: "mend", says, ...(mend ? { mend } : {}) });
  const extended = leaf.keyUsage as string[] | undefined;
  if (use && extended && !extended.includes(uses[use])) {
    mend(`is not for ${use}s (no ${use}Auth among its uses)`);
  }
  if (signedBy && !isSigned(chain, signedBy.file)) {
    mend(
      `is not signed by the authority in ${signedBy.key}`,
      "let that authority sign it, or put its own into that file too",
    );
  }
  if (host !== undefined && !(isIP(host) ? leaf.checkIP(host) : leaf.checkHost(host))) {
    mend(
      `does not hold ${host}, where gateway.intake.url finds it`,
      `make it with fallvakt init --certificates-only --host ${host}`,
    );
  }
  if (gatewayId !== undefined) {
    const holder = holderOf(leaf.toLegacyObject());
    if (holder?.kind !== "gateway") mend("is no gateway's");
    else if (holder.id !== gatewayId) mend(`is of the gateway ${holder.id}, and gateway.id is ${gatewayId}`);
  }
  return problems;
}

/** Whether a chain ends at an authority in a file, or at a public one. A file that cannot be read is told of by itself. */
function isSigned(chain: readonly X509Certificate[], file: string): boolean {
  const { ca, problems } = readCredential({ caFile: file });
  if (ca === undefined || problems.length > 0) return true;
  return leadsTo(chain, certificatesIn(ca)) || leadsTo(chain, certificatesIn(rootCertificates.join("\n")));
}

function leadsTo(chain: readonly X509Certificate[], trusted: readonly X509Certificate[]): boolean {
  let at = chain[0];
  for (let steps = 0; at && steps < chain.length; steps++) {
    const one: X509Certificate = at;
    const signed = (other: X509Certificate) => one.checkIssued(other) && one.verify(other.publicKey);
    if (trusted.some(signed)) return true;
    at = chain.find((other) => other !== one && signed(other));
  }
  return false;
}
