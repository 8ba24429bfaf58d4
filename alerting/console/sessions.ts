import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import type { Clock, MonotonicMs, WallMs } from "../../firmware-contracts/clock.ts";
import type { AccessStore, SessionRow, TokenRow } from "../store/store.ts";
import type { Account } from "./roles.ts";
import { tokenAccount } from "./tokens.ts";

const hour = 3600_000;
/** A night shift and its hand-over fit; every request moves the end. */
export const sessionMs = 12 * hour;
/** However much it is used, a password is asked for once in a while. */
export const longestSessionMs = 7 * 24 * hour;
// More than any unit has staff. The session unused for longest goes first.
const mostSessions = 2000;
/** What the command line ends is noticed this soon, ms. */
const lookEveryMs = 2000;
/** A stop without warning costs a session this much of its time at most, and the store one write for all of them, ms. */
const writeEveryMs = 5 * 60_000;

/** Somebody who has been let in: by the cookie of a session, or a program by its token. */
export interface Session {
  readonly kind: "session" | "token";
  /** A session's id, or a token's name. */
  readonly id: string;
  readonly user: Account;
}

/**
 * Who is let in. The store holds them, by the hash of what they show, so that a restart logs nobody out and a dump lets nobody in. In memory is what was
 * asked for of late: where the store cannot be read, whoever is at the board stays there.
 */
export interface Sessions {
  /** Starts a session; returns its token, which only the cookie holds. */
  open(user: Account, agent: string | null): Promise<string>;
  /** Who shows this, or null. Its session's end is moved on, unless nobody asked but the page by itself. */
  use(kind: Session["kind"], shown: string | undefined, byItself?: boolean): Promise<Session | null>;
  /** Whether `use` would have to ask the store. */
  isKnown(shown: string | undefined): boolean;
  /** True until it has ended; does not move its end. What was ended elsewhere is noticed within seconds. */
  isAlive(session: Session): boolean;
  /** Whether somebody ended it, rather than that it was unused for too long. */
  hasEnded(session: Session): boolean;
  /** Ends the session of `shown`; returns it if it was there. */
  close(shown: string | undefined): Promise<Session | null>;
  /** Looks at once which have been ended. */
  recheck(): Promise<void>;
  /** Keeps when they were last used. */
  flush(): Promise<void>;
}

interface Entry {
  session: Session;
  endsAt: MonotonicMs;
  /** Beyond this no use moves the end. */
  latestEnd: MonotonicMs;
  usedAt: WallMs;
  isUnwritten: boolean;
  checkedAt: MonotonicMs;
  ended: boolean;
}

export const hashOf = (shown: string) => createHash("sha256").update(shown).digest("base64url");

export function createSessions(store: () => AccessStore, clock: Clock, log: FastifyBaseLogger): Sessions {
  const byHash = new Map<string, Entry>();
  const byId = new Map<string, Entry>();
  const endedByHand = new WeakSet<Session>();
  let looking: Promise<void> | null = null;
  let stopWriting: (() => void) | null = null;

  const isOver = (entry: Entry) => entry.ended || clock.monotonicNow() >= entry.endsAt;

  function remember(hash: string, entry: Entry): Entry {
    // A Map keeps the order of insertion, and a use inserts anew: the first is the one unused for longest. The store has it still.
    const oldest = byHash.keys().next().value;
    if (byHash.size >= mostSessions && oldest !== undefined) forget(oldest);
    byHash.set(hash, entry);
    byId.set(`${entry.session.kind} ${entry.session.id}`, entry);
    return entry;
  }

  function forget(hash: string): void {
    const entry = byHash.get(hash);
    if (!entry) return;
    byHash.delete(hash);
    byId.delete(`${entry.session.kind} ${entry.session.id}`);
  }

  /** By the monotonic clock from here on; a wall clock that was set while nobody ran lengthens nothing beyond what a new one would have. */
  function entryOfSession(row: SessionRow): Entry {
    const wall = clock.wallNow();
    const now = clock.monotonicNow();
    const left = Math.min(sessionMs, row.usedAt + sessionMs - wall);
    const latest = Math.min(longestSessionMs, row.openedAt + longestSessionMs - wall);
    const session: Session = { kind: "session", id: row.id, user: row.account };
    const ends = { endsAt: now + Math.min(left, latest), latestEnd: now + latest };
    return { session, ...ends, usedAt: row.usedAt, isUnwritten: false, checkedAt: now, ended: false };
  }

  function entryOfToken(row: TokenRow): Entry {
    const now = clock.monotonicNow();
    const ends = now + (row.revokedAt === null ? row.until - clock.wallNow() : 0);
    const session: Session = { kind: "token", id: row.name, user: tokenAccount(row) };
    const usedAt = row.usedAt ?? 0;
    return { session, endsAt: ends, latestEnd: ends, usedAt, isUnwritten: false, checkedAt: now, ended: false };
  }

  async function fetch(kind: Session["kind"], hash: string): Promise<Entry | null> {
    if (kind === "session") {
      const row = await store().sessionOf(hash);
      return row && entryOfSession(row);
    }
    const row = await store().tokenOf(hash);
    return row && entryOfToken(row);
  }

  /** Ended here and in the store, so that it isn't found there again by another clock. */
  async function end(hash: string, entry: Entry): Promise<void> {
    entry.ended = true;
    const { kind, id, user } = entry.session;
    if (kind === "session") await store().endSession(id, user.name);
    forget(hash);
  }

  /** Which of those in memory the store has no more. */
  async function look(): Promise<void> {
    const entries = [...byHash].filter(([, entry]) => !entry.ended);
    if (entries.length === 0) return;
    const startedAt = clock.monotonicNow();
    const sessions = entries.map(([, { session }]) => session).filter(({ kind }) => kind === "session");
    const live = new Set((await store().liveSessions(sessions.map(({ id }) => id))).map((id) => `session ${id}`));
    if (sessions.length < entries.length) {
      for (const { name, revokedAt } of await store().tokens()) if (revokedAt === null) live.add(`token ${name}`);
    }
    for (const [hash, entry] of entries) {
      entry.checkedAt = startedAt;
      if (live.has(`${entry.session.kind} ${entry.session.id}`)) continue;
      entry.ended = true;
      endedByHand.add(entry.session);
      if (byHash.get(hash) === entry) forget(hash);
    }
  }

  function lookOnce(): Promise<void> {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  }

  function lookBehind(): void {
    if (looking) return;
    lookOnce().catch((err: unknown) => log.error({ err }, "the console could not look which sessions have ended"));
  }

  async function flush(): Promise<void> {
    stopWriting?.();
    stopWriting = null;
    const unwritten = [...byHash.values()].filter((entry) => entry.isUnwritten && !entry.ended);
    if (unwritten.length === 0) return;
    const of = (kind: Session["kind"]) =>
      Object.fromEntries(
        unwritten.filter(({ session }) => session.kind === kind).map(({ session, usedAt }) => [session.id, usedAt]),
      );
    for (const entry of unwritten) entry.isUnwritten = false;
    try {
      await store().used(of("session"), of("token"));
    } catch (error) {
      for (const entry of unwritten) entry.isUnwritten = true;
      throw error;
    }
  }

  function move(hash: string, entry: Entry): Session {
    const now = clock.monotonicNow();
    if (entry.session.kind === "session") entry.endsAt = Math.min(now + sessionMs, entry.latestEnd);
    entry.usedAt = Math.round(clock.wallNow());
    entry.isUnwritten = true;
    byHash.delete(hash);
    byHash.set(hash, entry);
    stopWriting ??= clock.after(writeEveryMs, () => {
      stopWriting = null;
      flush().catch((err: unknown) => log.error({ err }, "the console could not keep when sessions were used"));
    });
    return entry.session;
  }

  /** From memory, or else from the store. Of two that ask at once, the first is kept. */
  async function find(kind: Session["kind"], hash: string): Promise<Entry | null> {
    const known = byHash.get(hash);
    if (known) return known;
    const found = await fetch(kind, hash);
    return byHash.get(hash) ?? (found && remember(hash, found));
  }

  return {
    flush,
    async recheck() {
      // One that is under way may have read what was there before.
      await looking?.catch(() => undefined);
      await lookOnce();
    },
    isKnown: (shown) => shown !== undefined && byHash.has(hashOf(shown)),
    hasEnded: (session) => endedByHand.has(session),
    isAlive(session) {
      const entry = byId.get(`${session.kind} ${session.id}`);
      if (!entry || isOver(entry)) return false;
      if (clock.monotonicNow() - entry.checkedAt >= lookEveryMs) lookBehind();
      return true;
    },
    async open(user, agent) {
      const token = randomBytes(32).toString("base64url");
      const now = Math.round(clock.wallNow());
      const row = { id: randomUUID(), account: user, openedAt: now, usedAt: now, agent: agent?.slice(0, 200) ?? null };
      const hash = hashOf(token);
      // A wall clock that was set must not end those in use: nothing is dropped that could be.
      await store().putSession({ ...row, tokenHash: hash }, now - longestSessionMs - sessionMs, mostSessions);
      remember(hash, entryOfSession(row));
      return token;
    },
    async use(kind, shown, byItself = false) {
      if (!shown || shown.length > 100) return null;
      const hash = hashOf(shown);
      let entry = byHash.get(hash) ?? null;
      if (!entry || clock.monotonicNow() - entry.checkedAt >= lookEveryMs) {
        try {
          if (entry) await lookOnce();
          else entry = await find(kind, hash);
        } catch (err) {
          if (!entry) throw err;
          log.error({ err }, "the console cannot read its sessions; those that it knows go on");
        }
      }
      if (!entry || entry.session.kind !== kind) return null;
      if (isOver(entry)) {
        await end(hash, entry);
        return null;
      }
      return byItself ? entry.session : move(hash, entry);
    },
    async close(shown) {
      const hash = hashOf(shown ?? "");
      const entry = shown ? await find("session", hash) : null;
      if (!entry) return null;
      endedByHand.add(entry.session);
      await end(hash, entry);
      return entry.session;
    },
  };
}
