import { useEffect, useState } from "preact/hooks";

/** Where the page is, from the address's hash: `#/residents/38` → page `residents`, rest `["38"]`; `#/` is the board. */
export interface Route {
  page: string;
  rest: readonly string[];
}

/** `#/code/NAME/CODE`, as a manager's QR code has it: there a person chooses their password. */
export const codePage = "code";

export function readRoute(hash: string): Route {
  const [page = "", ...rest] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  return { page: page || "board", rest };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a page: `hrefOf("residents", key)`. */
export function hrefOf(page: string, ...rest: readonly string[]): string {
  return `#/${[page === "board" ? "" : page, ...rest].map(encodeURIComponent).join("/")}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => readRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(readRoute(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
