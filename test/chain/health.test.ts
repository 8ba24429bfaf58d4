import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type Service, startService } from "../../front-door/service.ts";
import { createDevice } from "../../simulators/device/device.ts";
import { townSettings } from "../promises/town.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";

const clock = systemClock(8);
const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-health-"));
let service: Service;
beforeAll(async () => {
  const settings = townSettings({ dataDir, phonesUrl: "http://127.0.0.1:9", port: await freePort() });
  const config = Config.parse({ ...settings, health: { port: 0 } });
  service = await startService({ config, role: "all", clock, log: pino({ level: "silent" }) });
});
afterAll(async () => {
  await service?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const get = (path: string) => fetch(`${service.healthUrl}${path}`);

test("a service that is well says so", async () => {
  expect((await get("/healthz")).status).toBe(200);
  const ready = await get("/readyz");
  expect(ready.status, await ready.clone().text()).toBe(200);
});

test("what happens is in the metrics, and nobody's identity", async () => {
  const { secret } =
    (await service.alerting?.registry.addDevice(
      {
        deviceId: "watch-1",
        placement: "wrist",
        key: "38",
        consentBy: "eva",
      },
      simulatedFleet,
    )) ?? {};
  const url = service.gateway?.mqttUrl ?? "";
  const watch = createDevice({ url, deviceId: "watch-1", secret: secret ?? "", clock, rangeG: 8 });
  await watch.connect();
  await watch.help();
  await watch.publishRaw("accel", new Uint8Array([1]));
  await expect.poll(() => service.alerting?.episodes().length, { timeout: 10_000 }).toBe(1);
  const metrics = await get("/metrics");
  expect(metrics.headers.get("content-type")).toContain("text/plain");
  const text = await metrics.text();
  for (const line of [
    "fallvakt_ready 1",
    "fallvakt_gateway_detections_help 1",
    "fallvakt_gateway_publish_refused_too_short 1",
    "fallvakt_gateway_connections_open 1",
    "fallvakt_alerting_episodes_open 1",
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  const documented = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  const names = [...text.matchAll(/^(fallvakt_\w+) /gm)].map(([, name]) => name ?? "");
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
  expect(text).not.toMatch(/watch-1|\b38\b|\+46|Patrull/);
  await watch.disconnect();
});

test("a gateway that cannot take devices is not ready, and says why", async () => {
  await service.gateway?.stop();
  const ready = await get("/readyz");
  expect(ready.status).toBe(503);
  expect((await ready.json()).problems.join()).toContain("gateway");
});
