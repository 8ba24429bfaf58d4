import type { Detection, Placement } from "../../firmware-contracts/detection.ts";
import type {
  ConsentState,
  Control,
  ControlDevice,
  ControlPart,
  ControlVersions,
  Pause,
} from "../../firmware-contracts/intake.ts";
import type { UsedCode } from "../codes.ts";
import type { Language } from "../config.ts";
import type { EpisodeInput, EpisodeState, PagePurpose, Purpose, ReceiptStatus, SendResult } from "../episode-state.ts";
import type { RotaStore } from "../rota/rota-store.ts";

/** How a page fares. `sending`: an attempt was begun; after a restart it is made again, marked. */
export type PageStatus =
  | "pending"
  | "sending"
  | "accepted"
  | "delivered"
  | "failed"
  | "unknown"
  /** Called off before it was handed to the provider. */
  | "withdrawn";

export interface PageRow {
  id: string;
  /** Null for an answer to a reply that named no episode. */
  episodeId: string | null;
  responderId: string;
  purpose: PagePurpose;
  step: number;
  createdAt: number;
  /** Not sent before; wall ms. */
  notBefore: number;
  status: PageStatus;
  language: Language;
  body: string;
  tries: number;
  /** An attempt was cut off by a restart, and made again. */
  resent: boolean;
  providerId: string | null;
  reason: string | null;
}

export type NewPage = Pick<PageRow, "id" | "responderId" | "purpose" | "step" | "language" | "body"> & {
  /** Not sent before; wall ms. Left out: at once. */
  notBefore?: number;
};

export interface LogEntry {
  seq: number;
  episodeId: string;
  at: number;
  input: EpisodeInput;
  hash: string;
}

/** What became of one attempt, recorded with the input that it is. */
export interface AttemptEnd {
  pageId: string;
  endedAt: number;
  result: SendResult;
}

export interface ReceiptRow {
  pageId: string;
  providerId: string;
  status: ReceiptStatus;
  errorCode: string | null;
}

/** A reply as it is kept: no text, no number. */
export interface ReplyRow {
  providerId: string;
  responderId: string;
  letter: string | null;
  /** What became of it, of a fixed list. */
  effect: "applied" | "unknown-code" | "code-needed" | "late" | "stop" | "start" | "unanswered";
}

/** One step of an episode, with everything that must be kept together with it. All of it is committed or none. */
export interface EpisodeChange {
  state: EpisodeState;
  input: EpisodeInput;
  at: number;
  pages: NewPage[];
  /** Alarm pages not yet handed over are called off. */
  withdraw: boolean;
  retries: { pageId: string; at: number }[];
  detection?: Detection;
  attemptEnd?: AttemptEnd;
  receipt?: ReceiptRow;
  reply?: ReplyRow;
  contact?: ContactChange;
}

export interface DueRow {
  episodeId: string;
  purpose: Purpose;
  at: number;
}

export interface Dwelling {
  id: string;
  alias: string;
  area: string | null;
  room: string | null;
  unit: string | null;
}

export interface DeviceRow extends ControlDevice {
  dwellingId: string;
  room: string | null;
  addedAt: number;
  lastSeenAt: number | null;
  online: boolean | null;
  battery: number | null;
}

export interface UserRow {
  name: string;
  role: "operator" | "responder";
  passwordHash: string;
}

/** Episodes, their log, deadlines and pages. */
export interface EpisodeStore {
  commitStep(change: EpisodeChange): Promise<void>;
  /**
   * The wall clock was set: a step of each episode whose deadlines move, and pages that wait are sent `jumpMs` later, but never after `latest` (wall ms).
   * All of it is kept or none.
   */
  followClock(changes: readonly EpisodeChange[], jumpMs: number, latest: number): Promise<void>;
  episode(id: string): Promise<EpisodeState | null>;
  openEpisode(dwelling: string, test: boolean): Promise<EpisodeState | null>;
  /** Every open episode, and those closed at or after `closedSince`. */
  episodesSince(closedSince: number): Promise<EpisodeState[]>;
  /** Codes that are open, or were closed at or after `closedSince`. */
  usedCodes(closedSince: number): Promise<UsedCode[]>;
  /** The episode that holds a detection, or null. */
  episodeOfDetection(detectionId: string): Promise<string | null>;
  detection(id: string): Promise<Detection | null>;
  log(episodeId: string): Promise<LogEntry[]>;
  /** Reads the whole chain. `brokenAt` is the first entry whose hash is wrong. */
  verifyLog(): Promise<{ entries: number; brokenAt: number | null }>;
  dueBefore(at: number, limit: number): Promise<DueRow[]>;
  dueOf(episodeId: string): Promise<DueRow[]>;
  earliestDue(): Promise<number | null>;
}

export interface PageStore {
  pagesOf(episodeId: string): Promise<PageRow[]>;
  page(id: string): Promise<PageRow | null>;
  /** Pending pages to be sent at or before `at`: those that call somebody out first, then by age. */
  sendable(at: number, limit: number): Promise<PageRow[]>;
  earliestPending(): Promise<number | null>;
  /** Technical alarms that wait to be sent to one responder, whenever that is due: they can go as one text. */
  technicalFor(responderId: string, limit: number): Promise<PageRow[]>;
  /** When a technical alarm was last tried to a responder, wall ms, or null. */
  lastTechnicalTo(responderId: string): Promise<number | null>;
  /** Marks pages as being sent with another, as `beginAttempt` does that one. Returns those that were not called off meanwhile. */
  sendWith(pageIds: readonly string[], leaderId: string, at: number): Promise<string[]>;
  /** Pages that went in the same text as this one. */
  sentWith(leaderId: string): Promise<PageRow[]>;
  /** Marks a page as being sent, with an attempt. False where it was called off meanwhile. */
  beginAttempt(pageId: string, at: number): Promise<boolean>;
  /** An answer about a page of no episode; of the others `commitStep` keeps it. */
  endLooseAttempt(end: AttemptEnd, retryAt: number | null): Promise<void>;
  /** After a restart: what was being sent is to be sent again. Returns how many. */
  resumeCutOff(at: number): Promise<number>;
  /** A page about no episode, with the reply that asked for it; the page is null where the reply gets no answer. */
  commitLooseReply(reply: ReplyRow, page: NewPage | null, at: number): Promise<void>;
  /** A receipt about a page of no episode; of the others `commitStep` keeps it. */
  commitLooseReceipt(receipt: ReceiptRow, at: number): Promise<void>;
  hasReceipt(providerId: string, status: ReceiptStatus): Promise<boolean>;
  hasReply(providerId: string): Promise<boolean>;
  /** Replies of a responder since `at` that named a code that is none. */
  unknownCodesSince(responderId: string, at: number): Promise<number>;
  /** Responders with a page that failed for good since `at`, and why. */
  failedContactsSince(at: number): Promise<{ responderId: string; reason: string }[]>;
}

/** When something was changed, and by whom, where a person did it. */
export interface Act {
  at: number;
  by: string | null;
}

/** A device that is new, in a dwelling that may be. `consentBy`: who vouches for its consent. */
export interface DeviceAddition {
  device: DeviceRow;
  dwelling: Dwelling;
  consentBy: string | null;
}

/** Devices and their dwellings. What gateways follow is changed with a version and a line in the history, or not at all. */
export interface RegistryStore {
  dwellings(): Promise<Dwelling[]>;
  /** Of pauses, those that run at `at`. */
  devices(at: number): Promise<DeviceRow[]>;
  /** Its pause may be over. */
  device(deviceId: string): Promise<{ device: DeviceRow; dwelling: Dwelling } | null>;
  dwellingsInArea(area: string, unit: string | null): Promise<number>;
  /** What an alarm's limits depend on: since when anybody lives there under watch, wall ms, and its own time to arrive. */
  dwellingTerms(dwellingId: string): Promise<{ since: number | null; arriveMinutes: number | null }>;
  /** Null: as the policy says. False where there is no such dwelling. */
  setArriveMinutes(dwellingId: string, minutes: number | null): Promise<boolean>;
  /** Adds devices and the dwellings that are new, as one. */
  addDevices(devices: readonly DeviceAddition[], act: Act): Promise<void>;
  /** False where there is no such device. */
  revokeDevice(deviceId: string, act: Act): Promise<boolean>;
  /**
   * Gives a device another secret. The one it had stays valid until `previousUntil`, or ends at once where that is null.
   * False where there is no such device or it was revoked.
   */
  replaceSecret(deviceId: string, secretHash: string, previousUntil: number | null, act: Act): Promise<boolean>;
  /** The new secret was used at `usedAt`: what it replaced ends, unless it was replaced again since. */
  endPreviousSecret(deviceId: string, usedAt: number, act: Act): Promise<void>;
  /** False where there is no such device or it was revoked. */
  placeDevice(deviceId: string, placement: Placement, act: Act): Promise<boolean>;
  /** Null gives the device the model's own again. False where there is no such device or it was revoked. */
  setThreshold(deviceId: string, threshold: number | null, act: Act): Promise<boolean>;
  deviceSeen(deviceId: string, at: number, seen: { online: boolean | null; battery: number | null }): Promise<void>;
}

export interface ConsentRow {
  dwellingId: string;
  alias: string;
  unit: string | null;
  state: ConsentState;
  /** When it was given or withdrawn, and who vouched for it or took note; null where it is missing. */
  at: number | null;
  by: string | null;
}

export interface PauseRow extends Pause {
  dwellingId: string;
  alias: string;
  unit: string | null;
  by: string;
}

/** Whether dwellings may be watched. */
export interface WatchStore {
  /** One for each dwelling. */
  consents(): Promise<ConsentRow[]>;
  /** False where it is so already. */
  putConsent(dwellingId: string, state: "given" | "withdrawn", act: Act): Promise<boolean>;
  /** Those that run at `at`, the first to end first. */
  pauses(at: number): Promise<PauseRow[]>;
  /** Instead of one that may be running. */
  putPause(dwellingId: string, pause: Pause, act: Act): Promise<void>;
  /** False where none is running. */
  endPause(dwellingId: string, act: Act): Promise<boolean>;
}

/** A line in the history of what gateways follow. */
export interface ControlChange {
  version: number;
  at: number;
  part: ControlPart;
  deviceId: string | null;
  /** The dwelling's key number, and its unit. */
  key: string | null;
  unit: string | null;
  by: string | null;
  what: string;
}

/** What gateways follow, as a whole. */
export interface ControlStore {
  /** As it is at `at`, or null where `haveVersion` is the newest. */
  since(haveVersion: number, at: number): Promise<Control | null>;
  /** The version in force, and at which each part last changed. */
  versions(): Promise<{ version: number; versions: ControlVersions }>;
  /** Every change, the oldest first. */
  changes(): Promise<ControlChange[]>;
}

/** A gateway as it was heard last. Times are wall time, ms. */
export interface GatewayRow {
  gatewayId: string;
  everyMs: number;
  /** The version of control that it says is in force. */
  controlVersion: number;
  lastSeenAt: number;
  /** Since when it is lost, or null. */
  lostAt: number | null;
}

export interface GatewayStore {
  gateways(): Promise<GatewayRow[]>;
  putGateway(gateway: GatewayRow): Promise<void>;
  /** False where there is no such gateway. */
  forgetGateway(gatewayId: string): Promise<boolean>;
}

/** A phone that gets no texts, as far as is known. */
export interface LostContact {
  responderId: string;
  /** The provider's code, or `stop`. */
  reason: string;
  since: number;
  /** A fingerprint of its number. */
  phone: string;
}

/** A phone is lost, and why, or can be reached again (null). */
export interface ContactChange {
  responderId: string;
  lost: string | null;
  /** A fingerprint of its number. */
  phone: string;
}

export interface ContactStore {
  lost(): Promise<LostContact[]>;
  put(contact: ContactChange, at: number): Promise<void>;
}

export interface UserStore {
  user(name: string): Promise<UserRow | null>;
  users(): Promise<Omit<UserRow, "passwordHash">[]>;
  putUser(user: UserRow): Promise<void>;
  removeUser(name: string): Promise<boolean>;
}

/**
 * All that alerting keeps. Each method is one transaction, durable when it resolves; another database can stand behind it.
 * A method that rejects has changed nothing.
 */
export interface Store {
  episodes: EpisodeStore;
  pages: PageStore;
  registry: RegistryStore;
  watching: WatchStore;
  control: ControlStore;
  users: UserStore;
  gateways: GatewayStore;
  rota: RotaStore;
  contacts: ContactStore;
  /** Rejects where nothing can be written. */
  probe(): Promise<void>;
  close(): Promise<void>;
}
