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

/** How pages that wait follow the clock: `jumpMs` later, but not after `latest`, and where they call somebody out not after `latestCall`. Wall ms. */
export interface PageShift {
  jumpMs: number;
  latest: number;
  latestCall: number;
}

/** Episodes, their log, deadlines and pages. */
export interface EpisodeStore {
  /** Returns the pages that were made or changed, as they are now. */
  commitStep(change: EpisodeChange): Promise<PageRow[]>;
  /** The wall clock was set: a step of each episode whose deadlines move, and the pages that wait. All of it is kept or none. */
  followClock(changes: readonly EpisodeChange[], shift: PageShift): Promise<void>;
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
  /** In the order in which they were made; with `latest` only so many, the newest. */
  pagesOf(episodeId: string, latest?: number): Promise<PageRow[]>;
  page(id: string): Promise<PageRow | null>;
  /** Pending pages to be sent at or before `at`: those that call somebody out first, then by age. */
  sendable(at: number, limit: number, callingOutOnly?: boolean): Promise<PageRow[]>;
  earliestPending(callingOutOnly?: boolean): Promise<number | null>;
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

/** A resident as staff must know them at the door. It is kept sealed, and shown only to who says who they are. */
export interface Resident {
  name: string;
  address?: string | undefined;
  keyCode?: string | undefined;
  /** The way there, and how the door opens. */
  route?: string | undefined;
  contacts: { name: string; phone: string }[];
}

export interface ResidentRow extends Resident {
  id: string;
  addedAt: number;
}

export interface ResidentStore {
  /** Adds a resident to a dwelling; in the place of `replaces`, where that is given. False where the dwelling has none of that id. */
  put(dwellingId: string, id: string, resident: Resident, replaces: string | null, act: DoneAct): Promise<boolean>;
  /** Opens what is known of a dwelling's residents. The look-up is in the audit log before it is answered. */
  lookUp(dwellingId: string, act: DoneAct): Promise<ResidentRow[]>;
  /** How many each dwelling has. It opens nothing. */
  counts(): Promise<{ dwellingId: string; residents: number }[]>;
}

/** Where an act was done. */
export type Via = "cli" | "console" | "service";

/** An act by somebody who says who they are, or by nobody who does (null). */
export interface DoneAct extends Act {
  via: Via;
}

/** An act as the audit log keeps it. It names no resident: `subject` is a dwelling's or an episode's id. */
export interface AuditEntry extends DoneAct {
  act: string;
  subject: string | null;
  detail?: Record<string, string | number | boolean | null>;
}

export interface ChainState {
  entries: number;
  brokenAt: number | null;
  head: string;
}

export type ChainName = "episodes" | "acts";

/** One entry of a chain, opened where it can be. */
export interface ChainEntry {
  chain: ChainName;
  seq: number;
  at: number;
  subject: string;
  hash: string;
  /** Stands for what is stored; null for an entry of before entries were sealed, which nobody can check without reading it. */
  digest: string | null;
  /** Of the episodes' chain; null where it was erased. */
  input: EpisodeInput | null;
  /** Of the acts' chain. */
  act: Omit<AuditEntry, "at"> | null;
}

export interface AttemptRow {
  pageId: string;
  startedAt: number;
  endedAt: number | null;
  outcome: string | null;
  providerId: string | null;
  reason: string | null;
}

/** What is kept of one episode beside its state and log. */
export interface IncidentRecord {
  state: EpisodeState;
  log: LogEntry[];
  pages: PageRow[];
  attempts: AttemptRow[];
  receipts: (ReceiptRow & { at: number })[];
  replies: (ReplyRow & { at: number })[];
  detections: Detection[];
  due: DueRow[];
}

/** The logs, for whoever checks and exports them. */
export interface AuditStore {
  append(entry: AuditEntry): Promise<void>;
  /** Walks a chain from its beginning. */
  verify(chain: ChainName): Promise<ChainState>;
  /** Up to `limit` entries after `seq`. */
  entries(chain: ChainName, seq: number, limit: number): Promise<ChainEntry[]>;
  episodes(): Promise<{ id: string; code: string; isErased: boolean }[]>;
  /** State and log of one moment; null where there is no such episode or it was erased. */
  replayable(episodeId: string): Promise<{ state: EpisodeState; log: LogEntry[] } | null>;
  incident(episodeId: string): Promise<IncidentRecord | null>;
}

/** What finds a dwelling outside the store. */
export interface Traces {
  /** Its key number. */
  alias: string;
  /** Another dwelling, of another unit, has the same key number. */
  isShared: boolean;
  devices: string[];
  /** From opened to closed, wall ms. */
  episodes: { id: string; from: number; to: number }[];
}

export interface Erasure {
  id: number;
  dwellingId: string;
  by: string;
  begunAt: number;
  /** Null when all that lies outside the store is gone. */
  traces: Traces | null;
}

/** What the store forgot of a dwelling. */
export interface Forgotten {
  keys: number;
  residents: number;
  devices: number;
  episodes: number;
  /** Log entries of before entries were sealed: they hold the key number, and cannot go without breaking the chain. */
  unsealedEntries: number;
}

/** Erases a dwelling, in steps of which each can be done again. */
export interface ErasureStore {
  /** Those that are not finished, the oldest first. */
  unfinished(): Promise<Erasure[]>;
  /** How many of its episodes are open. */
  openEpisodes(dwellingId: string): Promise<number>;
  /** Revokes its devices, withdraws its consent and writes down that it shall be erased. Returns the erasure; an unfinished one is gone on with. */
  begin(dwellingId: string, act: DoneAct & { by: string }): Promise<Erasure>;
  /** Destroys its keys and blanks all else that is about it. Null where an episode of it is open. */
  forget(erasureId: number, at: number): Promise<Forgotten | null>;
  /** What lies outside the store is gone. */
  dropTraces(erasureId: number): Promise<void>;
  /** Overwrites what was deleted. False where others were at work in the store: try again. */
  compact(): Promise<boolean>;
  finish(erasureId: number, at: number): Promise<void>;
  /** Episodes erased by erasures after `erasureId`, for whoever still has them in memory. */
  erasedAfter(erasureId: number): Promise<{ upTo: number; episodes: string[] }>;
}

/** The keys by which things are sealed. */
export interface KeyStore {
  /** Reads the master key, or makes it where nothing was ever sealed. Returns the file of one that was made. @throws with the mend. */
  open(): Promise<string | null>;
  /** A new master key in place of the old one. Returns how many keys were wrapped anew. */
  rotate(act: DoneAct): Promise<number>;
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
  residents: ResidentStore;
  audit: AuditStore;
  erasure: ErasureStore;
  keys: KeyStore;
  rota: RotaStore;
  contacts: ContactStore;
  /** Rejects where nothing can be written. */
  probe(): Promise<void>;
  close(): Promise<void>;
}
