import { useEffect, useState } from "preact/hooks";

/** What a screen shows, and a few more. */
const firstDrawn = () => (innerWidth < 960 ? 4 : 12);
const drawnAtATime = 24;

/** How many of `total` are to be drawn: the first at once, the others little by little, with time for a press in between. */
export function useLittleByLittle(total: number): number {
  const [drawn, setDrawn] = useState(firstDrawn);
  useEffect(() => {
    if (drawn >= total) return undefined;
    const more = setTimeout(() => setDrawn(drawn + drawnAtATime), 0);
    return () => clearTimeout(more);
  }, [drawn, total]);
  return Math.min(drawn, total);
}
