import type { ResidentFlag } from "../registry/resident-flags.ts";
import type { DoneAct } from "./audit-store.ts";

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

/** A resident as staff must know them at the door. It is kept sealed, and shown only to who says who they are. */
export interface Resident {
  name: string;
  address?: string | undefined;
  keyCode?: string | undefined;
  /** The way there, and how the door opens. */
  route?: string | undefined;
  contacts: { name: string; phone: string }[];
  /** What whoever goes there must know before the door opens. */
  flags: ResidentFlag[];
  /** Of that, what no flag says. */
  note?: string | undefined;
}

/** What a look is written down with beside who looked. Left out: nobody knows. */
export interface LookContext {
  /** The episode that it was opened from; null: none. */
  episode?: string | null;
  /** Whether the account was signed on to a shift then. */
  onShift?: boolean;
}

export interface ResidentRow extends Resident {
  id: string;
  addedAt: number;
}

export interface ResidentStore {
  /** Adds a resident to a dwelling; in the place of `replaces`, where that is given. False where the dwelling has none of that id. */
  put(dwellingId: string, id: string, resident: Resident, replaces: string | null, act: DoneAct): Promise<boolean>;
  /** Opens what is known of a dwelling's residents. The look-up is in the audit log before it is answered. */
  lookUp(dwellingId: string, act: DoneAct, context?: LookContext): Promise<ResidentRow[]>;
  /** How many each dwelling has. It opens nothing. */
  counts(): Promise<{ dwellingId: string; residents: number }[]>;
}
