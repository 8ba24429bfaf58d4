import type { Detection } from "../../firmware-contracts/detection.ts";
import type { UsedCode } from "../codes.ts";
import type { Language } from "../config.ts";
import type { EpisodeInput, EpisodeState, PagePurpose, Purpose, ReceiptStatus, SendResult } from "../episode-state.ts";
import type { OperationTestStep } from "./operation-store.ts";
import type { ContactChange } from "./people-store.ts";

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

/** A page with what became of it. */
export interface TextRow {
  page: PageRow;
  attempts: {
    startedAt: number;
    endedAt: number | null;
    outcome: SendResult["outcome"] | null;
    reason: string | null;
  }[];
  receipts: { at: number; status: string; errorCode: string | null }[];
  /** It went with others in one text, which said something else. */
  isShared: boolean;
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
  operationTest?: OperationTestStep;
}

export interface DueRow {
  episodeId: string;
  purpose: Purpose;
  at: number;
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
  /** A dwelling's and its devices', the newest first, `limit` at most. */
  episodesOf(dwellingId: string, limit: number): Promise<EpisodeState[]>;
  /** Closed ones that were opened before `openedBefore`, the latest first: `limit` of them, and what was opened in the same millisecond as the last. */
  closedBefore(openedBefore: number, limit: number): Promise<EpisodeState[]>;
  /** Codes that are open, or were closed at or after `closedSince`. */
  usedCodes(closedSince: number): Promise<UsedCode[]>;
  /** The episode that holds a detection, or null. */
  episodeOfDetection(detectionId: string): Promise<string | null>;
  detection(id: string): Promise<Detection | null>;
  /** What a device has told, the oldest first, each with its episode. What was erased is not there. */
  detectionsOf(deviceId: string): Promise<{ detection: Detection; episode: EpisodeState }[]>;
  /** What opened an episode, and the newest of what joined it: `limit` in all, in the order in which they came. What was erased is not there. */
  detectionsIn(episodeId: string, limit: number): Promise<Detection[]>;
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
  /** The same, with what became of each. */
  textsOf(episodeId: string, latest: number): Promise<TextRow[]>;
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
