import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import { IntakeItem } from "../../firmware-contracts/intake.ts";
import { type Credential, issueForServer, makeAuthority } from "../../front-door/certificates.ts";
import { type Counters, createCounters } from "../counters.ts";
import { createHttpIntake } from "./http-intake.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createOutboxStore, type OutboxStore } from "./store.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-days-"));
const token = "a-token-of-some-length";
const day = 86_400_000;
const retrySeconds = 300;
const maxEvents = 4000;
const detections = 40;
const events = 30_000;

/** A clock that goes on only when it is told, and lets the network answer after each timer. */
function steppedClock(answers: () => Promise<void>) {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const clock: Clock & { advance(ms: number): Promise<void> } = {
    wallNow: () => 1_700_000_000_000 + now,
    monotonicNow: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    async advance(ms) {
      const until = now + ms;
      for (;;) {
        await answers();
        const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        now = Math.max(now, due.at);
        timers = timers.filter((one) => one !== due);
        due.run();
      }
      now = until;
    },
  };
  return clock;
}

let authority: Credential;
let good: Credential;
let foreign: Credential;
beforeAll(async () => {
  const at = new Date();
  authority = await makeAuthority("Fallvakt", at);
  good = await issueForServer(authority, ["localhost", "127.0.0.1"], at);
  foreign = await issueForServer(await makeAuthority("Somebody else", at), ["localhost", "127.0.0.1"], at);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What stands at alerting's address; everything real but alerting itself. */
class Alerting {
  readonly taken: IntakeItem[] = [];
  #server: Server | HttpsServer | null = null;
  readonly #sockets = new Set<Socket>();
  port = 0;

  /** Nobody listens. */
  async leave(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Connections are taken and nothing is said, as behind a firewall. */
  silent(): Promise<void> {
    return this.#listen(createServer(() => {}));
  }

  /** HTTPS with this certificate. */
  serve({ certificate, key }: Credential): Promise<void> {
    return this.#listen(
      createHttpsServer({ cert: certificate, key }, async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
        this.taken.push(IntakeItem.parse(JSON.parse(body)));
        response.writeHead(204).end();
      }),
    );
  }

  async #listen(server: Server | HttpsServer): Promise<void> {
    await this.leave();
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    this.port = (server.address() as AddressInfo).port;
  }
}

const detection = (n: number, at: number): Detection => ({
  v: 1,
  id: `watch-1.1.${n}.help`,
  deviceId: "watch-1",
  kind: "help",
  strength: "strong",
  reason: "help-button",
  impactAt: at,
  detectedAt: at,
  arrivedAt: at,
  late: false,
  clockSuspect: false,
  evidence: null,
  model: null,
  test: false,
});

test("alerting is away for three days: all Detections arrive in order, once each, before the events' backlog", {
  timeout: 120_000,
}, async () => {
  const alerting = new Alerting();
  await alerting.serve(good);
  let inFlight = 0;
  let storing = 0;
  let isSilent = false;
  const tries: Record<IntakeItem["type"], number> = {
    detection: 0,
    "device-event": 0,
    "gateway-event": 0,
    "welfare-event": 0,
    "fall-update": 0,
    "supervision-event": 0,
    "self-test-event": 0,
  };
  const clock = steppedClock(async () => {
    // A silent one never answers: a few turns are enough for the connection.
    const end = performance.now() + 20_000;
    for (let quiet = 0, turns = 0; quiet < 3; turns++) {
      if (performance.now() > end) throw new Error("a try got no answer within 20 s");
      await new Promise((resolve) => setImmediate(resolve));
      const isQuiet = storing === 0 && (inFlight === 0 || (isSilent && turns > 10));
      quiet = isQuiet ? quiet + 1 : 0;
    }
  });
  const credential = { current: { ca: authority.certificate }, onChange() {}, certificates: () => [], stop() {} };
  const url = `https://127.0.0.1:${alerting.port}`;
  const http = createHttpIntake({ url, token, credential, clock, timeoutSeconds: 10 });
  const intake = {
    ...http,
    async submit(item: IntakeItem) {
      tries[item.type]++;
      inFlight++;
      await http.submit(item).finally(() => inFlight--);
    },
  };

  let store: OutboxStore;
  let outbox: Outbox;
  const runs: Counters[] = [];
  const counted = (name: string) => runs.reduce((sum, counters) => sum + (counters.read()[name] ?? 0), 0);
  /** The store, with its calls counted while they are under way: its thread too has its answers before time goes on. */
  function counting(of: OutboxStore): OutboxStore {
    const call = async (method: (...args: never[]) => Promise<unknown>, args: never[]) => {
      storing++;
      return method(...args).finally(() => storing--);
    };
    const methods = Object.entries(of) as [string, (...args: never[]) => Promise<unknown>][];
    return Object.fromEntries(
      methods.map(([name, method]) => [name, (...args: never[]) => call(method, args)]),
    ) as unknown as OutboxStore;
  }
  async function start(): Promise<void> {
    const counters = createCounters();
    runs.push(counters);
    store = counting(createOutboxStore(join(folder, "gateway")));
    await store.open(clock.wallNow());
    const log = pino({ level: "silent" });
    outbox = createOutbox({ store, intake, clock, counters, log, retrySeconds, submitSeconds: 10, maxEvents });
    outbox.start();
  }
  async function stop(): Promise<void> {
    await outbox.stop();
    await store.close();
  }

  await start();
  await alerting.leave();
  const steps = 120;
  const each = (3 * day) / steps;
  const put: string[] = [];
  for (let step = 0; step < steps; step++) {
    // A day of nobody there, one of silence, one of somebody else's certificate; the gateway is restarted in the midst of each.
    if (step === steps / 3) {
      isSilent = true;
      await alerting.silent();
    }
    if (step === (steps * 2) / 3) {
      isSilent = false;
      await alerting.serve(foreign);
    }
    if (step % (steps / 3) === steps / 6) {
      await stop();
      await start();
    }
    for (let n = 0; n < events / steps; n++) {
      const id = `event-${(step * events) / steps + n}`;
      outbox!.event({ v: 1, id, deviceId: "watch-1", at: clock.wallNow(), event: "heartbeat" });
    }
    if (step % (steps / detections) === 0) {
      const one = detection(put.length, clock.wallNow());
      put.push(one.id);
      await outbox!.put(one);
    }
    await clock.advance(each);
  }
  expect(alerting.taken).toEqual([]);
  expect(put).toHaveLength(detections);

  // One try for each wait of the backoff, and what a restart or a new Detection adds.
  const bound = (3 * day) / (retrySeconds * 1000) + detections + 4 * 12;
  expect(tries.detection).toBeGreaterThan(bound / 2);
  expect(tries.detection).toBeLessThanOrEqual(bound);
  expect(tries["device-event"]).toBeLessThanOrEqual(bound);

  await alerting.serve(good);
  for (let minutes = 0; minutes < 20 && !(await outbox!.isEmpty()); minutes++) await clock.advance(60_000);
  expect(await outbox!.isEmpty()).toBe(true);
  await stop();
  http.close();
  await alerting.leave();

  const arrived = alerting.taken.flatMap((item) => (item.type === "detection" ? [item.detection.id] : []));
  expect(arrived).toEqual(put);
  const lastDetection = alerting.taken.findLastIndex((item) => item.type === "detection");
  expect(lastDetection).toBeLessThan(detections + 2 * detections);

  const told = alerting.taken.flatMap((item) => (item.type === "device-event" ? [item.event.id] : []));
  expect(told).toEqual(Array.from({ length: maxEvents }, (_, n) => `event-${events - maxEvents + n}`));
  expect(counted("outbox.events.dropped")).toBe(events - maxEvents);
  expect(counted("outbox.events.delivered")).toBe(maxEvents);
  expect(counted("outbox.detections.delivered")).toBe(detections);
});
