import type { Detection } from "../firmware-contracts/detection.ts";
import type { ConsoleAction, EpisodeStatus, OutcomeWhat } from "./console/api.ts";
import type { ServiceEvent } from "./events.ts";
import type { Message } from "./messages/message.ts";
import type { Letter } from "./replies.ts";

/** Who did something. Responders are named by id; their names and phones stand in the configuration alone. */
export type Actor = { kind: "responder"; id: string } | { kind: "user"; name: string; role: "operator" | "responder" };

/** The escalation policy as an episode keeps it from its start: later changes of the configuration do not touch it. */
export interface EpisodePolicy {
  /** A fingerprint of the policy, for the log. */
  version: string;
  steps: { responders: string[]; waitMs: number }[];
  operators: string[];
  arriveWithinMs: number;
  outcomeWithinMs: number;
}

/** Where it is, as staff know it. No name, no address. */
export interface Place {
  /** Key number; null for a device that is in no dwelling's register. */
  alias: string | null;
  area: string | null;
  /** Whether enough dwellings share the area for it to stand in a text. */
  areaInTexts: boolean;
  room: string | null;
}

/** What an episode is opened with. */
export interface EpisodeFacts {
  id: string;
  code: string;
  /** What joins repeats: a dwelling's id, or `device:<id>` for an unknown device. */
  dwelling: string;
  place: Place;
  detection: Omit<Detection, "evidence" | "model">;
  policy: EpisodePolicy;
}

/** What a deadline is for. An episode has at most one of each. */
export type Purpose = "next-page" | "arrive" | "outcome";

/** What a page is for. `alarm` and `not-taken` ask to be taken; the rest inform. */
export type PagePurpose =
  | "alarm"
  | "not-taken"
  | "not-arrived"
  | "backup"
  | "taken"
  | "to-others"
  | "reminder"
  | "closed"
  | "answer";

/** Pages that call somebody out: they go before all others. */
export const callingOut: ReadonlySet<PagePurpose> = new Set(["alarm", "not-taken", "not-arrived", "backup"]);

/** What a provider said of one attempt. */
export type SendResult =
  | { outcome: "accepted"; providerId: string }
  /** Not taken now; the same may work soon. */
  | { outcome: "retryable"; reason: string }
  /** Never will: not a mobile phone, opted out. */
  | { outcome: "permanent"; reason: string }
  /** Nobody can say whether it was sent. */
  | { outcome: "unknown"; reason: string };

export type ReceiptStatus = "queued" | "sent" | "delivered" | "undelivered" | "failed";

/** How a page of the step now waited for fares. */
export type CurrentPage = { responderId: string; fate: "waiting" | "reached" | "failed" };

export interface SeenDetection {
  id: string;
  deviceId: string;
  impactAt: number;
}

/** What a page says of the alarm: of the detection that opened the episode, or of a later one that called everybody out again. */
export type AlarmNews = Pick<Detection, "kind" | "reason" | "impactAt" | "arrivedAt" | "late">;

/** Everything an episode is. It is rebuilt by replaying the log. */
export interface EpisodeState {
  facts: EpisodeFacts;
  openedAt: number;
  status: EpisodeStatus;
  /** The first opened it, the others joined. Only the first 1,000 are kept here; the store has them all. */
  detections: SeenDetection[];
  repeats: number;
  news: AlarmNews;
  /** Step of the policy now waited for, from 0. */
  step: number;
  /** How often the policy has begun, from 1. */
  round: number;
  roundStartedAt: number;
  /** Past the last step: the next due begins a new round. */
  betweenRounds: boolean;
  /** Pages of the step now waited for, by page id. */
  current: Record<string, CurrentPage>;
  /** Responders who answered N to the step now waited for. */
  declined: string[];
  /** Everybody who has been paged about this episode, for whatever purpose: only they may answer with its code. */
  paged: string[];
  /** Operators who were told that it was not taken, and are told when it is closed. */
  toldNotTaken: string[];
  nextPageNumber: number;
  takenBy: Actor | null;
  takenAt: number | null;
  onTheWayAt: number | null;
  /** Who cannot get in, or needs another. */
  backupAskedBy: string | null;
  arrivedBy: Actor | null;
  arrivedAt: number | null;
  /** Responders who have said F, S or U: only they can report from the place. */
  present: string[];
  closedBy: Actor | null;
  closedAt: number | null;
  outcome: OutcomeWhat | null;
  closeReason: string | null;
  /** Deadlines: rows in the store, one per purpose. */
  due: Partial<Record<Purpose, number>>;
}

export type EpisodeInput =
  | { type: "opened"; facts: EpisodeFacts }
  | { type: "repeat"; detection: SeenDetection & AlarmNews }
  /** `tries` counts this attempt. */
  | {
      type: "page-result";
      pageId: string;
      responderId: string;
      purpose: PagePurpose;
      tries: number;
      result: SendResult;
    }
  | {
      type: "receipt";
      pageId: string;
      responderId: string;
      purpose: PagePurpose;
      status: ReceiptStatus;
      errorCode: string | null;
    }
  | { type: "reply"; responderId: string; letter: Letter | null }
  | { type: "console"; action: ConsoleAction; user: { name: string; role: "operator" | "responder" } }
  | { type: "due"; purpose: Purpose }
  /** The wall clock was set by so much: what is waited for lasts as long as before. */
  | { type: "clock-set"; byMs: number };

export type Refusal = "already-closed" | "already-taken" | "reason-needed" | "not-taken";

export type EpisodeCommand =
  | { do: "page"; pageId: string; responderId: string; purpose: PagePurpose; step: number; message: Message }
  | { do: "retry"; pageId: string; at: number }
  /** Alarms not yet handed to the provider are called off. */
  | { do: "withdraw" }
  | { do: "tell"; event: ServiceEvent }
  /** Answer to a console action; nothing else answers. */
  | { do: "refuse"; problem: Refusal };
