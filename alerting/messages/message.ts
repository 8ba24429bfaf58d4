import type { DetectionReason } from "../../firmware-contracts/detection.ts";
import type { EpisodeStatus, OutcomeWhat } from "../console/api.ts";
import type { EpisodeKind, TroubleKind } from "../episode-state.ts";
import type { Letter } from "../replies.ts";

/** Who is named in a text: a responder by name, or whoever works the console. */
export type Named = { responder: string } | "operator";

/** What a text says, before it has words. Times are wall time, ms. Made by the pure core, worded by sv.ts and en.ts. */
export type Message =
  | { kind: "alarm"; reason: DetectionReason; impactAt: number; arrivedAt: number; late: boolean }
  /** To whoever is called out, once nobody was seen to get up for five minutes; and to whoever has it. `at`: when that was measured. */
  | { kind: "long-lie"; since: number; at: number; isUnheard: boolean }
  | { kind: "long-lie-taken"; since: number; at: number; isUnheard: boolean; isOnTheWay: boolean }
  | { kind: "not-taken"; alarm: "fall" | "help"; impactAt: number; minutes: number }
  /** Nobody could be paged at all: everybody has another alarm, or nobody is on call. */
  | { kind: "nobody-free"; alarm: "fall" | "help"; impactAt: number; why: "busy" | "nobody" }
  /** No movement at home since then, to whoever is to look in; and to the operators, where nobody has taken it. */
  | { kind: "welfare"; since: number }
  | { kind: "welfare-not-taken"; since: number; minutes: number }
  /** To whoever has it: movement again; and none again since. To whoever was paged: it is over by that. */
  | { kind: "welfare-active"; at: number }
  | { kind: "welfare-still"; since: number }
  | { kind: "welfare-over"; at: number }
  | { kind: "not-arrived"; takenAt: number; by: Named }
  | { kind: "backup"; need: "cannot-get-in" | "two-needed"; by: Named }
  | { kind: "backup-noted"; need: "cannot-get-in" | "two-needed" }
  /** To whoever answers a call for more people, and to whoever called. */
  | { kind: "backup-joined"; by: Named }
  | { kind: "backup-coming"; by: Named }
  /** To whoever called: who was coming is not. */
  | { kind: "backup-not-coming"; by: Named }
  /** To whoever was called: that was taken back. */
  | { kind: "backup-off"; by: Named }
  | { kind: "taken"; takenAt: number }
  | { kind: "to-others"; takenAt: number; by: Named }
  | { kind: "declined" }
  | { kind: "on-the-way"; at: number }
  | { kind: "arrived"; at: number }
  | { kind: "arrived-other"; at: number; by: Named }
  | { kind: "not-arrived-reminder"; takenAt: number }
  /** `next`: who is paged at `nextAt`, where that is somebody in particular. */
  | { kind: "not-set-off-reminder"; takenAt: number; next: Named | null; nextAt: number }
  | { kind: "outcome-reminder"; arrivedAt: number }
  | { kind: "ask-arrived" }
  /** `undo`: to whoever closed it, who can take it back. */
  | { kind: "closed"; at: number; outcome: OutcomeWhat; undo: boolean }
  /** By the resident. */
  | { kind: "cancelled"; at: number }
  /** What was undone, and where the episode stands now. `other`: who has it, or is there, where that is somebody else. */
  | { kind: "undone"; letter: Letter; status: EpisodeStatus; other: Named | null }
  | { kind: "nothing-to-undo" }
  | { kind: "reopened"; by: Named }
  | { kind: "minutes-noted"; minutes: number }
  | { kind: "already-closed"; at: number }
  | { kind: "noted"; letter: "A" | "E" }
  | { kind: "v-or-f" }
  | { kind: "letters" }
  /** An equipment fault. `subject` is a gateway's, a responder's, a rota's, a dwelling's or a device's id. */
  | { kind: "technical"; trouble: TroubleKind; subject: string; since: number }
  | { kind: "technical-over"; trouble: TroubleKind; subject: string; at: number }
  /** The test alarm by which a phone signs on, and to whoever leads where it is not answered. */
  | { kind: "sign-on"; from: number }
  | { kind: "sign-on-missing"; by: Named; from: number }
  /** A device's test alarm, whose key number is asked for and so never told; and what its reply, and its end, are answered with. */
  | { kind: "device-test"; until: number }
  | { kind: "read-back-asked" }
  | { kind: "read-back-wrong" }
  | { kind: "device-in-operation"; at: number }
  /** `isHandedOn`: nobody read it back in time, and operators have the alarm; else it was ended by an operator. */
  | { kind: "device-test-over"; isHandedOn: boolean }
  /** The self-test's. */
  | { kind: "self-test" };

/** Texts that are about no episode. */
export type LooseMessage =
  | { kind: "unknown-code"; code: string }
  | { kind: "code-needed"; example: string | null }
  /** A reply that was written so long ago that it counts no more. */
  | { kind: "late" }
  /** Several technical alarms in one text. */
  | { kind: "digest"; codes: readonly string[] }
  /** A device was to be tried, and no alarm came from it. */
  | { kind: "no-test-alarm"; deviceId: string; minutes: number };

/** What each text of an episode also needs to know. */
export interface TextPlace {
  code: string;
  /** Null for a device in no register; then `deviceId` stands. */
  alias: string | null;
  deviceId: string;
  kind: EpisodeKind;
  /** Null where it may not stand in a text. */
  area: string | null;
  room: string | null;
  test: boolean;
  /** Its sensor is not in operation: a text that calls somebody out says so. */
  notInOperation: "awaiting-test" | "in-store" | null;
}

/** The words of one language. */
export interface Texts {
  of(message: Message, place: TextPlace, write: Writer): string;
  loose(message: LooseMessage): string;
}

/** What a language needs from outside: the clock face and the names. */
export interface Writer {
  time(at: number): string;
  /** Day and month as `16/11`. */
  day(at: number): string;
  /** Day and month as `16/11`, with a space behind, where `at` is not the same day as `other`; else nothing. */
  dayUnlessSame(at: number, other: number): string;
  name(who: Named): string;
}
