import type { Detection } from "../firmware-contracts/detection.ts";
import type { ConsoleAction, EpisodeStatus, OutcomeDone, OutcomeWhat } from "./console/api.ts";
import type { ConsoleUser, Role } from "./console/roles.ts";
import type { ServiceEvent } from "./events.ts";
import type { Message } from "./messages/message.ts";
import type { Letter } from "./replies.ts";

/**
 * Who did something. Responders are named by id; their names and phones stand in the configuration alone.
 * `resident`: by a cancel. `system`: a technical alarm whose trouble is over, a shift that is over; never an alarm.
 */
export type Actor =
  | { kind: "responder"; id: string }
  | { kind: "user"; name: string; role: Role }
  | { kind: "resident" }
  | { kind: "system" };

/** `welfare`: nobody has moved at home for unusually long; below falls and help calls. `technical`: an equipment fault, of a lower kind. `sign-on`: the test alarm by which a shift's phone signs on. `test`: a device's, or the self-test's. */
export type EpisodeKind = "fall" | "help" | "welfare" | "technical" | "sign-on" | "test";

/** A step of a policy: everybody it names is paged together. */
export interface PolicyStep {
  responders: string[];
  groups?: string[];
  rotas?: string[];
  waitMs: number;
}

/** The escalation policy as an episode keeps it from its start: later changes of the configuration do not touch it. */
export interface EpisodePolicy {
  /** A fingerprint of the policy, for the log. */
  version: string;
  steps: PolicyStep[];
  operators: string[];
  /** A round of the policy lasts at least this long, or its own waits where these are shorter, ms. */
  shortestRoundMs: number;
  /** No delivery by then: the next is paged, beside the wait for a reply. Null: receipts are not waited for. */
  receiptWithinMs: number | null;
  /** Taken, and not on the way by then: whoever has it is reminded; another `graceMs` later the next are paged. */
  setOffWithinMs: number;
  graceMs: number;
  arriveWithinMs: number;
  outcomeWithinMs: number;
}

/** Who can be paged at the moment of an input. It stands in the log with the input, so that a replay needs no rota. */
export interface Duty {
  /** For each step of the policy whom it means now, in the order of paging. */
  steps: string[][];
  /** Who is paged where nobody else takes it. */
  operators: string[];
  keyHolders: string[];
  /** On their way to, or at, another alarm. */
  busy: string[];
  /** Phones that can get no texts as far as is known. */
  unreachable: string[];
  /** Technical alarms that can wait page nobody before this, wall ms. */
  quietUntil?: number;
}

/** What is wrong with the equipment, or with how it is staffed. */
export const troubleKinds = [
  "gateway-lost",
  "broker-lost",
  "contact-unreachable",
  "rota-gap",
  "presence-unheard",
  "area-silent",
  "device-overdue",
  "button-overdue",
  "sensor-overdue",
  "battery-low",
  "not-worn",
  "charging-long",
  "tamper",
  "sensor-stuck",
  "clock-drift",
  "dwelling-unwatched",
  "self-test-failed",
] as const;
export type TroubleKind = (typeof troubleKinds)[number];

/** One outage of one thing. */
export interface Trouble {
  kind: TroubleKind;
  /** What it is about: a gateway's, a responder's, a rota's, a dwelling's or a device's id; of the self-test the link that failed. */
  subject: string;
  /** Wall ms. */
  since: number;
}

/** The phone that a sign-on is about. */
export interface SignOnFacts {
  responderId: string;
  rotaIds: string[];
  /** Of its time on call, wall ms. */
  startsAt: number;
  endsAt: number;
}

/**
 * What a test alarm is for. `device`: whoever gets it reads the key number back, and the device is in operation. `chain`: the self-test's, which nobody
 * needs to answer. `id` is that of the device's test or of the self-test.
 */
export interface TestAlarmFacts {
  purpose: "device" | "chain";
  id: string;
  /** Awaited until then, wall ms. */
  until: number;
}

/** Where it is, as staff know it. No name, no address. */
export interface Place {
  /** Key number; null for a device that is in no dwelling's register. */
  alias: string | null;
  area: string | null;
  /** Whether enough dwellings share the area for it to stand in a text. */
  areaInTexts: boolean;
  room: string | null;
  /** The home-care unit; absent or null: none. */
  unit?: string | null;
}

/** What an episode is opened with. */
export interface EpisodeFacts {
  id: string;
  code: string;
  kind: EpisodeKind;
  /** What joins repeats: a dwelling's id, `device:<id>` for an unknown device, `welfare:…`, `trouble:…`, `sign-on:…`, `device-test:…`, `self-test:…`. */
  dwelling: string;
  place: Place;
  test: boolean;
  /** When it happened, or since when it is so, wall ms. */
  since: number;
  /** Null for what no device has detected. */
  detection: Omit<Detection, "evidence" | "model"> | null;
  trouble: Trouble | null;
  signOn: SignOnFacts | null;
  /** Absent: it is none. */
  testAlarm?: TestAlarmFacts;
  /** Of an alarm whose device is not in operation: what it awaits. Absent: it is, or is in no register. */
  notInOperation?: "awaiting-test" | "in-store";
  /** Of a welfare alarm: how long this person's pauses may be at that time of day, minutes. */
  limitMinutes?: number | null;
  policy: EpisodePolicy;
  /** Operators are asked first, for this long, ms: in a new resident's silent period, or of a sensor that is not in operation. Null: staff at once. */
  operatorsFirstMs: number | null;
}

/** What a deadline is for. An episode has at most one of each. */
export const purposes = ["next-page", "receipt", "set-off", "arrive", "outcome", "backup"] as const;
export type Purpose = (typeof purposes)[number];

/** What a page is for. `alarm`, `welfare`, `technical` and `not-taken` ask to be taken; the rest inform. */
export type PagePurpose =
  | "alarm"
  | "welfare"
  | "technical"
  | "sign-on"
  | "test"
  | "not-taken"
  | "not-arrived"
  | "backup"
  | "taken"
  | "to-others"
  | "reminder"
  | "closed"
  | "answer";

/** Pages that call somebody out: they go before all others. What a welfare alarm asks for waits for them. */
export const callingOut: ReadonlySet<PagePurpose> = new Set(["alarm", "not-taken", "not-arrived", "backup"]);

/** What a provider said of one attempt. */
export type SendResult =
  | { outcome: "accepted"; providerId: string }
  /** Not taken now; the same may work soon, not before `retryAfterMs` where the provider says so. */
  | { outcome: "retryable"; reason: string; retryAfterMs?: number }
  /** Never will: not a mobile phone, opted out. `fault` is the phone's where every further text to it will meet the same. */
  | { outcome: "permanent"; reason: string; fault?: "phone" }
  /** Nobody can say whether it was sent. */
  | { outcome: "unknown"; reason: string };

export type ReceiptStatus = "queued" | "sent" | "delivered" | "undelivered" | "failed";

/** How a page of the step now waited for fares. `sent` is the provider's word, `delivered` the phone's. */
export type CurrentPage = { responderId: string; fate: "waiting" | "sent" | "delivered" | "failed" };

export interface SeenDetection {
  id: string;
  deviceId: string;
  impactAt: number;
}

/** What a page says of the alarm: of the detection that opened the episode, or of a later one that called everybody out again. */
export type AlarmNews = Pick<Detection, "kind" | "reason" | "impactAt" | "arrivedAt" | "late">;

/** Nobody was seen to get up in the five minutes after a fall. Wall ms. */
export interface LongLie {
  /** The fall's impact. */
  since: number;
  /** When that was told. */
  at: number;
  /** Most of it was without signal. */
  isUnheard: boolean;
}

/** Who asked for more people, or did what can be taken back: a responder, by id, or somebody at the console. */
export type Asker = string | ConsoleUser;

/** Where an episode stands on its way from raised to closed: what an undo puts back. */
export interface Ladder {
  status: EpisodeStatus;
  takenBy: Actor | null;
  takenAt: number | null;
  onTheWayAt: number | null;
  backupAskedBy: Asker | null;
  /** What was asked for, and whether somebody has answered it. */
  backupNeed: "cannot-get-in" | "two-needed" | null;
  backupJoined: string[];
  arrivedBy: Actor | null;
  arrivedAt: number | null;
  /** Responders who have said F, S or U: only they can report from the place. */
  present: string[];
  closedBy: Actor | null;
  closedAt: number | null;
  outcome: OutcomeWhat | null;
  done: OutcomeDone | null;
  closeReason: string | null;
}

/** Everything an episode is. It is rebuilt by replaying the log. */
export interface EpisodeState extends Ladder {
  facts: EpisodeFacts;
  openedAt: number;
  /** When it was opened by the clock as it is now, where that was set since: a resident's cancel counts from here. 0 where nobody can know. */
  raisedAt?: number;
  /** The first opened it, the others joined. Only the first 1,000 are kept here; the store has them all. */
  detections: SeenDetection[];
  repeats: number;
  /** Null for what no device has detected. */
  news: AlarmNews | null;
  /** It is urgent: whoever fell has not been seen to get up. Absent: nobody has said so, or somebody was there since. */
  longLie?: LongLie;
  /** Detections of which that was told. */
  longLies?: string[];
  /** Of a welfare alarm that somebody has: when movement was seen again. */
  activeAt?: number;
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
  /** Who was called to help somebody at the door or with the person, and has not been told since that nobody needs to come. Absent: nobody. */
  backupCalled?: string[];
  /** Operators who were told that it was not taken, and are told when it is closed. */
  toldNotTaken: string[];
  nextPageNumber: number;
  /** Operators are asked before the staff: a new resident's silent period. */
  operatorsFirst: boolean;
  /** Whoever has it was reminded to set off. */
  reminded: boolean;
  /** The last act of a person, and what it changed. `letter`: of a reply. */
  undo: { by: Asker; letter: Letter | null; at: number; before: Ladder } | null;
  /** Minutes on the floor as somebody there has said; null: not said. */
  floorMinutes: number | null;
  /** Deadlines: rows in the store, one per purpose. */
  due: Partial<Record<Purpose, number>>;
}

export type EpisodeInput = { duty?: Duty } & (
  | { type: "opened"; facts: EpisodeFacts }
  /** `operatorsFirst`: by itself it would be told to the operators first. Absent in what was written before that was kept. */
  | {
      type: "repeat";
      detection: SeenDetection & AlarmNews & { strength?: Detection["strength"]; operatorsFirst?: boolean };
    }
  /** What somebody read back as the key number of a device's test alarm was right, or was not. */
  | { type: "read-back"; responderId: string; isRight: boolean }
  /** Five minutes after this fall nobody was seen to get up. Seconds since the impact, and of these without signal. */
  | { type: "long-lie"; detectionId: string; lyingSeconds: number; unknownSeconds: number }
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
      /** The error says that no text will ever get there. */
      lost?: boolean;
    }
  /** `mayReopen`: nothing else stands in the way of opening it again. `minutes`: on the floor. */
  | { type: "reply"; responderId: string; letter: Letter | null; minutes?: number; mayReopen?: boolean }
  /** `canUndo`: it can be taken back. Absent in what was written before that could be. `mayReopen`: as of a reply. */
  | { type: "console"; action: ConsoleAction; user: ConsoleUser; canUndo?: true; mayReopen?: boolean }
  /** Whoever has it hands the shift over: it is asked anew of those on call, and of `to` in any case. */
  | { type: "handed-on"; responderId: string; to: string; user: ConsoleUser }
  | { type: "due"; purpose: Purpose }
  /** The wearer's own cancel, pressed at `at`. */
  | { type: "cancel"; at: number; upright: boolean }
  /** A phone stopped its texts: what was sent to it will not be read. */
  | { type: "contact-lost"; responderId: string }
  /** Of a welfare alarm: movement again, and none again since. Wall ms. */
  | { type: "movement"; at: number }
  | { type: "inactive"; since: number }
  /** What a technical alarm or a sign-on was about is over; `joined`: it is part of another alarm now, and nobody is told that it is over. */
  | { type: "ended"; joined?: true }
  /** The wall clock was set by `jumpMs`, or nobody knows (0, at a start). */
  | { type: "clock"; jumpMs: number }
);

export type Refusal = "already-closed" | "already-taken" | "reason-needed" | "not-taken" | "nothing-to-undo";

export type EpisodeCommand =
  | { do: "page"; pageId: string; responderId: string; purpose: PagePurpose; step: number; message: Message }
  | { do: "retry"; pageId: string; at: number }
  /** Alarms not yet handed to the provider are called off. */
  | { do: "withdraw" }
  | { do: "tell"; event: ServiceEvent }
  /** Answer to a console action; nothing else answers. */
  | { do: "refuse"; problem: Refusal };
