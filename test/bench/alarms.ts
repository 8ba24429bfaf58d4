import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OwnInfluxd, startInfluxd } from "../../alerting/event-log/influxd.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { freePort } from "../../front-door/free-port.ts";
import { aFall } from "../alerting/a-fall.ts";
import type { AlertingFigures, Arrivals } from "./messages.ts";
import { forkServer, nextMessage } from "./servers.ts";

const clock = systemClock();
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
const authToken = "fedcba9876543210fedcba9876543210";
const number = "+46766860000";
const token = "a-token-of-more-than-twenty-characters";
/** Texts that have not come by then will not come. */
const lastTextMs = 60_000;

/** What alerting does with its events meanwhile: they are left in the spool, InfluxDB takes them, or nobody answers there. */
export const influxes = ["without", "reachable", "gone"] as const;
export type Influx = (typeof influxes)[number];

export interface Waits {
  p50: number;
  p99: number;
  longest: number;
}

export interface AlarmSettings {
  episodes: number;
  /** In which the episodes open, evenly. */
  seconds: number;
  /** From request to answer at the provider. */
  providerMs: number;
  /** Where alerting keeps its data; the system's folder for temporary files where left out. */
  folder?: string | undefined;
}

export interface AlarmResult {
  influx: Influx;
  /** From the moment a Detection is posted to the intake to the first request for an SMS about it, ms. */
  firstText: Waits;
  /** From there to the intake's 204, ms: it is committed. */
  committed: Waits;
  commitsPerSecond: number;
  loop: Waits;
  events: AlertingFigures["events"];
}

export function waitsOf(list: readonly number[]): Waits {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), longest: at(1) };
}

/** Opens so many episodes, each of a device of its own, and says how long the first text about each took. Throws where one never came, or anything failed. */
export async function measureAlarms(influx: Influx, settings: AlarmSettings): Promise<AlarmResult> {
  const { episodes, seconds, providerMs } = settings;
  const folder = mkdtempSync(join(settings.folder ?? tmpdir(), "fallvakt-bench-alarms-"));
  const open: { close(): Promise<void> }[] = [];
  try {
    const influxd: OwnInfluxd | null =
      influx === "reachable" ? await startInfluxd({ dataDir: join(folder, "influxd") }) : null;
    if (influxd) open.push({ close: influxd.stop });
    const provider = await forkServer("the SMS provider", "sms-provider.ts", [
      accountSid,
      authToken,
      number,
      String(providerMs),
    ]);
    open.push(provider.server);
    const url = influxd?.url ?? `http://127.0.0.1:${await freePort()}`;
    const alerting = await forkServer("alerting", "alerting-server.ts", [
      JSON.stringify(configOf(provider.server.port, influx === "without" ? null : url)),
      folder,
    ]);
    open.push(alerting.server);
    const ask = async (question: "begin" | "figures"): Promise<AlertingFigures> => {
      alerting.child.send(question);
      return nextMessage(alerting.child, "alerting");
    };
    const arrivals = async (): Promise<Map<string, number>> => {
      provider.child.send("arrivals");
      return new Map(await nextMessage<Arrivals>(provider.child, "the SMS provider"));
    };

    // What is loaded at the first alarm is loaded before.
    await openEpisodes(alerting.server.port, 0, 20, 1);
    await allArrived(arrivals, 20);
    await ask("begin");
    const began = clock.monotonicNow();
    const posted = await openEpisodes(alerting.server.port, 20, episodes, seconds);
    const came = await allArrived(arrivals, 20 + episodes);
    const took = (clock.monotonicNow() - began) / 1000;
    const figures = await ask("figures");
    if (figures.failed.length > 0) throw new Error(`alerting is not in order: ${figures.failed.join(", ")}`);
    return {
      influx,
      firstText: waitsOf(posted.map(({ deviceId, at }) => (came.get(deviceId) ?? Number.NaN) - at)),
      committed: waitsOf(posted.map(({ committedMs }) => committedMs)),
      commitsPerSecond: figures.commits / took,
      loop: figures.loop,
      events: figures.events,
    };
  } finally {
    for (const one of open.reverse()) await one.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Posted {
  deviceId: string;
  /** Wall ms. */
  at: number;
  committedMs: number;
}

/** Posts Detections of `count` devices from the `first` on, as a gateway does, each at its own moment. */
async function openEpisodes(port: number, first: number, count: number, seconds: number): Promise<Posted[]> {
  const begins = clock.monotonicNow();
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await sleep(begins + (i * seconds * 1000) / count - clock.monotonicNow());
      const deviceId = `bench-${first + i}`;
      const at = clock.wallNow();
      const from = clock.monotonicNow();
      const response = await fetch(`http://127.0.0.1:${port}/intake/v1/items`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ type: "detection", detection: aFall(deviceId, at, 1) }),
      });
      if (response.status !== 204) throw new Error(`the intake answered ${response.status}: ${await response.text()}`);
      return { deviceId, at, committedMs: clock.monotonicNow() - from };
    }),
  );
}

async function allArrived(arrivals: () => Promise<Map<string, number>>, count: number): Promise<Map<string, number>> {
  const deadline = clock.monotonicNow() + lastTextMs;
  for (;;) {
    const came = await arrivals();
    if (came.size >= count) return came;
    if (clock.monotonicNow() > deadline)
      throw new Error(`${count - came.size} of ${count} alarms never came to a phone`);
    await sleep(100);
  }
}

function configOf(providerPort: number, influxUrl: string | null) {
  return {
    http: { port: 0, publicUrl: "http://127.0.0.1:0" },
    twilio: { accountSid, authToken, from: number, baseUrl: `http://127.0.0.1:${providerPort}` },
    responders: [
      { id: "patrol-1", name: "Patrull 1", phone: "+46701740601" },
      { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
      { id: "leader", name: "Gruppchef", phone: "+46701740603" },
    ],
    policy: {
      steps: [
        { responders: ["patrol-1"], waitSeconds: 600 },
        { responders: ["patrol-2"], waitSeconds: 600 },
      ],
    },
    operators: ["leader"],
    intake: { token },
    ...(influxUrl === null ? {} : { influx: { url: influxUrl, database: "fallvakt" } }),
  };
}
