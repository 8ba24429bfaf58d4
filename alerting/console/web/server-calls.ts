import type { BoardMessage, ConsoleAction, EpisodeDetail, EpisodeView, SessionMessage } from "../api.ts";

/** What the server refused, by its problem's code, or `no-contact` where it didn't answer. `detail` is in English, for engineers. */
export class CallFailed extends Error {
  readonly code: string;
  readonly detail: string;
  constructor(code: string, detail: string) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

/** What was thrown, as a call that failed: whatever else it is, the server could not do it. */
export const asCallFailed = (error: unknown) => (error instanceof CallFailed ? error : new CallFailed("server", ""));

// Someone who has pressed a button on a bad network must hear soon that it didn't go.
const longestWaitMs = 8000;

const noSession = "fallvakt-no-session";

/** Calls `listener` each time the server refuses a call because nobody is logged in. Returns how to stop. */
export function onNoSession(listener: () => void): () => void {
  addEventListener(noSession, listener);
  return () => removeEventListener(noSession, listener);
}

/** Asks the server for `path` under /api/v1. @throws {CallFailed} where it refuses, or is not there. */
export async function call<T>(
  path: string,
  method: "GET" | "POST" | "PUT" | "DELETE" = "GET",
  body?: unknown,
  /** Nobody has asked: it doesn't count as use of the session. */
  byItself = false,
): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["x-fallvakt-console"] = "1";
  else if (byItself) headers["x-fallvakt-console"] = "poll";
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(longestWaitMs),
    });
    if (answer.ok) return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
  } catch {
    throw new CallFailed("no-contact", "");
  }
  // At the login a wrong password has a code of its own.
  if (answer.status === 401 && !path.startsWith("/session")) dispatchEvent(new Event(noSession));
  const problem: { code?: string; detail?: string } = await answer.json().catch(() => ({}));
  throw new CallFailed(problem.code ?? "server", problem.detail ?? "");
}

export const getSession = () => call<SessionMessage>("/session");
export const logIn = (name: string, password: string) => call<SessionMessage>("/session", "POST", { name, password });
export const choosePassword = (name: string, code: string, password: string) =>
  call<SessionMessage>("/session/password", "POST", { name, code, password });
export const logOut = () => call<void>("/session", "DELETE");
export const getBoard = () => call<BoardMessage>("/episodes");
export const getEpisode = (id: string) => call<EpisodeDetail>(`/episodes/${encodeURIComponent(id)}`);
export const act = (id: string, action: ConsoleAction) =>
  call<EpisodeView>(`/episodes/${encodeURIComponent(id)}/actions`, "POST", action);
