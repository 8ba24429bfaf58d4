import type { Account, Permission } from "../console/roles.ts";
import type { DoneAct } from "./audit-store.ts";

/** An account, as whoever manages accounts sees it. */
export interface ListedUser extends Account {
  /** Null for accounts of before that was kept. */
  addedAt: number | null;
  /** It may log in; false: shut off. */
  isOpen: boolean;
  hasPassword: boolean;
  /** Until when a code to choose a password is good; null: none is out. */
  codeUntil: number | null;
}

export interface UserRow extends ListedUser {
  passwordHash: string | null;
  code: { hash: string; until: number; tries: number } | null;
}

export interface OneTimeCodeRow {
  hash: string;
  until: number;
}

/** Accounts. Whatever changes what an account may do ends its sessions and tokens in the same transaction, and stands in the audit log. */
export interface UserStore {
  user(name: string): Promise<UserRow | null>;
  users(): Promise<ListedUser[]>;
  /** False where there is one of that name. */
  addUser(user: Account & { code: OneTimeCodeRow }, act: DoneAct): Promise<boolean>;
  /** Adds it, or puts it in the place of one of that name. */
  putUser(user: Account & { passwordHash: string }, act: DoneAct): Promise<void>;
  /** These three: false where there is none of that name. */
  changeUser(account: Account, act: DoneAct): Promise<boolean>;
  openUser(name: string, isOpen: boolean, act: DoneAct): Promise<boolean>;
  removeUser(name: string, act: DoneAct): Promise<boolean>;
  /** A code by which its person chooses a password; the one until now is good until then. False where there is no such account, or it is shut off. */
  putCode(name: string, code: OneTimeCodeRow, act: DoneAct): Promise<boolean>;
  /** Counts a wrong try of the code. */
  codeTried(name: string): Promise<void>;
  /** The password chosen by the code with that hash, which is good no more. Ends all sessions. False where it was used meanwhile. */
  passwordByCode(name: string, codeHash: string, passwordHash: string, act: DoneAct): Promise<boolean>;
  /** A password in place of that one, by its owner. Ends all sessions but `kept`. False where it was changed meanwhile. */
  changePassword(name: string, change: { was: string; to: string; kept: string }, act: DoneAct): Promise<boolean>;
}

export interface SessionRow {
  id: string;
  account: Account;
  openedAt: number;
  usedAt: number;
  /** What the browser says of itself. */
  agent: string | null;
}

export interface TokenRow {
  /** What it is called in the audit log. */
  name: string;
  /** Whose it is: it may what they may, in their units, as far as its scopes go. */
  account: Account;
  scopes: readonly Permission[];
  madeAt: number;
  until: number;
  usedAt: number | null;
  revokedAt: number | null;
}

/** A request with an idempotency key that was begun before. `sealed` null: nobody knows what came of it. */
export interface BegunAnswer {
  fingerprint: string;
  sealed: string | null;
}

/** Who is let in without their password: sessions and tokens, by the hash of what they show. And what was answered to whom. */
export interface AccessStore {
  /** Keeps a session; drops those last used before `unusedBefore`, and beyond `most` those unused for longest. */
  putSession(session: SessionRow & { tokenHash: string }, unusedBefore: number, most: number): Promise<void>;
  sessionOf(tokenHash: string): Promise<SessionRow | null>;
  sessionsOf(account: string): Promise<SessionRow[]>;
  /** Which of these are still there. */
  liveSessions(ids: readonly string[]): Promise<string[]>;
  /** When sessions and tokens were last used. */
  used(sessions: Record<string, number>, tokens: Record<string, number>): Promise<void>;
  /** Only one of that account's. */
  endSession(id: string, account: string): Promise<boolean>;

  /** False where a token has had that name. */
  addToken(token: TokenRow & { tokenHash: string }, act: DoneAct): Promise<boolean>;
  tokenOf(tokenHash: string): Promise<TokenRow | null>;
  /** Those that are not revoked first. */
  tokens(): Promise<TokenRow[]>;
  /** False where there is none of that name, or it is revoked. */
  revokeToken(name: string, act: DoneAct): Promise<boolean>;

  /** Marks a request as begun; what is there where it was begun before. Those begun before `before` are forgotten. */
  beginAnswer(
    answer: { id: string; account: string; fingerprint: string; at: number },
    before: number,
  ): Promise<BegunAnswer | null>;
  keepAnswer(id: string, sealed: string): Promise<void>;
}
