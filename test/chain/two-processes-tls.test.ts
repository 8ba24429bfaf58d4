import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { openCredentialFiles } from "../../firmware-contracts/credential-files.ts";
import type { IntakeItem } from "../../firmware-contracts/intake.ts";
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
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type Service, startService } from "../../front-door/service.ts";
import { Away } from "../../gateway/outbox/away.ts";
import { createHttpIntake, type HttpIntake } from "../../gateway/outbox/http-intake.ts";
import { createDevice } from "../../simulators/device/device.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { playTrial } from "../../simulators/replay/play.ts";
import { accountSid, authToken, hardFall, serviceNumber, townSettings } from "../promises/town.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-two-tls-"));
const inFolder = (name: string) => join(folder, name);
const day = 86_400_000;
const years = (count: number) => new Date(Date.now() + count * 365 * day);
const token = "a-token-of-more-than-twenty-characters";
const silent = pino({ level: "silent" });
let clock: Clock;
let network: PhoneNetwork;
let authority: Credential;
let services: Service[] = [];

beforeAll(async () => {
  clock = systemClock(8);
  network = await startPhoneNetwork({ clock, accountSid, authToken, everyNumberHasAPhone: true });
  network.addNumber(serviceNumber);
  await writeCertificates(folder, ["localhost", "127.0.0.1"], new Date());
  authority = readAuthority(folder);
});
afterEach(async () => {
  for (const service of services.splice(0).reverse()) await service.stop();
});
afterAll(async () => {
  await network.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Certificate and key in one file, as the commands write them. */
function written(name: string, { certificate, key }: Credential): string {
  writeFileSync(inFolder(name), `${certificate.trim()}\n${key}`, { mode: 0o600 });
  return inFolder(name);
}

const server = { certFile: inFolder(certificateFiles.intake), keyFile: inFolder(certificateFiles.intakeKey) };
const caFile = inFolder(certificateFiles.authority);

async function startAlerting(
  name: string,
  port: number,
  intakePort: number,
  at = clock,
  revoked: string[] = [],
): Promise<Service> {
  const settings = townSettings({ dataDir: inFolder(name), phonesUrl: network.url, port, waitSeconds: 3600 });
  const { alerting } = settings;
  const config = Config.parse({
    ...settings,
    alerting: {
      ...alerting,
      http: { ...alerting.http, tls: server },
      intake: { token, tls: { host: "127.0.0.1", port: intakePort, ...server, caFile, revoked } },
    },
  });
  const service = await startService({ config, role: "alerting", clock: at, log: silent });
  services.push(service);
  return service;
}

const inbox = () => network.phones.get("+46701740601")?.inbox.map((message) => message.body) ?? [];

describe.each<[string, () => Promise<Record<string, string>>]>([
  [
    "by certificate",
    async () => ({ certFile: written("stairwell-3.pem", await issueForGateway(authority, "stairwell-3", new Date())) }),
  ],
  ["by token over HTTPS", async () => ({ token })],
])("a gateway and alerting apart, %s", (way, credential) => {
  test("a fall while alerting is down is paged when it is back", async () => {
    const [port, intakePort] = [await freePort(), await freePort()];
    const name = way.replaceAll(" ", "-");
    let alerting = await startAlerting(name, port, intakePort);
    const own = await credential();
    const url = `https://localhost:${own.certFile ? intakePort : port}`;
    const { gateway: settings } = townSettings({ dataDir: folder, phonesUrl: network.url, port });
    const config = Config.parse({
      dataDir: inFolder(`${name}-gateway`),
      health: { port: 0 },
      gateway: { ...settings, id: "stairwell-3", intake: { url, caFile, ...own } },
    });
    const gateway = await startService({ config, role: "gateway", clock, log: silent });
    services.push(gateway);
    const deviceId = way.includes("token") ? "belt-2" : "belt-1";
    const added = await alerting.alerting?.registry.addDevice({ deviceId, placement: "waist", key: "38" });
    const watch = createDevice({
      url: gateway.gateway?.mqttUrl ?? "",
      deviceId,
      secret: added?.secret ?? "",
      clock,
      rangeG: 16,
    });
    try {
      await watch.connect();
      await alerting.stop();
      services = services.filter((service) => service !== alerting);
      const before = inbox().length;
      await playTrial(watch, hardFall(), clock);
      await watch.drain();
      await expect.poll(() => gateway.gateway?.counters()["detections.fall"], { timeout: 10_000 }).toBe(1);
      expect(inbox()).toHaveLength(before);

      alerting = await startAlerting(name, port, intakePort);
      await expect.poll(inbox, { timeout: 20_000 }).toHaveLength(before + 1);
      expect(inbox().at(-1)).toMatch(/^LARM FALL .*Nyckel 38/);
      const metrics = await (await fetch(`${gateway.healthUrl}/metrics`)).text();
      expect(metrics).toMatch(/fallvakt_certificate_days_left\{which="gateway\.intake\.caFile"\} 91\d\d\n/);
      expect(metrics.includes('{which="gateway.intake.certFile"} 36')).toBe(own.certFile !== undefined);
    } finally {
      await watch.disconnect();
    }
  });
});

const detection = (id: string): IntakeItem => ({
  type: "detection",
  detection: {
    v: 1,
    id,
    deviceId: "watch-38",
    kind: "help",
    strength: "strong",
    reason: "help-button",
    impactAt: 1,
    detectedAt: 1,
    arrivedAt: 1,
    late: false,
    clockSuspect: false,
    evidence: null,
    model: null,
    test: false,
  },
});
const brokerLost = (id: string, gatewayId: string): IntakeItem => ({
  type: "gateway-event",
  event: { v: 1, id, gatewayId, at: 1, event: "broker-lost" },
});
const heartbeat = (gatewayId: string) => ({ gatewayId, everyMs: 60_000 });

const opened: { stop(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.stop();
});

/** A gateway's intake as the service makes it, with a certificate (or none) of a test's choice. */
function intakeWith(url: string, certFile?: string, at: Clock = clock): HttpIntake {
  const paths = { caFile, certFile };
  const credential = openCredentialFiles({ section: "gateway.intake", paths, mend: "mend", clock: at, log: silent });
  const intake = createHttpIntake({ url, credential, clock: at, timeoutSeconds: 60 });
  opened.push({
    stop() {
      credential.stop();
      intake.close();
    },
  });
  return intake;
}

describe("who is not let in is counted, and changes nothing", () => {
  let alerting: Service;
  let url: string;
  const counted = (name: string) => alerting.alerting?.counters()[`intake.${name}`] ?? 0;

  async function expectNothingChanged(): Promise<void> {
    expect(alerting.alerting?.episodes()).toEqual([]);
    expect(counted("detection")).toBe(0);
    expect(counted("gateway-event")).toBe(0);
    // A heartbeat that counted would be missed three minutes later.
    expect(alerting.alerting?.backend.troubles()).toEqual([]);
  }

  async function open(name: string): Promise<void> {
    alerting = await startAlerting(name, await freePort(), 0);
    url = (alerting.alerting?.intakeUrl ?? "").replace("127.0.0.1", "localhost");
  }

  test.each<[string, string, RegExp, () => Promise<Credential | null>]>([
    [
      "of another authority",
      "refused.unknown-authority",
      /closed the connection.*alerting\.intake\.tls\.caFile/,
      async () => issueForGateway(await makeAuthority("Somebody else", new Date()), "stairwell-3", new Date()),
    ],
    [
      "that has ended",
      "refused.ended",
      /closed the connection.*has ended/,
      () => issueForGateway(authority, "stairwell-3", years(-11)),
    ],
    [
      "of a device",
      "refused.not-a-gateway",
      /refused \(403\).*fallvakt gateway certificate/,
      () => issueForDevice(authority, "stairwell-3", new Date()),
    ],
    [
      "of a server",
      "refused.not-for-clients",
      /closed the connection/,
      () => issueForServer(authority, ["stairwell-3"], new Date()),
    ],
    [
      "that is not there",
      "refused.no-certificate",
      /asks for a certificate.*gateway\.intake\.certFile/,
      async () => null,
    ],
  ])("a certificate %s", async (name, counter, says, make) => {
    await open(`refused-${name.replaceAll(" ", "-")}`);
    const made = await make();
    const intake = intakeWith(url, made ? written("refused.pem", made) : undefined);
    await expect(intake.submit(detection("watch-38.1.1.help"))).rejects.toThrow(says);
    await expect(intake.submit(brokerLost("e-1", "stairwell-3"))).rejects.toThrow();
    await expect(intake.control(0, heartbeat("stairwell-3"))).rejects.toThrow();
    expect(counted(counter)).toBe(3);
    await expectNothingChanged();
  });

  test("a gateway does not speak as another, and what it says as itself is taken", async () => {
    await open("another-gateway");
    const made = await issueForGateway(authority, "stairwell-3", new Date());
    const intake = intakeWith(url, written("own.pem", made));
    await expect(intake.submit(brokerLost("e-1", "stairwell-4"))).rejects.toThrow("422");
    await expect(intake.control(0, heartbeat("stairwell-4"))).rejects.toThrow("must be of this gateway's id");
    expect(counted("refused.another-gateway")).toBe(2);
    await expectNothingChanged();
    await intake.submit(brokerLost("e-2", "stairwell-3"));
    expect(alerting.alerting?.backend.troubles()).toContain("broker-lost");
    expect(await intake.control(0, heartbeat("stairwell-3"))).toBeNull();
  });

  test("nor does one that was revoked, as after a theft; the others are let in as before", async () => {
    alerting = await startAlerting("revoked", await freePort(), 0, clock, ["stairwell-3"]);
    url = (alerting.alerting?.intakeUrl ?? "").replace("127.0.0.1", "localhost");
    const stolen = intakeWith(url, written("own.pem", await issueForGateway(authority, "stairwell-3", new Date())));
    await expect(stolen.submit(detection("watch-38.1.1.help"))).rejects.toThrow("refused (403)");
    await expect(stolen.control(0, heartbeat("stairwell-3"))).rejects.toThrow("refused (403)");
    expect(counted("refused.revoked")).toBe(2);
    await expectNothingChanged();
    const other = intakeWith(url, written("other.pem", await issueForGateway(authority, "stairwell-4", new Date())));
    await other.submit(brokerLost("e-1", "stairwell-4"));
    expect(counted("gateway-event")).toBe(1);
  });

  test("the token opens no door for certificates, and this door nothing but the intake", async () => {
    await open("token-there");
    const certFile = written("own.pem", await issueForGateway(authority, "stairwell-3", new Date()));
    const withToken = createHttpIntake({
      url,
      token,
      credential: openCredentialFiles({ section: "s", paths: { caFile }, mend: "m", clock, log: silent }),
      clock,
      timeoutSeconds: 60,
    });
    await expect(withToken.submit(detection("watch-38.1.1.help"))).rejects.toThrow("asks for a certificate");
    const socket = await shownBy(url, certFile);
    for (const path of ["/", "/api/session", "/webhooks/twilio/inbound", "/healthz"]) {
      expect(await statusOf(socket, path)).toBe(404);
    }
    expect(await statusOf(socket, "/intake/v1/control?have=0&gateway=stairwell-3&everyMs=60000")).toBe(204);
    socket.destroy();
    await expect(intakeWith(url.replace("https", "http")).submit(detection("x"))).rejects.toThrow();
  });
});

/** A TLS connection of our own, as any program could make it. */
function shownBy(url: string, certFile: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const pem = readFileSync(certFile, "utf8");
    const { port } = new URL(url);
    const own = { cert: pem, key: pem, ca: readFileSync(caFile), host: "localhost", servername: "localhost" };
    const socket = connectTls({ ...own, port: Number(port) }, () => resolve(socket));
    socket.on("error", reject);
  });
}

function statusOf(socket: TLSSocket, path: string): Promise<number> {
  return new Promise((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString())?.[1])));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  });
}

test("a gateway says what is wrong with alerting's certificate, and the mend", async () => {
  const alerting = await startAlerting("told", await freePort(), 0);
  expect(alerting.certificates().map(({ which }) => which)).toEqual([
    "alerting.http.tls.certFile",
    "alerting.intake.tls.certFile",
    "alerting.intake.tls.caFile",
  ]);
  const url = alerting.alerting?.intakeUrl ?? "";
  const certFile = written("own.pem", await issueForGateway(authority, "stairwell-3", new Date()));
  const other = inFolder("other-ca.pem");
  writeFileSync(other, (await makeAuthority("Somebody else", new Date())).certificate);
  const reach = (to: string, paths: { caFile: string; certFile?: string }) => {
    const credential = openCredentialFiles({ section: "gateway.intake", paths, mend: "mend", clock, log: silent });
    opened.push(credential);
    const intake = createHttpIntake({ url: to, credential, clock, timeoutSeconds: 60 });
    return intake.reach();
  };
  await expect(reach(url, { caFile: other, certFile })).rejects.toThrow(/gateway\.intake\.caFile must be the ca\.pem/);
  await expect(reach(url, { caFile: other, certFile })).rejects.toBeInstanceOf(Away);
  const elsewhere = url.replace("127.0.0.1", "127.0.0.2");
  await expect(reach(elsewhere, { caFile, certFile })).rejects.toThrow(/ECONNREFUSED/);
  await reach(url, { caFile, certFile });
});

test("a connection that is open when the gateway's certificate ends is of no use from then on", async () => {
  // Four minutes of this clock are two seconds.
  const fast = systemClock(120);
  const alerting = await startAlerting("ends-meanwhile", await freePort(), 0, fast);
  const tenYearsAgo = new Date();
  tenYearsAgo.setUTCFullYear(tenYearsAgo.getUTCFullYear() - 10);
  const made = await issueForGateway(authority, "stairwell-3", new Date(tenYearsAgo.getTime() + 240_000));
  const intake = intakeWith(alerting.alerting?.intakeUrl ?? "", written("ends.pem", made), fast);
  await intake.submit(brokerLost("e-1", "stairwell-3"));
  const tried = () =>
    intake.submit(brokerLost("e-2", "stairwell-3")).then(
      () => "taken",
      (error: Error) => error.message,
    );
  await expect.poll(tried, { timeout: 10_000 }).toMatch(/refused \(403\).*not have ended/);
  expect(alerting.alerting?.counters()["intake.refused.ended"]).toBe(1);
});

/** As a renewing program does it: a file of its own, then its name. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

test("an authority that is taken out of alerting's file lets nobody in from then on, nor who is connected", async () => {
  const alerting = await startAlerting("withdrawn", await freePort(), 0, systemClock(120));
  const certFile = written("own.pem", await issueForGateway(authority, "stairwell-3", new Date()));
  const intake = intakeWith(alerting.alerting?.intakeUrl ?? "", certFile, systemClock());
  await intake.submit(brokerLost("e-1", "stairwell-3"));
  const tried = () =>
    intake.submit(brokerLost("e-2", "stairwell-3")).then(
      () => "taken",
      (error: Error) => error.message,
    );
  try {
    replace(caFile, (await makeAuthority("Another", new Date())).certificate);
    await expect.poll(tried, { timeout: 10_000 }).toMatch(/closed the connection/);
    expect(alerting.alerting?.counters()["intake.refused.unknown-authority"]).toBe(1);
    replace(caFile, authority.certificate);
    await expect.poll(tried, { timeout: 10_000 }).toBe("taken");
  } finally {
    replace(caFile, authority.certificate);
  }
});

test("certificates renewed on disk, on both sides, are taken up without a lost item", async () => {
  // A minute of this clock is half a second.
  const fast = systemClock(120);
  const alerting = await startAlerting("renewed", await freePort(), 0, fast);
  const url = alerting.alerting?.intakeUrl ?? "";
  const certFile = written("renewed.pem", await issueForGateway(authority, "stairwell-3", new Date()));
  const credential = openCredentialFiles({
    section: "gateway.intake",
    paths: { caFile, certFile },
    mend: "mend",
    clock: fast,
    log: silent,
  });
  const intake = createHttpIntake({ url, credential, clock: fast, timeoutSeconds: 600 });
  opened.push(credential);
  let handedIn = 0;
  let failed = 0;
  let isOver = false;
  const sending = (async () => {
    while (!isOver) {
      await intake.submit(brokerLost(`e-${handedIn}`, "stairwell-3")).catch(() => failed++);
      handedIn++;
    }
  })();
  const shown = async () => {
    const socket = await shownBy(url, certFile);
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await shown();
  const [oldCert, oldKey] = [readFileSync(server.certFile, "utf8"), readFileSync(server.keyFile, "utf8")];
  try {
    const renewed = await issueForServer(authority, ["localhost", "127.0.0.1"], new Date());
    replace(server.keyFile, renewed.key);
    replace(server.certFile, renewed.certificate);
    const mine = await issueForGateway(authority, "stairwell-3", new Date());
    replace(certFile, `${mine.certificate.trim()}\n${mine.key}`);
    const fingerprint = new X509Certificate(renewed.certificate).fingerprint256;
    expect(fingerprint).not.toBe(before);
    await expect.poll(shown, { timeout: 10_000 }).toBe(fingerprint);
    await expect.poll(() => credential.current.cert, { timeout: 10_000 }).toContain(mine.certificate.trim());
    const soFar = handedIn;
    await expect.poll(() => handedIn, { timeout: 10_000 }).toBeGreaterThan(soFar + 20);
  } finally {
    isOver = true;
    await sending;
    intake.close();
    replace(server.certFile, oldCert);
    replace(server.keyFile, oldKey);
  }
  expect(failed).toBe(0);
  expect(handedIn).toBeGreaterThan(20);
  expect(alerting.alerting?.counters()["intake.gateway-event"]).toBe(handedIn);
});
