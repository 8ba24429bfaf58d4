import { createHash, randomBytes } from "node:crypto";
import type { Clock, MonotonicMs } from "../../firmware-contracts/clock.ts";
import type { Account } from "./roles.ts";

/** A night shift and its hand-over fit; every request moves the end. */
export const sessionMs = 12 * 3600_000;
// A bound on memory: more than any unit has staff. The session unused for longest goes first.
const mostSessions = 2000;

export interface Session {
  readonly user: Account;
  expiresAt: MonotonicMs;
}

/** Who is logged in. Kept in memory under the token's hash, so a restart logs everybody out and a dump shows no token. */
export interface Sessions {
  /** Starts a session; returns its token, which only the cookie holds. */
  open(user: Account): string;
  /** The session of `token`, its end moved on, or null. */
  use(token: string | undefined): Session | null;
  /** True until the session has ended; does not move its end. */
  isAlive(session: Session): boolean;
  /** Ends the session of `token`; returns it if it was there. */
  close(token: string | undefined): Session | null;
}

export function createSessions(clock: Clock): Sessions {
  const byHash = new Map<string, Session>();
  const ended = new WeakSet<Session>();
  const hash = (token: string) => createHash("sha256").update(token).digest("base64url");
  const isAlive = (session: Session) => !ended.has(session) && clock.monotonicNow() < session.expiresAt;

  function end(key: string): Session | null {
    const session = byHash.get(key);
    if (!session) return null;
    byHash.delete(key);
    ended.add(session);
    return session;
  }

  return {
    isAlive,
    open(user) {
      for (const [key, session] of byHash) if (!isAlive(session)) end(key);
      // A Map keeps the order of insertion, and `use` inserts anew: the first is the one unused for longest.
      const oldest = byHash.keys().next().value;
      if (byHash.size >= mostSessions && oldest !== undefined) end(oldest);
      const token = randomBytes(32).toString("base64url");
      byHash.set(hash(token), { user, expiresAt: clock.monotonicNow() + sessionMs });
      return token;
    },
    use(token) {
      if (!token) return null;
      const key = hash(token);
      const session = byHash.get(key);
      if (!session) return null;
      if (!isAlive(session)) {
        end(key);
        return null;
      }
      session.expiresAt = clock.monotonicNow() + sessionMs;
      byHash.delete(key);
      byHash.set(key, session);
      return session;
    },
    close: (token) => (token ? end(hash(token)) : null),
  };
}
