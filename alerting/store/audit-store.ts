import type { Detection } from "../../firmware-contracts/detection.ts";
import type { EpisodeInput, EpisodeKind, EpisodeState } from "../episode-state.ts";
import type { DueRow, LogEntry, PageRow, ReceiptRow, ReplyRow } from "./episode-store.ts";
import type { Act } from "./registry-store.ts";

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

/** A look at what is sealed: who looked, and what speaks for it. No name of whom it was about. */
export interface LookUp {
  /** Its place in the audit log. */
  seq: number;
  at: number;
  by: string | null;
  via: Via;
  what: "sheet" | "consents";
  dwellingId: string;
  /** Null where it was erased since. */
  key: string | null;
  unit: string | null;
  /** The episode that it was opened from, as the page said. */
  episode: string | null;
  /** Whether the account was signed on to a shift then; null where that was not written down. */
  onShift: boolean | null;
  /** Episodes of the dwelling and of its devices that were open within the margin of that time. */
  episodes: { id: string; code: string; kind: EpisodeKind }[];
}

/** The logs, for whoever checks and exports them. */
export interface AuditStore {
  append(entry: AuditEntry): Promise<void>;
  /** Walks a chain from its beginning. */
  verify(chain: ChainName): Promise<ChainState>;
  /** Up to `limit` entries after `seq`. */
  entries(chain: ChainName, seq: number, limit: number): Promise<ChainEntry[]>;
  /** Looks at residents' sheets and consents from `from` up to `until`, the oldest first, each with what was open within `marginMs` of it. */
  lookUps(from: number, until: number, marginMs: number): Promise<LookUp[]>;
  episodes(): Promise<{ id: string; code: string; isErased: boolean }[]>;
  /** State and log of one moment; null where there is no such episode or it was erased. */
  replayable(episodeId: string): Promise<{ state: EpisodeState; log: LogEntry[] } | null>;
  incident(episodeId: string): Promise<IncidentRecord | null>;
}

/** What finds a dwelling outside the store. */
export interface Traces {
  /** Left out by an erasure that was begun before blind time was told. */
  dwellingId?: string;
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
