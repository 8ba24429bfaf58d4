import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../firmware-contracts/clock.ts";
import { createWebServer, type WebServer } from "./web-server.ts";

let server: WebServer | null = null;
afterEach(() => server?.close());

/** Who asks, as the server sees it, where a request says for whom it came. */
async function seenAs(forwardedFor: string, trustedProxies?: string[]): Promise<unknown> {
  await server?.close();
  const log = pino({ level: "silent" });
  server = createWebServer({ section: "alerting.http.tls", trustedProxies, clock: systemClock(), log });
  server.app.get("/who", async ({ ip, host }) => ({ ip, host }));
  const url = await server.app.listen({ port: 0, host: "127.0.0.1" });
  const headers = { "x-forwarded-for": forwardedFor, "x-forwarded-host": "larm.example.se" };
  return (await fetch(`${url}/who`, { headers })).json();
}

test("what a caller says of itself counts for nothing, until it is a proxy that is trusted", async () => {
  expect(await seenAs("203.0.113.9")).toMatchObject({ ip: "127.0.0.1", host: expect.stringContaining("127.0.0.1") });
  expect(await seenAs("203.0.113.9", ["10.0.3.7"])).toMatchObject({ ip: "127.0.0.1" });
  expect(await seenAs("203.0.113.9", ["127.0.0.0/8"])).toEqual({ ip: "203.0.113.9", host: "larm.example.se" });
});

test("behind a trusted proxy an address that the caller made up before it came there is not believed", async () => {
  expect(await seenAs("198.51.100.1, 203.0.113.9", ["127.0.0.1"])).toMatchObject({ ip: "203.0.113.9" });
  expect(await seenAs("198.51.100.1, 10.0.3.7", ["127.0.0.1", "10.0.3.7"])).toMatchObject({ ip: "198.51.100.1" });
});
