import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import {
  createGeneratedBackend,
  type GeneratedBackend,
  generatedFall,
  operator,
} from "../../test/console/generated-board.ts";
import { EpisodeDetail, EpisodeView } from "./api.ts";
import { permissionsOf } from "./roles.ts";
import { consolePlugin } from "./server.ts";

const running: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of running.splice(0)) await app.close();
});

async function start(clock: Clock = systemClock(), secureCookies = false) {
  const backend = createGeneratedBackend(clock, [generatedFall(clock.wallNow(), 3)]);
  // As the service does: a browser opens spare connections, which would hold up the close for a minute.
  const app = Fastify({ forceCloseConnections: true });
  running.push(app);
  await app.register(consolePlugin, { backend, clock, secureCookies, language: "sv" });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, backend, url };
}

const json = { "content-type": "application/json", "x-fallvakt-console": "1" };

async function login(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ name: operator.name, password: operator.password }),
  });
  expect(answer.status).toBe(200);
  return answer.headers.getSetCookie()[0]!.split(";")[0]!;
}

function act(url: string, cookie: string, body: unknown, headers: Record<string, string> = json): Promise<Response> {
  return fetch(`${url}/api/v1/episodes/generated-274/actions`, {
    method: "POST",
    headers: { ...headers, cookie },
    body: JSON.stringify(body),
  });
}

/** The events of a stream, one by one; a wait longer than `ms` is an error. */
async function listen(url: string, cookie: string) {
  const abort = new AbortController();
  const answer = await fetch(`${url}/api/v1/events`, { headers: { cookie }, signal: abort.signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    answer,
    stop: () => abort.abort(),
    async next(event: string, ms = 5000): Promise<Record<string, unknown>> {
      const late = setTimeout(() => abort.abort(new Error(`no ${event} within ${ms} ms`)), ms);
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end < 0) {
          const { value, done } = await reader.read();
          if (done) throw new Error(`the stream ended before ${event}`);
          text += value;
          continue;
        }
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        if (!block.includes(`event: ${event}\n`)) continue;
        clearTimeout(late);
        return JSON.parse(block.split("data: ")[1]!);
      }
    },
  };
}

describe("login", () => {
  test("the right password opens a session whose cookie no script and no other site gets at", async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/api/v1/session`, {
      method: "POST",
      headers: json,
      body: JSON.stringify({ name: operator.name, password: operator.password }),
    });
    expect(await answer.json()).toEqual({
      user: { name: "Maria", role: "operator", units: null, permissions: permissionsOf(operator) },
      language: "sv",
    });
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^fallvakt=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
  });

  test("over HTTPS the cookie is Secure and bound to the host", async () => {
    const { app } = await start(systemClock(), true);
    const answer = await app.inject({
      method: "POST",
      url: "/api/v1/session",
      headers: { "x-fallvakt-console": "1" },
      payload: { name: operator.name, password: operator.password },
    });
    expect(answer.headers["set-cookie"]).toMatch(/^__Host-fallvakt=.*; Secure; SameSite=Strict$/);
    expect(answer.headers["strict-transport-security"]).toBeDefined();
  });

  test("a wrong password opens nothing and says so as a problem", async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/api/v1/session`, {
      method: "POST",
      headers: json,
      body: JSON.stringify({ name: operator.name, password: "guess" }),
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(await answer.json()).toMatchObject({ code: "wrong-login", status: 401 });
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test("guessing is stopped after ten tries in a minute, for that name only", async () => {
    const { url } = await start();
    const statuses: number[] = [];
    for (let guess = 0; guess < 11; guess++) {
      const answer = await fetch(`${url}/api/v1/session`, {
        method: "POST",
        headers: json,
        body: JSON.stringify({ name: "Sven", password: `guess ${guess}` }),
      });
      statuses.push(answer.status);
      if (answer.status === 429) expect(await answer.json()).toMatchObject({ code: "too-many" });
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429]);
    await login(url);
  });

  test.each([
    ["GET", "/api/v1/episodes"],
    ["GET", "/api/v1/episodes/generated-274"],
    ["GET", "/api/v1/events"],
    ["POST", "/api/v1/episodes/generated-274/actions"],
    ["DELETE", "/api/v1/session"],
  ])("without a session %s %s is refused", async (method, path) => {
    const { url, backend } = await start();
    for (const cookie of ["", "fallvakt=forged"]) {
      const body = method === "POST" ? JSON.stringify({ action: "take" }) : undefined;
      const headers = body ? json : { "x-fallvakt-console": "1" };
      const answer = await fetch(url + path, { method, headers: { ...headers, cookie }, body });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: "no-session" });
    }
    expect(backend.episode("generated-274")?.status).toBe("open");
  });

  test("logging out ends the session and its open streams", async () => {
    const { url } = await start();
    const cookie = await login(url);
    const stream = await listen(url, cookie);
    await stream.next("board");
    const answer = await fetch(`${url}/api/v1/session`, {
      method: "DELETE",
      headers: { "x-fallvakt-console": "1", cookie },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie().map((line) => line.slice(0, 10))).toEqual(["fallvakt=;"]);
    await stream.next("session-ended");
    expect((await fetch(`${url}/api/v1/episodes`, { headers: { cookie } })).status).toBe(401);
  });

  test("a session unused for 12 hours is over; one in use lives on", async () => {
    const real = systemClock();
    let ahead = 0;
    const clock: Clock = { ...real, monotonicNow: () => real.monotonicNow() + ahead };
    const { url } = await start(clock);
    const cookie = await login(url);
    const board = () => fetch(`${url}/api/v1/episodes`, { headers: { cookie } });
    ahead = 11 * 3600_000;
    expect((await board()).status).toBe(200);
    ahead = 22 * 3600_000;
    expect((await board()).status).toBe(200);
    ahead = 35 * 3600_000;
    expect((await board()).status).toBe(401);
  });
});

describe("other sites", () => {
  test("a change without our header, or from another origin, is refused and changes nothing", async () => {
    const { url, backend } = await start();
    const cookie = await login(url);
    const withoutHeader = await act(url, cookie, { action: "take" }, { "content-type": "application/json" });
    expect(withoutHeader.status).toBe(403);
    expect(await withoutHeader.json()).toMatchObject({ code: "other-site" });
    for (const origin of ["https://example.org", "null"]) {
      expect((await act(url, cookie, { action: "take" }, { ...json, origin })).status).toBe(403);
    }
    expect(backend.episode("generated-274")?.status).toBe("open");
    expect((await act(url, cookie, { action: "take" }, { ...json, origin: url })).status).toBe(200);
  });

  test("a form's encoding is refused", async () => {
    const { url } = await start();
    const cookie = await login(url);
    const headers = { ...json, "content-type": "application/x-www-form-urlencoded" };
    expect((await act(url, cookie, { action: "take" }, headers)).status).toBe(415);
  });

  test("scripts run from our own files only, and nobody frames the page", async () => {
    const { url } = await start();
    const policy = (await fetch(`${url}/`)).headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  });
});

describe("the page", () => {
  async function ask(page: string | undefined, path: string) {
    const backend = createGeneratedBackend(systemClock());
    const app = Fastify({ forceCloseConnections: true });
    running.push(app);
    await app.register(consolePlugin, { backend, clock: systemClock(), secureCookies: false, language: "sv", page });
    return app.inject(path);
  }

  test("where it has not been built, a plain page says how, and that alarms go out all the same", async () => {
    const answer = await ask(join(tmpdir(), "nothing-built-here"), "/");
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain("npm run build:console");
    expect((await ask(join(tmpdir(), "nothing-built-here"), "/assets/index.js")).statusCode).toBe(404);
  });

  test("a built page is served anew each time, its hashed files for ever", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fallvakt-page-"));
    try {
      await mkdir(join(folder, "assets"));
      await writeFile(join(folder, "index.html"), "<!doctype html><title>built</title>");
      await writeFile(join(folder, "assets/index-1a2b.js"), "0;");
      await writeFile(join(folder, "secret"), "not for reading");
      const page = await ask(folder, "/");
      expect([page.statusCode, page.headers["cache-control"]]).toEqual([200, "no-cache"]);
      const script = await ask(folder, "/assets/index-1a2b.js");
      expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
      expect((await ask(folder, "/assets/../secret")).statusCode).toBe(404);
      expect((await ask(folder, "/assets/..%2fsecret")).statusCode).not.toBe(200);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("episodes", () => {
  test("board and detail are what the contract says", async () => {
    const { url } = await start();
    const cookie = await login(url);
    const board = await (await fetch(`${url}/api/v1/episodes`, { headers: { cookie } })).json();
    expect(board.episodes.map((view: unknown) => EpisodeView.strict().parse(view).code)).toEqual(["274"]);
    const detail = await (await fetch(`${url}/api/v1/episodes/generated-274`, { headers: { cookie } })).json();
    expect(EpisodeDetail.strict().parse(detail).evidence?.peakG).toBe(4.5);
    expect((await fetch(`${url}/api/v1/episodes/none`, { headers: { cookie } })).status).toBe(404);
    const nowhere = await fetch(`${url}/api/v1/nowhere`, { headers: { cookie } });
    expect([nowhere.status, (await nowhere.json()).code]).toEqual([404, "not-found"]);
  });

  test("take, there and close go through; what can't be is told as a problem", async () => {
    const { url } = await start();
    const cookie = await login(url);
    const codeOf = async (answer: Response) => [answer.status, (await answer.json()).code];
    expect(await codeOf(await act(url, cookie, { action: "arrived" }))).toEqual([409, "not-taken"]);
    expect(await codeOf(await act(url, cookie, { action: "close", outcome: "no-fall" }))).toEqual([
      422,
      "reason-needed",
    ]);
    expect(await (await act(url, cookie, { action: "take" })).json()).toMatchObject({
      status: "taken",
      takenBy: "Maria",
    });
    expect(await codeOf(await act(url, cookie, { action: "take" }))).toEqual([409, "already-taken"]);
    expect((await act(url, cookie, { action: "arrived" })).status).toBe(200);
    const closed = await act(url, cookie, { action: "close", outcome: "unhurt" });
    expect(EpisodeView.strict().parse(await closed.json())).toMatchObject({ status: "closed", outcome: "unhurt" });
    expect(await codeOf(await act(url, cookie, { action: "take" }))).toEqual([409, "already-closed"]);
  });

  test.each<[unknown]>([
    [{ action: "delete" }],
    [{ action: "close" }],
    [{ action: "close", outcome: "dead" }],
    [{ action: "close", outcome: "test", reason: "x".repeat(301) }],
    [["take"]],
    [null],
  ])("$0 is not an action", async (body) => {
    const { url, backend } = await start();
    const answer = await act(url, await login(url), body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "invalid" });
    expect(backend.episode("generated-274")?.status).toBe("open");
  });
});

describe("events", () => {
  async function listening(backend: GeneratedBackend, url: string) {
    const cookie = await login(url);
    const stream = await listen(url, cookie);
    expect(stream.answer.headers.get("content-type")).toContain("text/event-stream");
    expect(await stream.next("board")).toMatchObject({ troubles: [], episodes: [{ code: "274" }] });
    expect(backend.listeners()).toBe(1);
    return { cookie, stream };
  }

  test("a change reaches a listening page within a second, without the detail's parts", async () => {
    const { url, backend } = await start();
    const { cookie, stream } = await listening(backend, url);
    const before = performance.now();
    await act(url, cookie, { action: "take" });
    const message = await stream.next("episode");
    expect(performance.now() - before).toBeLessThan(1000);
    expect(EpisodeView.strict().parse(message.episode)).toMatchObject({ status: "taken", takenBy: "Maria" });
    stream.stop();
  });

  test("a heartbeat comes every 2 s with the time and the troubles", async () => {
    const { url, backend } = await start();
    const { stream } = await listening(backend, url);
    backend.setTroubles(["no-sms"]);
    for (let beat = 0; beat < 2; beat++) {
      const message = await stream.next("heartbeat", 2600);
      expect(Math.abs((message.now as number) - systemClock().wallNow())).toBeLessThan(1000);
      expect(message.troubles).toEqual(["no-sms"]);
    }
    stream.stop();
  });

  test("a page that comes back gets the whole board, with what it missed", async () => {
    const { url, backend } = await start();
    const { cookie, stream } = await listening(backend, url);
    stream.stop();
    backend.put(generatedFall(systemClock().wallNow(), 0.1, { code: "539" }));
    const again = await listen(url, cookie);
    expect(await again.next("board")).toMatchObject({ episodes: [{ code: "274" }, { code: "539" }] });
    again.stop();
  });

  test("a backend that can't be read cuts the stream rather than show calm", async () => {
    const { url, backend } = await start();
    const { stream } = await listening(backend, url);
    backend.troubles = () => {
      throw new Error("the store is gone");
    };
    await expect(stream.next("heartbeat")).rejects.toThrow();
  });

  test("the server stops while pages listen", async () => {
    const { app, url, backend } = await start();
    const { stream } = await listening(backend, url);
    await app.close();
    await expect(stream.next("heartbeat")).rejects.toThrow();
    expect(backend.listeners()).toBe(0);
  });
});
