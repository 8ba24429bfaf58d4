import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { IntakeItem } from "../../firmware-contracts/intake.ts";
import { Away } from "./away.ts";
import { createHttpIntake } from "./http-intake.ts";
import { RefusedItem } from "./refused-item.ts";

const token = "a-token-of-some-length";
const item: IntakeItem = {
  type: "device-event",
  event: { v: 1, id: "e-1", deviceId: "watch-1", at: 1, event: "online" },
};
let server: Server;
let url: string;
let answer: { status: number; body?: string } | null = { status: 204 };
let asked: { method?: string; path?: string; authorization?: string; body: string }[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ method: request.method, path: request.url, authorization: request.headers.authorization, body });
    if (answer) response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const intake = (timeoutSeconds = 10) =>
  createHttpIntake({ url: `${url}/`, token, clock: systemClock(), timeoutSeconds });

test("an item is posted with the token, and taken at 2xx", async () => {
  asked = [];
  answer = { status: 204 };
  await intake().submit(item);
  expect(asked).toEqual([
    { method: "POST", path: "/intake/v1/items", authorization: `Bearer ${token}`, body: JSON.stringify(item) },
  ]);
});

test("any other answer, none in time, and nobody there are rejections that say what to mend", async () => {
  answer = { status: 503 };
  await expect(intake().submit(item)).rejects.toThrow("answered 503");
  answer = { status: 401 };
  await expect(intake().submit(item)).rejects.toThrow("gateway.intake.token must be alerting.intake.token");
  answer = { status: 422 };
  await expect(intake().submit(item)).rejects.toBeInstanceOf(RefusedItem);
  answer = null;
  await expect(intake(0.3).submit(item)).rejects.toThrow("no answer within 0.3 s");
  const nobody = createHttpIntake({ url: "http://127.0.0.1:1", token, clock: systemClock(), timeoutSeconds: 1 });
  await expect(nobody.submit(item)).rejects.toThrow("Alerting at http://127.0.0.1:1/intake/v1/items");
});

test("an alerting that is away is told from one that has something against the item", async () => {
  const nobody = createHttpIntake({ url: "http://127.0.0.1:1", token, clock: systemClock(), timeoutSeconds: 1 });
  await expect(nobody.submit(item)).rejects.toBeInstanceOf(Away);
  for (const status of [401, 403, 404, 502, 504]) {
    answer = { status };
    await expect(intake().submit(item)).rejects.toBeInstanceOf(Away);
  }
  answer = { status: 503 };
  await expect(intake().submit(item)).rejects.not.toBeInstanceOf(Away);
  // It was reached, and did not answer in time.
  answer = null;
  await expect(intake(2).submit(item)).rejects.not.toBeInstanceOf(Away);
});

test("a kept connection that alerting has closed meanwhile costs no try", async () => {
  answer = { status: 204 };
  const kept = intake();
  await kept.submit(item);
  asked = [];
  const arrivals: number[] = [];
  server.once("connection", () => arrivals.push(1));
  // Closed so that the gateway's end has not seen it yet when it writes.
  server.closeAllConnections();
  await kept.submit(item);
  expect(arrivals).toEqual([1]);
  expect(asked).toHaveLength(1);
});

test("a kept connection on which no answer comes in time is given up once, and its request not sent again", async () => {
  answer = { status: 204 };
  const kept = intake(2);
  await kept.submit(item);
  asked = [];
  answer = null;
  await expect(kept.submit(item)).rejects.toThrow("no answer within 2 s");
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(asked).toHaveLength(1);
});

test("an answer without end is not read to its end", async () => {
  const endless = createServer((_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(2 ** 20)));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  const { port } = endless.address() as AddressInfo;
  const reader = createHttpIntake({ url: `http://127.0.0.1:${port}`, token, clock: systemClock(), timeoutSeconds: 30 });
  await expect(reader.submit(item)).rejects.toThrow(/an answer of more than \d+ bytes/);
  endless.closeAllConnections();
  endless.close();
});

const heartbeat = { gatewayId: "gateway-1", everyMs: 3000 };

test("the registry is fetched where it is newer, and one that cannot be read is refused", async () => {
  const control = { v: 1, version: 8, devices: [] };
  answer = { status: 200, body: JSON.stringify(control) };
  expect(await intake().control(7, heartbeat)).toEqual(control);
  expect(asked.at(-1)?.path).toBe("/intake/v1/control?have=7&gateway=gateway-1&everyMs=3000");
  await intake().control(7, { ...heartbeat, version: "0.1.0", at: 1_768_443_150_250 });
  expect(asked.at(-1)?.path).toMatch(/&everyMs=3000&version=0\.1\.0&at=1768443150250$/);
  answer = { status: 204 };
  expect(await intake().control(8, heartbeat)).toBeNull();
  answer = { status: 200, body: '{"v":2}' };
  await expect(intake().control(8, heartbeat)).rejects.toThrow("are both of one version?");
});
