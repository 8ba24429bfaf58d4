import type { DetectionReason } from "../../firmware-contracts/detection.ts";
import type { OutcomeWhat } from "../console/api.ts";

/** Who is named in a text: a responder by name, or whoever works the console. */
export type Named = { responder: string } | "operator";

/** What a text says, before it has words. Times are wall time, ms. Made by the pure core, worded by sv.ts and en.ts. */
export type Message =
  | { kind: "alarm"; reason: DetectionReason; impactAt: number; arrivedAt: number; late: boolean }
  | { kind: "not-taken"; alarm: "fall" | "help"; impactAt: number; minutes: number }
  | { kind: "not-arrived"; takenAt: number; by: Named }
  | { kind: "backup"; need: "cannot-get-in" | "two-needed"; by: Named }
  | { kind: "backup-noted"; need: "cannot-get-in" | "two-needed" }
  /** To whoever answers a call for more people, and to whoever called. */
  | { kind: "backup-joined"; by: Named }
  | { kind: "backup-coming"; by: Named }
  | { kind: "taken"; takenAt: number }
  | { kind: "to-others"; takenAt: number; by: Named }
  | { kind: "declined" }
  | { kind: "on-the-way"; at: number }
  | { kind: "arrived"; at: number }
  | { kind: "arrived-other"; at: number; by: Named }
  | { kind: "not-arrived-reminder"; takenAt: number }
  | { kind: "outcome-reminder"; arrivedAt: number }
  | { kind: "ask-arrived" }
  | { kind: "closed"; at: number; outcome: OutcomeWhat }
  | { kind: "already-closed"; at: number }
  | { kind: "noted"; letter: "A" | "E" }
  | { kind: "v-or-f" }
  | { kind: "letters" };

/** Texts that are about no episode. */
export type LooseMessage = { kind: "unknown-code"; code: string } | { kind: "code-needed"; example: string | null };

/** What each text of an episode also needs to know. */
export interface TextPlace {
  code: string;
  /** Null for a device in no register; then `deviceId` stands. */
  alias: string | null;
  deviceId: string;
  /** Null where it may not stand in a text. */
  area: string | null;
  room: string | null;
  test: boolean;
}

/** The words of one language. */
export interface Texts {
  of(message: Message, place: TextPlace, write: Writer): string;
  loose(message: LooseMessage): string;
}

/** What a language needs from outside: the clock face and the names. */
export interface Writer {
  time(at: number): string;
  /** Day and month as `16/11`, with a space behind, where `at` is not the same day as `other`; else nothing. */
  dayUnlessSame(at: number, other: number): string;
  name(who: Named): string;
}
