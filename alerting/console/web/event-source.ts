import type { BoardInput } from "./board-state.ts";
import { getSession } from "./server-calls.ts";

/** Why a session is over, as the stream tells it. */
export type EndedWhy = "ended" | "unused";

// The server's heartbeat comes every 2 s: one that is this late, and a second look, stay well below the 5 s that staff are promised.
const silenceMs = 3500;
const lookMs = 250;
const pauseMs = 1000;

/**
 * Listens to the server for as long as the page is open: passes on what it says, says "lost" as soon as it is silent for 3.5 s or the stream breaks,
 * and tries again every second or so. `onEnded` when the session is over. Returns how to stop.
 */
export function listenToServer(onInput: (input: BoardInput) => void, onEnded: (why?: EndedWhy) => void): () => void {
  let source: EventSource | null = null;
  let heardAt = performance.now();
  let nextTryAt = 0;
  let lost = false;

  function drop(): void {
    source?.close();
    source = null;
  }

  function lose(): void {
    drop();
    nextTryAt = performance.now() + pauseMs;
    if (!lost) onInput({ kind: "lost" });
    lost = true;
  }

  function open(): void {
    const opened = new EventSource("/api/v1/events");
    source = opened;
    heardAt = performance.now();
    for (const kind of ["board", "episode", "heartbeat"] as const) {
      opened.addEventListener(kind, (event) => {
        heardAt = performance.now();
        lost = false;
        onInput({ kind, message: JSON.parse(event.data) } as BoardInput);
      });
    }
    opened.addEventListener("session-ended", (event) => {
      drop();
      onEnded((JSON.parse(event.data) as { why?: EndedWhy }).why);
    });
    opened.onerror = () => {
      if (source !== opened) return;
      // A refusal closes the source for good, without saying why: the session may be over, as after a restart of the server.
      const refused = opened.readyState === EventSource.CLOSED;
      lose();
      if (refused)
        getSession().then(
          ({ user }) => user === null && onEnded(),
          () => undefined,
        );
    };
  }

  function look(): void {
    const now = performance.now();
    if (source && now - heardAt > silenceMs) lose();
    else if (!source && now >= nextTryAt) open();
  }

  open();
  const looking = setInterval(look, lookMs);
  const tryNow = () => {
    nextTryAt = 0;
    look();
  };
  // A phone's timers stand still in a pocket, and it learns of the network itself.
  document.addEventListener("visibilitychange", tryNow);
  addEventListener("online", tryNow);
  addEventListener("offline", lose);
  return () => {
    drop();
    clearInterval(looking);
    document.removeEventListener("visibilitychange", tryNow);
    removeEventListener("online", tryNow);
    removeEventListener("offline", lose);
  };
}
