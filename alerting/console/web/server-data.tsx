import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useWords, type Words } from "./language.ts";
import { asCallFailed, type CallFailed, call } from "./server-calls.ts";

export interface ServerData<T> {
  /** Null until it has come; then the latest, also where a later try failed. */
  data: T | null;
  failure: CallFailed | null;
  /** Fetches it anew; resolves when it is there or has failed. */
  reload(): Promise<void>;
}

/**
 * What the server answers to GET `path` under /api/v1, fetched again every `everyMs` while the page is in sight. A new path starts anew.
 * Null for `path`: nothing is fetched.
 */
export function useServerData<T>(path: string | null, everyMs = 30_000): ServerData<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; failure: CallFailed | null }>({
    path,
    data: null,
    failure: null,
  });
  const current = useRef(path);
  current.current = path;

  async function fetchNow(byItself: boolean): Promise<void> {
    if (path === null) return;
    try {
      const data = await call<T>(path, "GET", undefined, byItself);
      if (current.current === path) setState({ path, data, failure: null });
    } catch (error) {
      const failure = asCallFailed(error);
      if (current.current === path) {
        setState((before) => ({ path, data: before.path === path ? before.data : null, failure }));
      }
    }
  }

  const reload = () => fetchNow(false);

  useEffect(() => {
    void reload();
    const again = (byItself: boolean) => document.visibilityState === "visible" && void fetchNow(byItself);
    const timer = setInterval(() => again(true), everyMs);
    const seen = () => again(false);
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [path]);

  return state.path === path ? { ...state, reload } : { data: null, failure: null, reload };
}

/** What went wrong, in words. */
export function problemText(words: Words, { code, detail }: CallFailed): string {
  return words.sayKnown("problem", code, words.say("problem.server"), { detail });
}

/** Shows `children` with the data once it has come; until then that it is being fetched, and where it cannot be, why. */
export function Loaded<T>({ of, children }: { of: ServerData<T>; children: (data: T) => ComponentChildren }) {
  const words = useWords();
  const { data, failure, reload } = of;
  return (
    <>
      {failure && (
        <p role="alert" class="failure">
          {words.say("frame.failed", { why: problemText(words, failure) })}{" "}
          <button type="button" onClick={() => void reload()}>
            {words.say("frame.again")}
          </button>
        </p>
      )}
      {data === null ? !failure && <p class="waiting">{words.say("frame.loading")}</p> : children(data)}
    </>
  );
}
