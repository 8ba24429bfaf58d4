import type { DoneAct } from "../store/store.ts";
import type { ChangeBody, MadeChange } from "./changes.ts";
import type { SignOnRow } from "./sign-ons.ts";

/** A line in the history of a rota. */
export interface RotaHistoryLine {
  id: number;
  rotaId: string;
  at: number;
  by: string | null;
  /** A withdrawal says which change it ends. */
  change: ChangeBody | { kind: "withdrawal"; withdraws: number };
}

/** Changes of the rotas and sign-ons of their phones. Nothing is ever changed or taken out but crews. */
export interface RotaStore {
  /** Those that touch a time at or after `since`, withdrawn ones too, in the order in which they were made. */
  changes(since: number): Promise<MadeChange[]>;
  /** Returns its id. `span` is all that it touches. The act is in the audit log, in one piece with the change. */
  addChange(rotaId: string, change: ChangeBody, span: { from: number; until: number }, act: DoneAct): Promise<number>;
  /** False where there is no such change, or it was withdrawn already. */
  withdrawChange(changeId: number, act: DoneAct): Promise<boolean>;
  /** Every line of a rota, the oldest first. */
  history(rotaId: string): Promise<RotaHistoryLine[]>;
  /** Of stints that began at or after `since`, in the order in which they were written. */
  signOns(since: number): Promise<SignOnRow[]>;
  /** All of them or none. */
  addSignOns(rows: readonly SignOnRow[]): Promise<void>;
  /** Takes out who was on the patrols of stints that began before `before`. Returns of how many lines. */
  forgetCrews(before: number): Promise<number>;
}
