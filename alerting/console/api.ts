import { z } from "zod";
import { DetectionReason, Evidence, ReportedFall } from "../../firmware-contracts/detection.ts";
import type { VisitingList } from "../visiting-list.ts";
import { type Account, type ConsoleUser, Permission, Role } from "./roles.ts";

/** What had happened, as said when an episode is closed (practice: two fields at closing; `done` comes beside it). */
export const OutcomeWhat = z
  .enum(["injury", "unhurt", "already-up", "no-fall", "not-home", "help-call", "test", "unknown"])
  .meta({ id: "OutcomeWhat" });
export type OutcomeWhat = z.infer<typeof OutcomeWhat>;

/** What was done about it, as said when an episode is closed. */
export const OutcomeDone = z
  .enum(["nothing", "nurse", "1177", "ambulance", "hospital", "lift-help", "relative-told"])
  .meta({ id: "OutcomeDone" });
export type OutcomeDone = z.infer<typeof OutcomeDone>;

export const EpisodeStatus = z.enum(["open", "taken", "arrived", "closed"]).meta({ id: "EpisodeStatus" });
export type EpisodeStatus = z.infer<typeof EpisodeStatus>;

const wallMs = z.number().int();

export const PageView = z.object({
  id: z.string(),
  responder: z.string().meta({ description: "The responder's or patrol's name in the configuration" }),
  step: z.number().int(),
  purpose: z.string(),
  at: wallMs,
  status: z.enum(["waiting", "accepted", "delivered", "failed", "unknown"]),
});
export type PageView = z.infer<typeof PageView>;

export const TimelineEntry = z.object({
  at: wallMs,
  what: z.string().meta({ description: "An event's kind, translated by the page" }),
  who: z.string().nullable(),
  via: z.string().nullable(),
  detail: z.string().nullable(),
});
export type TimelineEntry = z.infer<typeof TimelineEntry>;

/** An episode as the board shows it. No names, addresses or phone numbers of residents. */
export const EpisodeView = z
  .object({
    id: z.string(),
    code: z.string(),
    kind: z.enum(["fall", "help", "welfare", "technical", "sign-on", "test"]),
    status: EpisodeStatus,
    /** The dwelling's key number, as staff know it. */
    alias: z.string(),
    unit: z.string().nullable().meta({ description: "The home-care unit; null: none" }),
    ofDwelling: z.boolean().meta({ description: "False: it is about no dwelling, as a gateway that is lost" }),
    area: z.string().nullable(),
    room: z.string().nullable(),
    reason: DetectionReason.nullable().meta({ description: "Null for what no device has detected" }),
    strength: z.enum(["strong", "medium"]).nullable(),
    trouble: z
      .object({ kind: z.string(), subject: z.string() })
      .nullable()
      .meta({ description: "Of a technical alarm: what is wrong, with what" }),
    impactAt: wallMs.meta({ description: "When it happened, or since when it is so" }),
    openedAt: wallMs,
    late: z.boolean(),
    test: z.boolean(),
    notInOperation: z
      .enum(["awaiting-test", "in-store"])
      .nullable()
      .meta({ description: "Its sensor is not in operation: whose it is has not been tried, or it is in store" }),
    longLie: z
      .object({ since: wallMs, isUnheard: z.boolean() })
      .nullable()
      .meta({ description: "Nobody was seen to get up in the five minutes after the fall, and nobody is there yet" }),
    activeAt: wallMs
      .nullable()
      .meta({ description: "Of a welfare alarm that somebody has: when movement was seen again" }),
    repeats: z.number().int().meta({ description: "Further detections that joined this episode" }),
    takenBy: z.string().nullable(),
    takenAt: wallMs.nullable(),
    onTheWayAt: wallMs.nullable(),
    arrivedAt: wallMs.nullable(),
    closedAt: wallMs.nullable(),
    closedBy: z.string().nullable(),
    outcome: OutcomeWhat.nullable(),
    done: OutcomeDone.nullable(),
    floorMinutes: z.number().int().nullable(),
    backup: z
      .object({
        need: z.enum(["cannot-get-in", "two-needed"]),
        by: z.string().nullable().meta({ description: "Who waits there" }),
        coming: z.array(z.string()).meta({ description: "Who has answered and joins them" }),
      })
      .nullable()
      .meta({ description: "Others were called to the door, or to the person" }),
    called112At: wallMs.nullable(),
    undo: z
      .object({ by: z.string(), until: wallMs })
      .nullable()
      .meta({ description: "Who can take back their last act on the console, and until when" }),
    step: z.number().int(),
    nextDeadline: z.object({ purpose: z.string(), at: wallMs }).nullable(),
    pages: z.array(PageView),
  })
  .meta({ id: "EpisodeView" });
export type EpisodeView = z.infer<typeof EpisodeView>;

export const EpisodeDetail = EpisodeView.extend({
  timeline: z.array(TimelineEntry),
  evidence: Evidence.nullable(),
  detection: z
    .object({
      deviceId: z.string(),
      impactAt: wallMs.meta({ description: "When it happened, worked back from arrival" }),
      arrivedAt: wallMs.meta({ description: "When it reached the gateway" }),
      detectedAt: wallMs.meta({ description: "When it was judged" }),
      clockSuspect: z.boolean().meta({ description: "The device's clock disagrees with the gateway's" }),
    })
    .nullable()
    .meta({ description: "What opened it; null for what no device has detected" }),
  reported: ReportedFall.nullable().meta({ description: "Where a sensor itself reported the fall: what it said" }),
  model: z.string().nullable(),
}).meta({ id: "EpisodeDetail" });
export type EpisodeDetail = z.infer<typeof EpisodeDetail>;

/** The episode as the board shows it, without what only its own page needs. */
export function viewOf(detail: EpisodeDetail): EpisodeView {
  const { timeline: _t, evidence: _e, detection: _d, reported: _r, model: _m, ...view } = detail;
  return view;
}

/** What a person may do to an episode on the console. */
export const ConsoleAction = z
  .discriminatedUnion("action", [
    z.object({ action: z.literal("take") }),
    z.object({ action: z.literal("on-the-way") }),
    z.object({ action: z.literal("arrived") }),
    z.object({ action: z.literal("cannot") }),
    z.object({ action: z.literal("cannot-get-in") }).meta({
      description: "At the door, and nobody opens: key holders and whoever leads are paged at once, and it stays open",
    }),
    z
      .object({ action: z.literal("two-needed") })
      .meta({ description: "Another is needed there: more people are paged" }),
    z.object({ action: z.literal("called-112") }).meta({ description: "112 was called; it stays open" }),
    z.object({ action: z.literal("undo") }).meta({ description: "Takes back one's own last act, for ten minutes" }),
    z.object({
      action: z.literal("close"),
      outcome: OutcomeWhat,
      done: OutcomeDone.optional(),
      floorMinutes: z.number().int().min(0).max(10_080).optional().meta({ description: "Minutes on the floor" }),
      /** Must be given where nobody has arrived: nothing is closed from afar without a typed reason. */
      reason: z.string().trim().max(300).optional(),
    }),
  ])
  .meta({ id: "ConsoleAction" });
export type ConsoleAction = z.infer<typeof ConsoleAction>;

export type ActionResult =
  | { ok: true }
  | {
      ok: false;
      problem: "not-found" | "already-closed" | "already-taken" | "reason-needed" | "not-taken" | "nothing-to-undo";
    };

/** What the console needs of alerting. Implemented over the store; every act is committed before it resolves. */
export interface ConsoleBackend {
  /** Open episodes, newest first, then those closed in the last 12 h. */
  board(): EpisodeView[];
  episode(id: string): EpisodeDetail | null;
  /** One that the board holds no more. */
  pastEpisode?(id: string): Promise<EpisodeDetail | null>;
  act(id: string, action: ConsoleAction, user: ConsoleUser): Promise<ActionResult>;
  /** Calls `listener` with an episode's id each time that episode has changed. Returns how to stop. */
  onChange(listener: (episodeId: string) => void): () => void;
  /** The user with this password, or null. Takes as long for an unknown name as for a wrong password. */
  verifyUser(name: string, password: string): Promise<Account | null>;
  /** Chooses a password by a one-time code, and says whose account it is; null where name or code is wrong. */
  choosePassword?(name: string, code: string, password: string): Promise<Account | null>;
  /** Whom to look in at while gateways are lost, by priority; `all`: everybody. */
  visitingList?(all: boolean): Promise<VisitingList>;
  /** For the health line on the page: what is wrong now, in words from a fixed list. */
  troubles(): string[];
}

/** The whole board: the answer of `GET /episodes`, and the first event of a stream. */
export const BoardMessage = z
  .object({
    now: z.number().meta({ description: "The server's wall time, which the page counts minutes and deadlines by" }),
    troubles: z.array(z.string()),
    episodes: z.array(EpisodeView),
  })
  .meta({ id: "Board" });
export type BoardMessage = z.infer<typeof BoardMessage>;

/** Who is logged in, if anybody, and the service's language. */
export const SessionMessage = z
  .object({
    user: z
      .object({
        name: z.string(),
        role: Role,
        units: z.array(z.string()).nullable().meta({ description: "Units they may see; null: all" }),
        permissions: z.array(Permission),
      })
      .nullable(),
    language: z.enum(["sv", "en"]),
  })
  .meta({ id: "Session" });
export type SessionMessage = z.infer<typeof SessionMessage>;
/** Whoever is logged in, as the page knows them. */
export type LoggedIn = NonNullable<SessionMessage["user"]>;
