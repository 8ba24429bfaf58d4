import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

/** How far the server's clock is ahead of this machine's, ms. */
export const ServerClockContext = createContext(0);

/** The server's time now, anew twice a second. */
export function useServerNow(): number {
  const ahead = useContext(ServerClockContext);
  const [, tick] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => tick(Date.now()), 500);
    return () => clearInterval(ticking);
  }, []);
  return Date.now() + ahead;
}
