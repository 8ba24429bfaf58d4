import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IntakeItem, itemId } from "../firmware-contracts/intake.ts";
import { devicesNamed, fallFrames, publish, publishFrames, report, until, walkingAfter } from "./test-bench.ts";

const token = "a-token-of-some-length";
const device = "watch-1";

/** Alerting's side of the wire; commits in memory. */
let server: Server;
let url: string;
let taken: string[] = [];
/** Words of supervision by their ids: one that was taken may come again. */
let outages = new Set<string>();
const running = new Set<ChildProcess>();

beforeAll(async () => {
  const control = JSON.stringify({ v: 1, version: 1, devices: await devicesNamed(device) });
  server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
    if (request.method === "GET") {
      const isNewest = request.url?.endsWith("have=1");
      return void response.writeHead(isNewest ? 204 : 200).end(isNewest ? undefined : control);
    }
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const item = IntakeItem.parse(JSON.parse(body));
      if (item.type === "detection" || item.type === "fall-update") taken.push(itemId(item));
      if (item.type === "supervision-event") outages.add(item.event.id);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  server.close();
  server.closeAllConnections();
});

async function startVictim(folder: string, speed = 1, more = {}): Promise<{ mqttUrl: string; kill(): Promise<void> }> {
  const victim = fileURLToPath(new URL("crash-victim.ts", import.meta.url));
  const child = spawn(process.execPath, [victim, folder, url, token, JSON.stringify(more), String(speed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  const mqttUrl = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
  return {
    mqttUrl,
    kill: () =>
      new Promise((resolve) => {
        child.once("exit", () => {
          running.delete(child);
          resolve();
        });
        child.kill("SIGKILL");
      }),
  };
}

async function connect(mqttUrl: string): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(mqttUrl, {
    clientId: device,
    username: device,
    password: `secret-of-${device}`,
    reconnectPeriod: 0,
  });
  client.on("error", () => {});
  return client;
}

describe("killed with SIGKILL after an acknowledgement", () => {
  // The impact is in the middle of frame 12. The window that the classifier wants ends 2.5 s after it.
  test.each([
    { last: 13, what: "in the middle of the window" },
    { last: 14, what: "when the window may just be complete" },
    { last: 15, what: "when the window is complete" },
  ])("$what: after the restart the alarm comes, with one id", { timeout: 60_000 }, async ({ last }) => {
    taken = [];
    const folder = await mkdtemp(join(tmpdir(), "fallvakt-crash-"));
    let victim = await startVictim(folder);
    const client = await connect(victim.mqttUrl);
    await publishFrames(client, device, fallFrames({ bootId: 9 }).slice(0, last + 1));
    await victim.kill();
    client.end(true);
    victim = await startVictim(folder);
    await until("the fall is told", () => taken.length > 0, 40_000);
    // Delivered and marked so. Killed in between, it is told again with the same id, which alerting knows.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await victim.kill();
    // What is marked is not told again by yet another start.
    const times = taken.length;
    victim = await startVictim(folder);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(new Set(taken)).toEqual(new Set([`${device}.9.12.fall`]));
    expect(taken).toHaveLength(times);
    await victim.kill();
    await rm(folder, { recursive: true });
  });

  test("after the fall was told: that nobody gets up is told by the next run, once", { timeout: 60_000 }, async () => {
    taken = [];
    const folder = await mkdtemp(join(tmpdir(), "fallvakt-crash-"));
    const victim = await startVictim(folder);
    const client = await connect(victim.mqttUrl);
    await publishFrames(client, device, fallFrames({ bootId: 9 }));
    await until("the fall is told", () => taken.length > 0);
    await victim.kill();
    client.end(true);
    const hasty = await startVictim(folder, 60);
    const update = `${device}.9.12.fall.long-lie`;
    await until("the long lie is told", () => taken.includes(update), 20_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await hasty.kill();
    const last = await startVictim(folder, 60);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect(taken.filter((id) => id === update)).toHaveLength(1);
    await last.kill();
    await rm(folder, { recursive: true });
  });

  test("after walking was seen: living the fall again does not ask for it again", { timeout: 60_000 }, async () => {
    taken = [];
    const folder = await mkdtemp(join(tmpdir(), "fallvakt-crash-"));
    const victim = await startVictim(folder);
    const client = await connect(victim.mqttUrl);
    const frames = fallFrames({ bootId: 9, after: 8 });
    await publishFrames(client, device, [...frames, ...walkingAfter(frames, 9)]);
    const store = new DatabaseSync(join(folder, "gateway.sqlite"), { readOnly: true });
    await until("walking was seen", () => store.prepare("SELECT 1 FROM watch WHERE endedAt > 0").get() !== undefined);
    store.close();
    await victim.kill();
    client.end(true);
    // The fall is in the journal still, but for the walking.
    const hasty = await startVictim(folder, 60);
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect(taken).not.toContain(`${device}.9.12.fall.long-lie`);
    await hasty.kill();
    await rm(folder, { recursive: true });
  });

  test("a help call that was acknowledged is told", async () => {
    taken = [];
    const folder = await mkdtemp(join(tmpdir(), "fallvakt-crash-"));
    const victim = await startVictim(folder);
    const client = await connect(victim.mqttUrl);
    await publish(client, device, "help", report(3, 5));
    await victim.kill();
    client.end(true);
    const next = await startVictim(folder);
    await until("the help call is told", () => taken.includes(`${device}.3.5.help`));
    await next.kill();
    await rm(folder, { recursive: true });
  });
});

test("killed with -9 after an outage was told: it is not told again, and its end is, once", async () => {
  outages = new Set();
  const folder = await mkdtemp(join(tmpdir(), "fallvakt-gateway-"));
  const more = { supervision: { buttonMinutes: 2 } };
  const say = async (mqttUrl: string) => {
    const options = {
      clientId: device,
      username: device,
      password: `secret-of-${device}`,
      protocolVersion: 4 as const,
    };
    const client = await mqtt.connectAsync(mqttUrl, options);
    await publish(client, device, "status", JSON.stringify({ v: 1, kind: "heartbeat" }));
    await client.endAsync(true);
  };
  try {
    const first = await startVictim(folder, 40, more);
    await say(first.mqttUrl);
    await until("it is told", () => outages.size > 0);
    await first.kill();
    const second = await startVictim(folder, 40, more);
    await say(second.mqttUrl);
    await until("its end is told", () => outages.size > 1);
    await second.kill();
    const [began = "", ...others] = outages;
    expect(others).toEqual([began.replace("began", "ended")]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
