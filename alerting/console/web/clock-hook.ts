import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";

/** How far the server's clock is ahead of this machine's, ms. */
export const ServerClockContext = createContext(0);

/** One timer for whatever shows time: two hundred of them would keep a phone busy. */
const ticking = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function onTick(run: () => void): () => void {
  ticking.add(run);
  timer ??= setInterval(() => {
    for (const one of [...ticking]) one();
  }, 500);
  return () => {
    ticking.delete(run);
    if (ticking.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The server's time now, anew twice a second, or as often as `everyMs` says. */
export function useServerNow(everyMs = 500): number {
  const ahead = useContext(ServerClockContext);
  const [, redraw] = useState(0);
  useEffect(() => onTick(() => redraw(Math.floor(Date.now() / everyMs))), [everyMs]);
  return Date.now() + ahead;
}

/** A text that depends on the server's time. It is drawn anew only when it has changed. */
export function useTimedText(text: (now: number) => string): string {
  const ahead = useContext(ServerClockContext);
  const [, redraw] = useState(0);
  const shown = text(Date.now() + ahead);
  const latest = useRef({ text, ahead, shown });
  latest.current = { text, ahead, shown };
  useEffect(
    () =>
      onTick(() => {
        const { current } = latest;
        if (current.text(Date.now() + current.ahead) !== current.shown) redraw((times) => times + 1);
      }),
    [],
  );
  return shown;
}
