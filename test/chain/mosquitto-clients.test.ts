import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Town } from "../promises/town.ts";
import { lacks } from "../services/needs.ts";

const skipped = lacks("mosquitto_pub");
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "fallvakt-mosquitto-"));
let town: Town;
beforeAll(async () => {
  if (!skipped) town = await Town.open({ waitSeconds: 3600 });
});
afterAll(async () => {
  await town?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Publishes as anybody with Mosquitto's client would; rejects where the broker refuses. */
async function publish(deviceId: string, secret: string, topic: string, message: string): Promise<void> {
  const { port } = new URL(town.gateway.mqttUrl);
  // The client's own options file keeps the secret out of the process list.
  writeFileSync(join(folder, "mosquitto_pub"), `-u ${deviceId}\n-P ${secret}\n`, { mode: 0o600 });
  const to = ["-h", "127.0.0.1", "-p", port, "-i", deviceId, "-q", "1", "-t", topic];
  await run("mosquitto_pub", [...to, "-m", message], {
    timeout: 10_000,
    env: { ...process.env, XDG_CONFIG_HOME: folder },
  });
}

test.skipIf(skipped)(
  "mosquitto_pub presses the help button, and is refused with a wrong secret (needs mosquitto_pub)",
  async () => {
    const { secret } = await town.alerting.registry.addDevice({ deviceId: "button-1", placement: "wrist", key: "38" });
    const help = '{"v":1,"boot":1,"seq":1,"t":0}';
    await expect(publish("button-1", "wrong", "fallvakt/v1/button-1/help", help)).rejects.toThrow(
      /not authori[sz]ed|bad user/i,
    );
    await publish("button-1", secret, "fallvakt/v1/button-1/help", help);
    expect(await town.text("patrol-1", /Tryckte på larmknappen/)).toContain("Nyckel 38");
    expect(town.alerting.episodes()).toHaveLength(1);
  },
);
