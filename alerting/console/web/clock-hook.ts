import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";

/** How far the server's clock is ahead of this machine's, ms. */
export const ServerClockContext = createContext(0);

// One timer for the whole page: a board of 200 alarms counts down at once.
const tickMs = 500;
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | null = null;

function onTick(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    for (const one of [...listeners]) one();
  }, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || ticking === null) return;
    clearInterval(ticking);
    ticking = null;
  };
}

/** What `read` makes of the server's time. It is asked twice a second, and the component drawn again only where its answer is another. */
export function useAtServerTime<T extends string | number | boolean | null>(read: (now: number) => T): T {
  const ahead = useContext(ServerClockContext);
  const [, redraw] = useState(0);
  const value = read(Date.now() + ahead);
  const latest = useRef({ read, ahead, value });
  latest.current = { read, ahead, value };
  useEffect(
    () =>
      onTick(() => {
        const shown = latest.current;
        if (shown.read(Date.now() + shown.ahead) !== shown.value) redraw((n) => n + 1);
      }),
    [],
  );
  return value;
}

const hourMs = 3_600_000;

/** The hour that it is by the server: enough to know whether a time is of today. */
export function useServerHour(): number {
  return useAtServerTime((now) => Math.floor(now / hourMs) * hourMs);
}

/** The server's time, to `everyMs`: the component is drawn again that often. */
export function useServerNow(everyMs = 1000): number {
  return useAtServerTime((now) => Math.floor(now / everyMs) * everyMs);
}
