import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import type { ControlDevice } from "../../firmware-contracts/intake.ts";
import {
  type Credential,
  certificateFiles,
  issueForDevice,
  issueForGateway,
  issueForServer,
  makeAuthority,
  readAuthority,
  writeCertificates,
} from "../../front-door/certificates.ts";
import { type Bench, devicesNamed, openBench, publish, restFrame, until } from "../test-bench.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-tls-"));
let ca: string;
let watch: Credential;
let foreign: Credential;
let classifier: Classifier;
let devices: ControlDevice[];
let bench: Bench;

beforeAll(async () => {
  const now = new Date();
  await writeCertificates(folder, ["localhost", "127.0.0.1"], now);
  const authority = readAuthority(folder);
  ca = authority.certificate;
  watch = await issueForDevice(authority, "watch-1", now);
  foreign = await issueForDevice(await makeAuthority("Somebody else", now), "watch-1", now);
  classifier = await loadClassifier({ backend: "auto" });
  devices = await devicesNamed("watch-1", "watch-2");
});
afterEach(() => bench?.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const count = (name: string) => bench.gateway.counters()[name] ?? 0;

async function open(
  clientCertificates: "off" | "accepted" | "required",
  limits: Record<string, number> = {},
  clock = systemClock(),
) {
  const tls = {
    host: "127.0.0.1",
    port: 0,
    certFile: join(folder, certificateFiles.broker),
    keyFile: join(folder, certificateFiles.brokerKey),
    caFile: join(folder, certificateFiles.authority),
    clientCertificates,
  };
  bench = await openBench({ devices, classifier, clock, config: { mqtt: { port: 0, tls }, limits } });
}

async function connect(options: mqtt.IClientOptions): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(bench.gateway.mqttsUrl ?? "", {
    clientId: "watch-1",
    ca,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: 5000,
    ...options,
  });
  client.on("error", () => {});
  return client;
}

const bySecret = { username: "watch-1", password: "secret-of-watch-1" };
const byCertificate = (of: Credential) => ({ cert: of.certificate, key: of.key });
const refusal = (connecting: Promise<unknown>) =>
  connecting.then(
    () => null,
    (error: { code?: number | string }) => error.code,
  );

describe("MQTT over TLS", () => {
  test("a device that trusts the authority comes in with its secret, and is heard", async () => {
    await open("off");
    const client = await connect(bySecret);
    await publish(client, "watch-1", "accel", encodeFrame(restFrame()));
    expect(count("frames.live")).toBe(1);
    await client.endAsync();
    // Whoever trusts only the public authorities notices that this is none of theirs.
    expect(String(await refusal(connect({ ...bySecret, ca: undefined })))).toMatch(/SELF_SIGNED|UNABLE_TO/);
    expect(await refusal(connect({ ...bySecret, password: "wrong" }))).toBe(4);
  });

  test("a device that is connected over TLS is shut out within 10 s of being revoked", async () => {
    await open("accepted");
    const client = await connect(byCertificate(watch));
    const other = await connect({ clientId: "watch-2", username: "watch-2", password: "secret-of-watch-2" });
    bench.intake.set(devices.map((device) => ({ ...device, revoked: true })));
    await until("shut out", () => !client.connected && !other.connected, 10_000);
    expect(await refusal(connect(byCertificate(watch)))).toBe(4);
    expect(await refusal(connect(bySecret))).toBe(4);
  });

  test("what is no certificate is told with its key and the mend", async () => {
    const tls = { host: "127.0.0.1", port: 0, certFile: join(folder, "none.pem"), keyFile: "none" };
    await expect(openBench({ devices, classifier, config: { mqtt: { port: 0, tls } } })).rejects.toThrow(
      /gateway\.mqtt\.tls\.certFile.*none\.pem.*ENOENT.*fallvakt init/,
    );
  });
});

describe("client certificates", () => {
  test("one in the device's name is enough; one in another's, or of another authority, is not", async () => {
    await open("accepted");
    const client = await connect(byCertificate(watch));
    await publish(client, "watch-1", "accel", encodeFrame(restFrame()));
    expect(count("frames.live")).toBe(1);
    expect(await refusal(connect({ ...byCertificate(watch), clientId: "watch-2" }))).toBe(5);
    const secretOfAnother = { clientId: "watch-2", username: "watch-2", password: "secret-of-watch-2" };
    expect(await refusal(connect({ ...byCertificate(watch), ...secretOfAnother }))).toBe(5);
    expect(count("connect.refused.certificate")).toBe(2);
    expect(await refusal(connect(byCertificate(foreign)))).toBe(4);
    expect(count("connect.refused.no-credentials")).toBe(1);
    expect((await connect(bySecret)).connected).toBe(true);
  });

  test("the broker's own certificate opens no door to devices", async () => {
    await open("accepted");
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const broker = { cert: read(certificateFiles.broker), key: read(certificateFiles.brokerKey) };
    expect(await refusal(connect({ ...broker, clientId: "localhost" }))).toBe(4);
  });

  test("a gateway's certificate lets in no device, nor its secret beside it", async () => {
    const gateway = byCertificate(await issueForGateway(readAuthority(folder), "watch-1", new Date()));
    for (const [times, asked] of (["accepted", "required"] as const).entries()) {
      await open(asked);
      expect(await refusal(connect(gateway))).toBe(5);
      expect(await refusal(connect({ ...gateway, ...bySecret }))).toBe(5);
      expect(count("connect.refused.certificate")).toBe(2);
      expect(count("connections.let-in")).toBe(0);
      if (times === 0) await bench.close();
    }
  });

  test("where they are required, a secret alone ends at the handshake", async () => {
    await open("required");
    const clients = [{}, byCertificate(foreign)].map((shown) => {
      const options = { clientId: "watch-1", ca, reconnectPeriod: 0, ...bySecret, ...shown };
      const client = mqtt.connect(bench.gateway.mqttsUrl ?? "", options);
      return client.on("error", () => {});
    });
    await until("counted", () => count("connections.cut.tls") === 2);
    for (const client of clients) client.end(true);
    expect(count("connections.let-in")).toBe(0);
    expect((await connect(byCertificate(watch))).connected).toBe(true);
  });
});

describe("a renewed certificate", () => {
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const port = Number(new URL(bench.gateway.mqttsUrl ?? "").port);
      const socket = connectTls({ port, host: "127.0.0.1", ca, servername: "localhost" }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const [certFile, keyFile] = [join(folder, certificateFiles.broker), join(folder, certificateFiles.brokerKey)];
  const fingerprint = () => new X509Certificate(readFileSync(certFile)).fingerprint256;

  test("is shown from the next look on, and who is connected stays so; a broken one is told and the old stays", async () => {
    // A minute of this clock is one second.
    await open("accepted", { connectSeconds: 60 }, systemClock(60));
    const client = await connect(byCertificate(watch));
    const before = fingerprint();
    expect(await shown()).toBe(before);
    const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
    try {
      const renewed = await issueForServer(readAuthority(folder), ["localhost", "127.0.0.1"], new Date());
      writeFileSync(certFile, renewed.certificate);
      // The key is still the old one's.
      const told = () => bench.logged.filter((line) => JSON.stringify(line).includes("is not the key of"));
      await until("told", () => told().length === 1);
      expect(JSON.stringify(told()[0])).toMatch(/gateway\.mqtt\.tls\.keyFile.*fallvakt init/);
      expect(await shown()).toBe(before);
      writeFileSync(keyFile, renewed.key);
      await expect.poll(shown, { timeout: 10_000 }).toBe(fingerprint());
      expect(fingerprint()).not.toBe(before);
      expect(client.connected).toBe(true);
      await publish(client, "watch-1", "accel", encodeFrame(restFrame()));
      expect(
        (await connect({ ...bySecret, clientId: "watch-2", username: "watch-2", password: "secret-of-watch-2" }))
          .connected,
      ).toBe(true);
    } finally {
      writeFileSync(certFile, cert);
      writeFileSync(keyFile, key);
    }
  });
});

describe("who does not finish the handshake", () => {
  const half = () => {
    const socket = connectSocket(Number(new URL(bench.gateway.mqttsUrl ?? "").port), "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    return { socket, closed };
  };

  test("is gone after its time, and its place is free again", async () => {
    await open("off", { connectSeconds: 1, connectionsPerAddress: 20 });
    const silent = Array.from({ length: 20 }, half);
    for (const { socket } of silent) socket.write(Buffer.from("1603010200", "hex"));
    await Promise.all(silent.map(({ closed }) => closed));
    expect(count("connections.cut.tls")).toBe(20);
    expect((await connect(bySecret)).connected).toBe(true);
  });

  test("makes room for who comes after", async () => {
    await open("off", { halfOpen: 5 });
    const silent = Array.from({ length: 8 }, half);
    await Promise.all(silent.slice(0, 3).map(({ closed }) => closed));
    expect((await connect(bySecret)).connected).toBe(true);
    expect(count("connections.cut.half-open")).toBeGreaterThanOrEqual(3);
    for (const { socket } of silent) socket.destroy();
  });
});

test("keys are for their owner alone, and the authority outlives a new broker's certificate", async () => {
  const before = readFileSync(join(folder, certificateFiles.broker), "utf8");
  expect(await writeCertificates(folder, ["localhost", "127.0.0.1"], new Date())).toBe(false);
  expect(readFileSync(join(folder, certificateFiles.authority), "utf8")).toBe(ca);
  expect(readFileSync(join(folder, certificateFiles.broker), "utf8")).not.toBe(before);
  for (const key of [certificateFiles.authorityKey, certificateFiles.brokerKey]) {
    expect(statSync(join(folder, key)).mode & 0o077).toBe(0);
  }
});
