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

/** Whole days until a certificate ends; negative once it has. */
export function daysLeft(certificate: X509Certificate, now: WallMs): number {
  return Math.floor((certificate.validToDate.getTime() - now) / dayMs);
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
  let seen = JSON.stringify({ ...first, problems });
  let callOff = () => {};
  tellEnds();
  callOff = clock.after(lookEveryMs, look);

  function inForce(): CertificateInForce[] {
    const list: CertificateInForce[] = [];
    for (const [key, pem] of [["certFile", current.cert] as const, ["caFile", current.ca] as const]) {
      if (pem === undefined) continue;
      const all = certificatesIn(pem);
      const days = (key === "certFile" ? all.slice(0, 1) : all).map((one) => daysLeft(one, clock.wallNow()));
      list.push({ which: `${section}.${key}`, daysLeft: Math.min(...days) });
    }
    return list;
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
    const { problems, ...next } = readCredential(paths);
    const [leaf] = problems.length === 0 && next.cert !== undefined ? certificatesIn(next.cert) : [];
    const now = clock.wallNow();
    if (leaf && next.cert !== current.cert && (now < leaf.validFromDate.getTime() || daysLeft(leaf, now) < 0)) {
      problems.push({ key: "certFile", problem: `${paths.certFile} is not valid now` });
    }
    const found = JSON.stringify({ ...next, problems });
    if (found !== seen) {
      seen = found;
      if (problems.length > 0) {
        const what = problems.map((p) => `${section}.${p.key}: ${p.problem}`);
        log.error({ what }, `new certificate files are not good, and the old ones stay in force; ${options.mend}`);
      } else take(next);
    }
    tellEnds();
  }

  function take(next: Credential): void {
    if (JSON.stringify(next) === JSON.stringify(current)) return;
    current = next;
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
