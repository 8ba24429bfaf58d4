import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadClassifier } from "../../detector/classifier/classifier.ts";
import { certificateFiles, issueForDevice, readAuthority, writeCertificates } from "../../front-door/certificates.ts";
import { type Bench, devicesNamed, openBench, until } from "../../gateway/test-bench.ts";
import { Town } from "../promises/town.ts";
import { lacks } from "../services/needs.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";

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
    const { secret } = await town.alerting.registry.addDevice(
      {
        deviceId: "button-1",
        placement: "wrist",
        key: "38",
        consentBy: "eva",
      },
      simulatedFleet,
    );
    const help = '{"v":1,"boot":1,"seq":1,"t":0}';
    await expect(publish("button-1", "wrong", "fallvakt/v1/button-1/help", help)).rejects.toThrow(
      /not authori[sz]ed|bad user/i,
    );
    await publish("button-1", secret, "fallvakt/v1/button-1/help", help);
    expect(await town.text("patrol-1", /Tryckte på larmknappen/)).toContain("Nyckel 38");
    expect(town.alerting.episodes()).toHaveLength(1);
  },
);

describe.skipIf(skipped)("over TLS, with the authority that init makes", () => {
  const certificates = join(folder, "certificates");
  const ca = join(certificates, certificateFiles.authority);
  const help = (seq: number) => `{"v":1,"boot":1,"seq":${seq},"t":0}`;
  let bench: Bench;

  beforeAll(async () => {
    await writeCertificates(certificates, ["localhost", "127.0.0.1"], new Date());
    const authority = readAuthority(certificates);
    const made = await issueForDevice(authority, "watch-1", new Date());
    writeFileSync(join(folder, "watch-1.pem"), `${made.certificate}\n${made.key}`);
    const tls = {
      host: "127.0.0.1",
      port: 0,
      certFile: join(certificates, certificateFiles.broker),
      keyFile: join(certificates, certificateFiles.brokerKey),
      caFile: ca,
      clientCertificates: "accepted",
    };
    bench = await openBench({
      devices: await devicesNamed("watch-1", "watch-2"),
      classifier: await loadClassifier({ backend: "auto" }),
      config: { mqtt: { port: 0, tls } },
    });
  });
  afterAll(() => bench?.close());

  const to = (deviceId: string, ...more: string[]) => {
    const { port } = new URL(bench.gateway.mqttsUrl ?? "");
    return ["-h", "localhost", "-p", port, "--cafile", ca, "-i", deviceId, ...more];
  };
  const secret = (deviceId: string) => ["-u", deviceId, "-P", `secret-of-${deviceId}`];
  const press = (...args: string[]) => run("mosquitto_pub", args, { timeout: 10_000 });

  test("mosquitto_pub is heard with a secret, and with a certificate alone (needs mosquitto_pub)", async () => {
    const topic = ["-q", "1", "-t", "fallvakt/v1/watch-1/help", "-m"];
    await press(...to("watch-1", ...secret("watch-1"), ...topic, help(1)));
    const pem = join(folder, "watch-1.pem");
    await press(...to("watch-1", "--cert", pem, "--key", pem, ...topic, help(2)));
    await until("both calls", () => bench.intake.detections().length === 2);
    await expect(press(...to("watch-2", "--cert", pem, "--key", pem, ...topic, help(3)))).rejects.toThrow(
      /not authori[sz]ed/i,
    );
  });

  test("mosquitto_pub does not trust a broker of another authority (needs mosquitto_pub)", async () => {
    const other = join(folder, "other");
    await writeCertificates(other, ["localhost"], new Date());
    const { port } = new URL(bench.gateway.mqttsUrl ?? "");
    const args = ["-h", "localhost", "-p", port, "--cafile", join(other, certificateFiles.authority), "-i", "watch-1"];
    await expect(press(...args, ...secret("watch-1"), "-t", "fallvakt/v1/watch-1/help", "-m", help(4))).rejects.toThrow(
      /TLS|certificate/i,
    );
  });

  test("mosquitto_sub is granted the device's own topics, and refused another's (needs mosquitto_pub)", async () => {
    const listen = (filter: string) =>
      run("mosquitto_sub", [...to("watch-1", ...secret("watch-1")), "-q", "1", "-t", filter, "-E", "-d"], {
        timeout: 10_000,
      }).then(
        ({ stdout, stderr }) => stdout + stderr,
        (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
      );
    expect(await listen("fallvakt/v1/watch-1/down/#")).toMatch(/Subscribed \(mid: \d+\): 1/);
    expect(await listen("fallvakt/v1/watch-2/down/#")).toMatch(/Subscribed \(mid: \d+\): 128|denied/);
  });
});
