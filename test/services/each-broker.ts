import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { type Bench, type BenchOptions, openBench } from "../../gateway/test-bench.ts";
import { createMosquitto, gatewayUser } from "./mosquitto.ts";
import { lacks } from "./needs.ts";

/** The gateway's own broker, or one of somebody else's between devices and gateway: Mosquitto. */
export type BrokerKind = "embedded" | "outside";

/** Describes what must hold whatever the broker is, once for each. The tests open their bench by `openBenchOn`. */
export function onEachBroker(what: string, tests: (broker: BrokerKind) => void): void {
  describe(`${what}, with the gateway's own broker`, () => tests("embedded"));
  describe.skipIf(lacks("mosquitto"))(`${what}, with Mosquitto (needs mosquitto)`, () => tests("outside"));
}

/** `openBench`, with a Mosquitto of its own where the broker is an outside one. */
export async function openBenchOn(broker: BrokerKind, options: BenchOptions): Promise<Bench> {
  if (broker === "embedded") return openBench(options);
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-mosquitto-"));
  const mosquitto = await createMosquitto(folder);
  for (const { deviceId } of options.devices) await mosquitto.addUser(deviceId, `secret-of-${deviceId}`);
  await mosquitto.start();
  const outside = { url: mosquitto.gatewaysUrl, ...gatewayUser };
  const bench = await openBench({
    ...options,
    config: { ...options.config, outside },
    devicesUrl: mosquitto.devicesUrl,
  });
  const { close } = bench;
  bench.close = async () => {
    await close();
    await mosquitto.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return bench;
}
