import { createHash, timingSafeEqual } from "node:crypto";
import type { Logger } from "pino";
import type { Clock, MonotonicMs, WallMs } from "../../firmware-contracts/clock.ts";
import type { ControlDevice, Intake } from "../../firmware-contracts/intake.ts";
import { verifySecret } from "../../firmware-contracts/secret.ts";
import type { WantedSelfTest } from "../../firmware-contracts/self-test.ts";
import type { Admission, Proof } from "../broker/broker.ts";
import type { Counters } from "../counters.ts";
import { within } from "../time-limit.ts";
import { type KeptControl, sinceGivenMs } from "./kept-control.ts";
import { anyPaused, type Hindrances, hindrancesOf, type Unwatched, unwatched } from "./watching.ts";

/** Where the last Control survives a restart. */
export interface ControlStore {
  readControl(): Promise<KeptControl | null>;
  writeControl(control: KeptControl): Promise<void>;
}

export interface RegistryOptions {
  store: ControlStore;
  intake: Intake;
  clock: Clock;
  counters: Counters;
  log: Logger;
  gatewayId: string;
  refreshSeconds: number;
  /** Of the program, for alerting to show. */
  version?: string | undefined;
  /** Secrets that may wait to be checked. */
  maxChecks: number;
  /** Called after each new Control. */
  onChange(): void;
}

/** The devices as alerting wants them, as of the last time it was reached. */
export interface Registry {
  /** Reads the kept Control and asks for a newer one, for 5 s at most. */
  start(): Promise<void>;
  stop(): void;
  /** Version in force; 0 where there never was one. */
  readonly version: number;
  /** A device that is known and not revoked. */
  device(deviceId: string): ControlDevice | null;
  /** Why this device's frames are to be dropped now, or null where it is watched. */
  unwatched(deviceId: string): Unwatched | null;
  /** Whether consent is on record for the dwelling of this device, as far as alerting has said. */
  hasConsent(deviceId: string): boolean;
  /** Those that are known and not revoked. */
  devices(): ControlDevice[];
  /** The self-test that alerting wants now, or null. */
  wantedSelfTest(): WantedSelfTest | null;
  /** Their ids. */
  deviceIds(): string[];
  /** By what this device may come in, or null where it may not. Rejects where too many wait to be checked. */
  admits(deviceId: string, proof: Proof): Promise<Admission | null>;
  /** Whether a device that was admitted may stay: known, not revoked, and its secret not replaced with immediate effect. */
  mayStay(deviceId: string): boolean;
}

/** Checks that run at one time. They share Node's four threads with the journal's syncs, so two are left for those. */
const checksAtOnce = 2;
const answerMs = 5000;
/** Checks of one device that may run or wait: whoever tries its secrets out keeps no other device waiting. */
const checksPerDevice = 4;

/** While a pause runs, it is written down this often how much of it is over, ms. */
const pauseWrittenMs = 30_000;

/** A secret that was right, as long as its hash is in force. */
interface Proven {
  secretHash: string;
  digest: Buffer;
}

export function createRegistry(options: RegistryOptions): Registry {
  const { store, intake, clock, counters, log } = options;
  const { gatewayId, version: program } = options;
  const ofProgram = program === undefined ? {} : { version: program };
  const heartbeat = () => ({
    ...{ gatewayId, everyMs: options.refreshSeconds * 1000 },
    ...{ ...ofProgram, at: Math.max(0, Math.round(clock.wallNow())) },
  });
  let version = 0;
  /** The Control in force, and how long ago alerting had given it when it came to be in force here. */
  let inForce: KeptControl | null = null;
  let since = { ms: 0, at: 0 as MonotonicMs, wallAt: 0 as WallMs };
  let hindrances: Hindrances = new Map();
  /** Whether alerting has given it in this run; else it is from the disk, and its pauses are guessed at. */
  let isFresh = false;
  let writtenAt: MonotonicMs = 0;
  let devices = new Map<string, ControlDevice>();
  let stopped = true;
  let callOff = () => {};
  let refreshing: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let lastRefresh = Number.NEGATIVE_INFINITY;
  let running = 0;
  const waiting: (() => void)[] = [];
  /** Digests of secrets that were right, by device. A device's secret has 160 random bits: a fast digest of it gives nothing away. */
  const proven = new Map<string, Proven>();
  /** Hashes of secrets whose successor was used here: over before alerting has said so. */
  const outdated = new Map<string, string>();
  const checking = new Map<string, number>();

  /** `sinceMs`: how long ago alerting gave it. */
  function follow(control: KeptControl, sinceMs: number): void {
    version = control.version;
    const now = clock.monotonicNow();
    since = { ms: sinceMs, at: now, wallAt: control.kept?.wallAt ?? clock.wallNow() };
    hindrances = hindrancesOf(control, sinceMs, now, isFresh ? hindrances : undefined);
    inForce = control;
    devices = new Map(control.devices.map((device) => [device.deviceId, device]));
    for (const deviceId of proven.keys()) if (!devices.has(deviceId)) proven.delete(deviceId);
    for (const [deviceId, hash] of outdated) {
      if (devices.get(deviceId)?.previousSecretHash !== hash) outdated.delete(deviceId);
    }
    options.onChange();
  }

  async function keep(): Promise<void> {
    if (!inForce) return;
    writtenAt = clock.monotonicNow();
    const kept = { wallAt: since.wallAt, sinceMs: Math.round(since.ms + writtenAt - since.at) };
    try {
      await store.writeControl({ ...inForce, kept });
    } catch (error) {
      counters.add("control.not-kept");
      log.error({ error: String(error) }, "the registry is in force but could not be kept; check the disk");
    }
  }

  /** Without contact, too: a pause is to end though the gateway is switched off again and again. */
  async function keepPauses(): Promise<void> {
    const now = clock.monotonicNow();
    if (now - writtenAt >= pauseWrittenMs && anyPaused(hindrances, now)) await keep();
  }

  /** -1 where the one in force is from the disk and holds pauses, or was given by an alerting that knew of none: it is asked for anew. */
  function versionToAskFor(): number {
    const isGuess = !isFresh && (inForce?.at === undefined || inForce.devices.some(({ pause }) => pause !== undefined));
    return inForce && isGuess ? -1 : version;
  }

  async function ask(): Promise<void> {
    lastRefresh = clock.monotonicNow();
    try {
      const control = await within(clock, answerMs, intake.control(versionToAskFor(), heartbeat()));
      if (stopped || !control) return;
      follow(control, 0);
      isFresh = true;
      await keep();
    } catch (error) {
      counters.add("control.failed");
      log.debug({ error: String(error) }, "alerting did not give the registry; the last one stays in force");
    }
  }

  function refresh(): Promise<void> {
    refreshing ??= ask().finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  function schedule(): void {
    if (stopped) return;
    callOff = clock.after(options.refreshSeconds * 1000, () => void refresh().then(keepPauses).then(schedule));
  }

  function device(deviceId: string): ControlDevice | null {
    const known = devices.get(deviceId);
    return known && !known.revoked ? known : null;
  }

  const known = () => [...devices.values()].filter((one) => !one.revoked);

  /** A look that begins from now on, shared by all who wait for one: strangers cannot make this ask more than once a second. */
  function nextRefresh(): Promise<void> {
    next ??= new Promise<void>((resolve) => {
      clock.after(Math.max(0, lastRefresh + 1000 - clock.monotonicNow()), resolve);
    })
      // One under way may have begun before the device was added.
      .then(() => refreshing)
      .then(() => {
        next = null;
        return refresh();
      });
    return next;
  }

  /** The hashes that a device's secret may have now, the newest first. */
  function hashesOf(known: ControlDevice): string[] {
    const { deviceId, secretHash, previousSecretHash: previous, previousSecretUntil: until } = known;
    const isOver = until !== undefined && clock.wallNow() >= until;
    if (previous === undefined || isOver || outdated.get(deviceId) === previous) return [secretHash];
    return [secretHash, previous];
  }

  function admission(known: ControlDevice, hash: string): Admission | null {
    // It may have been revoked or given another secret while this one was checked.
    const current = device(known.deviceId);
    if (!current || !hashesOf(current).includes(hash)) return null;
    if (current.previousSecretHash === undefined || hash !== current.secretHash) return "secret";
    outdated.set(current.deviceId, current.previousSecretHash);
    return "new-secret";
  }

  /** When a building's power returns all its devices come at once: a secret that was right before costs no scrypt. */
  function isProven(known: ControlDevice, secret: string): string | null {
    const right = proven.get(known.deviceId);
    if (!right || !hashesOf(known).includes(right.secretHash)) return null;
    return timingSafeEqual(right.digest, digestOf(secret)) ? right.secretHash : null;
  }

  async function check(deviceId: string, secret: string): Promise<Admission | null> {
    const known = device(deviceId);
    if (!known) return null;
    for (const secretHash of hashesOf(known)) {
      if (!(await verifySecret(secret, secretHash))) continue;
      const admitted = admission(known, secretHash);
      if (admitted) proven.set(deviceId, { secretHash, digest: digestOf(secret) });
      return admitted;
    }
    return null;
  }

  async function checkInTurn(deviceId: string, secret: string): Promise<Admission | null> {
    const its = checking.get(deviceId) ?? 0;
    if (its >= checksPerDevice) throw new Error("too many secrets of this device wait to be checked");
    if (running >= checksAtOnce && waiting.length >= options.maxChecks) {
      throw new Error("too many secrets wait to be checked");
    }
    checking.set(deviceId, its + 1);
    try {
      if (running >= checksAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
      running++;
      try {
        return await check(deviceId, secret);
      } finally {
        running--;
        waiting.shift()?.();
      }
    } finally {
      const left = (checking.get(deviceId) ?? 1) - 1;
      if (left > 0) checking.set(deviceId, left);
      else checking.delete(deviceId);
    }
  }

  return {
    get version() {
      return version;
    },
    device,
    unwatched(deviceId) {
      const hindrance = hindrances.get(deviceId);
      return hindrance === undefined ? null : unwatched(hindrance, clock.wallNow(), clock.monotonicNow());
    },
    hasConsent: (deviceId) => hindrances.get(deviceId)?.hasConsent ?? true,
    devices: known,
    // What was wanted before a restart is let go: alerting asks anew.
    wantedSelfTest: () => (inForce && !inForce.kept ? (inForce.selfTest ?? null) : null),
    deviceIds: () => known().map((one) => one.deviceId),
    async start() {
      stopped = false;
      isFresh = false;
      const kept = await store.readControl();
      if (kept) {
        follow(kept, sinceGivenMs(kept, clock.wallNow()));
        // Written at once: this start has its cost.
        if (anyPaused(hindrances, clock.monotonicNow())) await keep();
      }
      await refresh();
      schedule();
    },
    stop() {
      stopped = true;
      callOff();
    },
    async admits(deviceId, proof) {
      // A device added a moment ago comes in at its first try.
      if (!devices.has(deviceId)) await nextRefresh();
      const known = device(deviceId);
      if (!known) return null;
      if (proof === "certificate") {
        proven.delete(deviceId);
        return "certificate";
      }
      const hash = isProven(known, proof.secret);
      return hash === null ? checkInTurn(deviceId, proof.secret) : admission(known, hash);
    },
    mayStay(deviceId) {
      const known = device(deviceId);
      const right = proven.get(deviceId);
      if (!known) return false;
      return !right || [known.secretHash, known.previousSecretHash].includes(right.secretHash);
    },
  };
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
