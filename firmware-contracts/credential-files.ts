import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import type { Clock, MonotonicMs, WallMs } from "./clock.ts";

/** How often files are looked at again, ms. */
const lookEveryMs = 60_000;
const dayMs = 86_400_000;
/** So long before a certificate ends it is told of, once a day. */
export const warnDays = 30;

/** Files of one end of a TLS connection. Without a key's own file the key stands in the certificate's. */
export interface CredentialPaths {
  certFile?: string | undefined;
  keyFile?: string | undefined;
  caFile?: string | undefined;
}
export type CredentialKey = keyof CredentialPaths;

/** What TLS needs of them, PEM. */
export interface Credential {
  cert?: string;
  key?: string;
  ca?: string;
}

export interface ReadCredential extends Credential {
  /** What is wrong, by the key that names the file. Where there is nothing, all that was named is good. */
  problems: { key: CredentialKey; problem: string }[];
}

/** All certificates in a PEM text, in their order. Throws where one of them is none. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

const daysUntil = (ends: WallMs, now: WallMs) => Math.floor((ends - now) / dayMs);

/** Whole days until a certificate ends; negative once it has. */
export function daysLeft(certificate: X509Certificate, now: WallMs): number {
  return daysUntil(certificate.validToDate.getTime(), now);
}

/** Reads the files that are named, and finds out whether they are what they should be and belong together. Dates are not looked at. */
export function readCredential(paths: CredentialPaths): ReadCredential {
  const problems: ReadCredential["problems"] = [];
  const read = (key: CredentialKey): string | undefined => {
    const path = paths[key];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      problems.push({ key, problem: `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? error})` });
      return undefined;
    }
  };
  const certificates = (key: "certFile" | "caFile", text: string | undefined) => {
    if (text === undefined) return [];
    try {
      const found = certificatesIn(text);
      if (found.length > 0) return found;
    } catch {
      // Told as the same: whatever stands there is no certificate.
    }
    problems.push({ key, problem: `${paths[key]} holds no certificate in PEM form` });
    return [];
  };
  const cert = read("certFile");
  const ca = read("caFile");
  const [leaf] = certificates("certFile", cert);
  certificates("caFile", ca);
  const keyFrom = paths.keyFile === undefined ? "certFile" : "keyFile";
  const key = paths.certFile === undefined ? undefined : paths.keyFile === undefined ? cert : read("keyFile");
  if (key !== undefined) {
    try {
      const isIts = !leaf || leaf.checkPrivateKey(createPrivateKey(key));
      if (!isIts) problems.push({ key: keyFrom, problem: `${paths[keyFrom]} is not the key of ${paths.certFile}` });
    } catch {
      problems.push({
        key: keyFrom,
        problem: `${paths[keyFrom]} holds no private key in PEM form without a passphrase`,
      });
    }
  }
  const credential: Credential = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
  };
  if (problems.length === 0 && cert !== undefined) {
    try {
      createSecureContext(credential);
    } catch (error) {
      problems.push({ key: "certFile", problem: `${paths.certFile} cannot be used for TLS (${messageOf(error)})` });
    }
  }
  return { ...credential, problems };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A certificate that is shown or trusted now. */
export interface CertificateInForce {
  /** The key that names its file, as `gateway.mqtt.tls.certFile`. */
  which: string;
  daysLeft: number;
}

/** Files that were read, and are read again when they change. */
export interface CredentialFiles {
  /** What is in force: the newest that was good. */
  readonly current: Credential;
  /** Of a file with several authorities the one that ends first. */
  certificates(): CertificateInForce[];
  /** Called with each new one from now on. */
  onChange(listener: (current: Credential) => void): void;
  /** Looks at the files no more. */
  stop(): void;
}

export interface CredentialFilesOptions {
  /** The section of the configuration that names them, as `gateway.mqtt.tls`. */
  section: string;
  paths: CredentialPaths;
  /** How such files are made, in words. */
  mend: string;
  clock: Clock;
  log: Logger;
}

/**
 * Reads a credential's files, and once a minute again: a renewed certificate needs no restart. What is broken, or not valid now, is told in the log and
 * the old stays in force, so that files may be replaced one after the other. Throws, with the mend, where they are broken at the start; one that has only
 * ended is taken, since not to listen at all would be worse.
 */
export function openCredentialFiles(options: CredentialFilesOptions): CredentialFiles {
  const { section, paths, clock, log } = options;
  const listeners: ((current: Credential) => void)[] = [];
  const told = new Map<string, MonotonicMs>();
  const { problems, ...first } = readCredential(paths);
  if (problems.length > 0) {
    throw new Error(problems.map((p) => `${section}.${p.key}: ${p.problem}; ${options.mend}.`).join("\n"));
  }
  let current: Credential = first;
  let ends = endsOf(first);
  /** Of the last look; null where it is to be looked at again though nothing changed. */
  let seen: string | null = textsIn(paths);
  let complaint = "";
  let callOff = clock.after(lookEveryMs, look);
  tellEnds();

  function inForce(): CertificateInForce[] {
    const now = clock.wallNow();
    return ends.map(({ key, ends }) => ({ which: `${section}.${key}`, daysLeft: daysUntil(ends, now) }));
  }

  function tellEnds(): void {
    for (const { which, daysLeft } of inForce()) {
      const last = told.get(which);
      if (daysLeft >= warnDays || (last !== undefined && clock.monotonicNow() - last < dayMs)) continue;
      told.set(which, clock.monotonicNow());
      if (daysLeft < 0) log.error({ which }, `this certificate has ended; ${options.mend}`);
      else log.warn({ which, daysLeft }, `this certificate ends soon; ${options.mend}`);
    }
  }

  function look(): void {
    callOff = clock.after(lookEveryMs, look);
    const texts = textsIn(paths);
    if (texts !== seen) {
      const { problems, ...next } = readCredential(paths);
      if (problems.length === 0 && !isValid(next, clock.wallNow()) && next.cert !== current.cert) {
        problems.push({ key: "certFile", problem: `${paths.certFile} is not valid now` });
      }
      // What is not valid yet will be.
      seen = problems.length === 0 ? texts : null;
      if (problems.length === 0) take(next);
      else complain(problems);
    }
    tellEnds();
  }

  function complain(problems: ReadCredential["problems"]): void {
    const what = problems.map((p) => `${section}.${p.key}: ${p.problem}`);
    if (what.join() === complaint) return;
    complaint = what.join();
    log.error({ what }, `new certificate files are not good, and the old ones stay in force; ${options.mend}`);
  }

  function take(next: Credential): void {
    complaint = "";
    if (JSON.stringify(next) === JSON.stringify(current)) return;
    current = next;
    ends = endsOf(next);
    for (const listener of listeners) listener(current);
    log.info({ section }, "certificate files were read anew and are in force");
  }

  return {
    get current() {
      return current;
    },
    certificates: inForce,
    onChange: (listener) => void listeners.push(listener),
    stop: () => callOff(),
  };
}

/** What stands in the files, or why they cannot be read: only to find out whether anything has changed. */
function textsIn({ certFile, keyFile, caFile }: CredentialPaths): string {
  const texts = [certFile, keyFile, caFile].map((path) => {
    try {
      return path === undefined ? null : readFileSync(path, "utf8");
    } catch (error) {
      return messageOf(error);
    }
  });
  return JSON.stringify(texts);
}

/** When the certificate ends, and the first of the authorities; ms since 1970. */
function endsOf({ cert, ca }: Credential): { key: CredentialKey; ends: WallMs }[] {
  const end = (certificates: X509Certificate[]) => Math.min(...certificates.map((one) => one.validToDate.getTime()));
  return [
    ...(cert === undefined ? [] : [{ key: "certFile" as const, ends: end(certificatesIn(cert).slice(0, 1)) }]),
    ...(ca === undefined ? [] : [{ key: "caFile" as const, ends: end(certificatesIn(ca)) }]),
  ];
}

function isValid({ cert }: Credential, now: WallMs): boolean {
  const [leaf] = cert === undefined ? [] : certificatesIn(cert);
  return !leaf || (leaf.validFromDate.getTime() <= now && now <= leaf.validToDate.getTime());
}
