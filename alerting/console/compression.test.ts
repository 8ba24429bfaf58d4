import { gunzipSync } from "node:zlib";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { createGeneratedBackend, generatedFall, operator } from "../../test/console/generated-board.ts";
import { consolePlugin } from "./server.ts";

const clock = systemClock();
let app: FastifyInstance;
afterEach(() => app.close());

/** A board of so many open falls, by the plugin alone, and the cookie of whoever looks at it. */
async function start(falls: number) {
  const episodes = Array.from({ length: falls }, (_, index) => generatedFall(clock.wallNow(), 3, { code: `${index}` }));
  app = Fastify({ forceCloseConnections: true });
  await app.register(consolePlugin, {
    backend: createGeneratedBackend(clock, episodes),
    clock,
    secureCookies: false,
    language: "sv",
  });
  const answer = await app.inject({
    method: "POST",
    url: "/api/v1/session",
    headers: { "x-fallvakt-console": "1" },
    payload: { name: operator.name, password: operator.password },
  });
  return { cookie: String(answer.headers["set-cookie"]).split(";")[0]! };
}

describe("the API's answers", () => {
  test("are a tenth where the browser takes it, and the same", async () => {
    const { cookie } = await start(200);
    const ask = (headers: Record<string, string>) =>
      app.inject({ method: "GET", url: "/api/v1/episodes", headers: { cookie, ...headers } });
    const plain = await ask({});
    const small = await ask({ "accept-encoding": "gzip, br" });
    expect([plain.headers["content-encoding"], small.headers["content-encoding"]]).toEqual([undefined, "gzip"]);
    expect([plain.headers.vary, small.headers.vary]).toEqual(["accept-encoding", "accept-encoding"]);
    expect(small.rawPayload.length).toBeLessThan(plain.rawPayload.length / 10);
    expect(Number(small.headers["content-length"] ?? small.rawPayload.length)).toBe(small.rawPayload.length);
    const withoutTime = (text: string) => ({ ...JSON.parse(text), now: 0 });
    expect(withoutTime(gunzipSync(small.rawPayload).toString())).toEqual(withoutTime(plain.payload));
  });

  test("stay as they are where they are short", async () => {
    const { cookie } = await start(0);
    const answer = await app.inject({
      method: "GET",
      url: "/api/v1/session",
      headers: { cookie, "accept-encoding": "gzip" },
    });
    expect(answer.headers["content-encoding"]).toBeUndefined();
    expect(answer.json().user.name).toBe(operator.name);
  });

  test("a stream of events comes compressed, each event at once; where its reader goes, it ends", async () => {
    const { cookie } = await start(50);
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    const abort = new AbortController();
    const answer = await fetch(`${url}/api/v1/events`, { headers: { cookie }, signal: abort.signal });
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (event: string) => {
      while (!text.includes(`event: ${event}\n`)) text += (await reader.read()).value ?? "";
    };
    const before = performance.now();
    await until("board");
    // Nothing waits for a full buffer.
    expect(performance.now() - before).toBeLessThan(1000);
    await until("heartbeat");
    abort.abort();
    await expect(reader.read()).rejects.toThrow();
    // Nothing of it holds the server up.
    await app.close();
  });
});
