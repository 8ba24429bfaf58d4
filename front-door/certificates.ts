// The decorators that @peculiar/x509 is built with want it loaded first.
import "reflect-metadata";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { type CertificateHolder, certificateUri } from "../firmware-contracts/certificate-name.ts";

// P-256: the curve that microcontrollers' TLS libraries have in every build.
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** A device whose clock stands at 1970 must be able to connect: only there is it told the time. */
const notBefore = new Date(0);
const years = { authority: 25, server: 10, client: 10 } as const;

/** A certificate and its key, both PEM. */
export interface Credential {
  certificate: string;
  key: string;
}

/** Names of the files in a folder of certificates. */
export const certificateFiles = {
  authority: "ca.pem",
  authorityKey: "ca-key.pem",
  broker: "broker.pem",
  brokerKey: "broker-key.pem",
  intake: "intake.pem",
  intakeKey: "intake-key.pem",
} as const;

/** An authority of one's own: a P-256 key and its self-signed certificate. */
export async function makeAuthority(name: string, now: Date): Promise<Credential> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    notBefore,
    notAfter: inYears(now, years.authority),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await keyPem(keys.privateKey) };
}

/**
 * The certificate of a server, the broker or alerting's intake, for `hosts`: names and addresses by which it is reached. The authority's follows it in
 * the same text, so that a device that knows only the authority's fingerprint gets what to compare.
 */
export async function issueForServer(authority: Credential, hosts: readonly string[], now: Date): Promise<Credential> {
  const [first = ""] = hosts;
  if (!first) throw new Error("a server's certificate needs at least one host");
  const names = hosts.map((host) => ({ type: isIP(host) ? ("ip" as const) : ("dns" as const), value: host }));
  const extensions = [new x509.SubjectAlternativeNameExtension(names)];
  const issued = await issue(authority, first, "serverAuth", extensions, inYears(now, years.server));
  return { ...issued, certificate: `${issued.certificate.trim()}\n${authority.certificate}` };
}

/** A certificate by which a device comes in without a secret: its common name is the device's id. */
export function issueForDevice(authority: Credential, deviceId: string, now: Date): Promise<Credential> {
  return issueForHolder(authority, { kind: "device", id: deviceId }, now);
}

/** A certificate by which a gateway comes in at alerting's intake. It opens no broker, and a device's no intake. */
export function issueForGateway(authority: Credential, gatewayId: string, now: Date): Promise<Credential> {
  return issueForHolder(authority, { kind: "gateway", id: gatewayId }, now);
}

function issueForHolder(authority: Credential, holder: CertificateHolder, now: Date): Promise<Credential> {
  const name = new x509.SubjectAlternativeNameExtension([{ type: "url", value: certificateUri(holder) }]);
  return issue(authority, holder.id, "clientAuth", [name], inYears(now, years.client));
}

/**
 * Puts certificates of the broker and of alerting's intake for `hosts` into `folder`, and before that an authority where there is none yet. An authority that is there is never
 * replaced: the devices and gateways trust it. Returns whether it was made now.
 */
export async function writeCertificates(folder: string, hosts: readonly string[], now: Date): Promise<boolean> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isNew = !existsSync(join(folder, certificateFiles.authority));
  if (isNew) {
    const made = await makeAuthority("Fallvakt", now);
    writeSecret(join(folder, certificateFiles.authorityKey), made.key);
    writeFileSync(join(folder, certificateFiles.authority), made.certificate);
  }
  const authority = readAuthority(folder);
  for (const server of ["broker", "intake"] as const) {
    const made = await issueForServer(authority, hosts, now);
    writeSecret(join(folder, certificateFiles[`${server}Key`]), made.key);
    writeFileSync(join(folder, certificateFiles[server]), made.certificate);
  }
  return isNew;
}

/** The authority in `folder`. @throws with the mend where its key is kept elsewhere. */
export function readAuthority(folder: string): Credential {
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch {
      throw new Error(
        `${join(folder, name)} cannot be read: where the authority's key is kept elsewhere, bring it here for this command`,
      );
    }
  };
  return { certificate: read(certificateFiles.authority), key: read(certificateFiles.authorityKey) };
}

/** Writes what nobody but its owner may read. */
export function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  // The mode above counts only where the file was not there.
  chmodSync(path, 0o600);
}

async function issue(
  authority: Credential,
  name: string,
  use: "serverAuth" | "clientAuth",
  extensions: x509.Extension[],
  notAfter: Date,
): Promise<Credential> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey("pkcs8", derOf(authority.key), algorithm, false, ["sign"]);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    notBefore,
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[use]]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...extensions,
    ],
  });
  return { certificate: certificate.toString("pem"), key: await keyPem(keys.privateKey) };
}

function newKeys() {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function keyPem(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function derOf(pem: string): ArrayBuffer {
  return x509.PemConverter.decodeFirst(pem);
}

function inYears(now: Date, count: number): Date {
  const then = new Date(now);
  then.setUTCFullYear(then.getUTCFullYear() + count);
  return then;
}
