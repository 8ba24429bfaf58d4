import { PassThrough } from "node:stream";
import type { FastifyBaseLogger } from "fastify";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { type BoardMessage, type ConsoleBackend, viewOf } from "./api.ts";
import { type Account, maySeeEpisode } from "./roles.ts";
import type { Session } from "./sessions.ts";

/** Two beats fit in the 5 s after which a page must have said that it hears nothing. */
export const heartbeatMs = 2000;
// A page that reads nothing while this much waits is cut off; it comes back and gets the whole board.
const mostUnreadBytes = 4 * 1024 * 1024;

/** The pages that listen. Each gets the whole board first, then every change, and a heartbeat in between. */
export interface EventStreams {
  open(session: Session): PassThrough;
  /** Ends the streams of a session that has been logged out. */
  endOf(session: Session): void;
  close(): void;
}

/** What is this account's to see of it. */
export function boardMessage(backend: ConsoleBackend, clock: Clock, account: Account): BoardMessage {
  const episodes = backend.board().filter((view) => maySeeEpisode(account, view));
  return { now: clock.wallNow(), troubles: backend.troubles(), episodes };
}

export function createEventStreams(
  backend: ConsoleBackend,
  clock: Clock,
  isAlive: (session: Session) => boolean,
  log: FastifyBaseLogger,
  hasEnded: (session: Session) => boolean,
): EventStreams {
  const sessions = new Map<PassThrough, Session>();
  const changed = new Set<string>();
  let stopBeat: (() => void) | null = null;

  function send(stream: PassThrough, event: string, data: unknown): void {
    if (stream.writableLength > mostUnreadBytes) stream.destroy();
    else if (stream.writable) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  function end(stream: PassThrough): void {
    const session = sessions.get(stream);
    send(stream, "session-ended", { why: session && hasEnded(session) ? "ended" : "unused" });
    stream.end();
    sessions.delete(stream);
  }

  /** What the backend can't tell must not look like calm: the streams break, and the pages say that they have no contact. */
  function orBreak(run: () => void): void {
    try {
      run();
    } catch (err) {
      log.error({ err }, "the console could not read the episodes; its streams are cut");
      for (const stream of sessions.keys()) stream.destroy();
    }
  }

  function flush(): void {
    const ids = [...changed];
    changed.clear();
    if (sessions.size === 0) return;
    orBreak(() => {
      for (const id of ids) {
        const detail = backend.episode(id);
        if (!detail) continue;
        const message = { now: clock.wallNow(), episode: viewOf(detail) };
        for (const [stream, { user }] of sessions) {
          if (maySeeEpisode(user, message.episode)) send(stream, "episode", message);
        }
      }
    });
  }

  function beat(): void {
    stopBeat = sessions.size > 0 ? clock.after(heartbeatMs, beat) : null;
    orBreak(() => {
      const message = { now: clock.wallNow(), troubles: backend.troubles() };
      for (const [stream, session] of sessions) {
        if (isAlive(session)) send(stream, "heartbeat", message);
        else end(stream);
      }
    });
  }

  // Several changes of one act (taken, pages called off, deadline moved) become one message.
  const stopListening = backend.onChange((id) => {
    if (changed.size === 0) setImmediate(flush);
    changed.add(id);
  });

  return {
    open(session) {
      const stream = new PassThrough();
      stream.on("close", () => sessions.delete(stream));
      // A reader that goes away is no error of ours.
      stream.on("error", () => sessions.delete(stream));
      const board = boardMessage(backend, clock, session.user);
      stream.write("retry: 1000\n");
      sessions.set(stream, session);
      send(stream, "board", board);
      stopBeat ??= clock.after(heartbeatMs, beat);
      return stream;
    },
    endOf(session) {
      for (const [stream, owner] of sessions) if (owner === session) end(stream);
    },
    close() {
      stopListening();
      stopBeat?.();
      for (const stream of sessions.keys()) stream.end();
      sessions.clear();
    },
  };
}
