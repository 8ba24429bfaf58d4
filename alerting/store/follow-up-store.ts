import type { DoneAct } from "./audit-store.ts";

/** What can be to do after an alarm that is closed. */
export type FollowUpKind = "not-home" | "injury" | "unknown" | "nurse";

/** One that is done: who said so, and when. */
export interface FollowUpRow {
  episodeId: string;
  kind: FollowUpKind;
  at: number;
  by: string;
}

/** What was followed up after alarms. What is to be follows from the episodes; only what is done is kept. */
export interface FollowUpStore {
  /** Of episodes that were closed at or after `closedSince`. */
  list(closedSince: number): Promise<FollowUpRow[]>;
  /** The first who says so stands. The act is in the audit log, in one piece with it. False where it was done already. */
  tick(followUp: Pick<FollowUpRow, "episodeId" | "kind">, act: DoneAct & { by: string }): Promise<boolean>;
  /** It is to be done after all. False where it was not done. */
  untick(followUp: Pick<FollowUpRow, "episodeId" | "kind">, act: DoneAct & { by: string }): Promise<boolean>;
}
