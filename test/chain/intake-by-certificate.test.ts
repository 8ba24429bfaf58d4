import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { Intake, IntakeItem } from "../../firmware-contracts/intake.ts";
import {
  type Credential,
  issueForDevice,
  issueForGateway,
  issueForServer,
  makeAuthority,
} from "../../front-door/certificates.ts";
import { createHttpIntake } from "../../gateway/outbox/http-intake.ts";
import { brokerLost, openTlsPair, replace, type StartedAlerting, type TlsPair } from "./tls-pair.ts";

const day = 86_400_000;
const years = (count: number) => new Date(Date.now() + count * 365 * day);
let pair: TlsPair;
beforeAll(async () => {
  pair = await openTlsPair();
});
afterEach(() => pair.stopAll());
afterAll(() => pair.close());

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
const heartbeat = (gatewayId: string) => ({ gatewayId, everyMs: 60_000 });

describe("who is not let in is counted, and changes nothing", () => {
  let alerting: StartedAlerting;
  const counted = (name: string) => alerting.counted(name);

  async function expectNothingChanged(): Promise<void> {
    expect(alerting.service.alerting?.episodes()).toEqual([]);
    expect(counted("detection")).toBe(0);
    expect(counted("gateway-event")).toBe(0);
    // A heartbeat that counted would be missed three minutes later.
    expect(alerting.service.alerting?.backend.troubles()).toEqual([]);
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
      () => issueForGateway(pair.authority, "stairwell-3", years(-11)),
    ],
    [
      "of a device",
      "refused.not-a-gateway",
      /refused \(403\).*fallvakt gateway certificate/,
      () => issueForDevice(pair.authority, "stairwell-3", new Date()),
    ],
    [
      "of a server",
      "refused.not-for-clients",
      /closed the connection/,
      () => issueForServer(pair.authority, ["stairwell-3"], new Date()),
    ],
    [
      "that is not there",
      "refused.no-certificate",
      /asks for a certificate.*gateway\.intake\.certFile/,
      async () => null,
    ],
  ])("a certificate %s", async (name, counter, says, make) => {
    alerting = await pair.startAlerting(`refused-${name.replaceAll(" ", "-")}`);
    const made = await make();
    const intake = pair.intakeWith(alerting.intakeUrl, made ? pair.written("refused.pem", made) : undefined);
    await expect(intake.submit(detection("watch-38.1.1.help"))).rejects.toThrow(says);
    await expect(intake.submit(brokerLost("e-1", "stairwell-3"))).rejects.toThrow();
    await expect(intake.control(0, heartbeat("stairwell-3"))).rejects.toThrow();
    expect(counted(counter)).toBe(3);
    await expectNothingChanged();
  });

  test("a gateway does not speak as another, and what it says as itself is taken", async () => {
    alerting = await pair.startAlerting("another-gateway");
    const made = await issueForGateway(pair.authority, "stairwell-3", new Date());
    const intake = pair.intakeWith(alerting.intakeUrl, pair.written("own.pem", made));
    await expect(intake.submit(brokerLost("e-1", "stairwell-4"))).rejects.toThrow("422");
    await expect(intake.control(0, heartbeat("stairwell-4"))).rejects.toThrow("must be of this gateway's id");
    expect(counted("refused.another-gateway")).toBe(2);
    await expectNothingChanged();
    await intake.submit(brokerLost("e-2", "stairwell-3"));
    expect(alerting.service.alerting?.backend.troubles()).toContain("broker-lost");
    expect(await intake.control(0, heartbeat("stairwell-3"))).toBeNull();
  });

  test("nor does one that was revoked, as after a theft; the others are let in as before", async () => {
    alerting = await pair.startAlerting("revoked", { revoked: ["stairwell-3"] });
    const stolen = pair.intakeWith(
      alerting.intakeUrl,
      pair.written("own.pem", await issueForGateway(pair.authority, "stairwell-3", new Date())),
    );
    await expect(stolen.submit(detection("watch-38.1.1.help"))).rejects.toThrow("refused (403)");
    await expect(stolen.control(0, heartbeat("stairwell-3"))).rejects.toThrow("refused (403)");
    expect(counted("refused.revoked")).toBe(2);
    await expectNothingChanged();
    const other = pair.intakeWith(
      alerting.intakeUrl,
      pair.written("other.pem", await issueForGateway(pair.authority, "stairwell-4", new Date())),
    );
    await other.submit(brokerLost("e-1", "stairwell-4"));
    expect(counted("gateway-event")).toBe(1);
  });

  test("the token opens no door for certificates, and this door nothing but the intake", async () => {
    alerting = await pair.startAlerting("token-there");
    const certFile = pair.written("own.pem", await issueForGateway(pair.authority, "stairwell-3", new Date()));
    const { credential } = pair.intakeWith(alerting.intakeUrl);
    const { token, clock } = pair;
    const withToken = createHttpIntake({ url: alerting.intakeUrl, token, credential, clock, timeoutSeconds: 60 });
    await expect(withToken.submit(detection("watch-38.1.1.help"))).rejects.toThrow("asks for a certificate");
    const socket = await shownBy(alerting.intakeUrl, certFile);
    for (const path of ["/", "/api/session", "/webhooks/twilio/inbound", "/healthz"]) {
      expect(await statusOf(socket, path)).toBe(404);
    }
    expect(await statusOf(socket, "/intake/v1/control?have=0&gateway=stairwell-3&everyMs=60000")).toBe(204);
    socket.destroy();
    await expect(pair.intakeWith(alerting.intakeUrl.replace("https", "http")).submit(detection("x"))).rejects.toThrow();
  });
});

/** A TLS connection of our own, as any program could make it. */
function shownBy(url: string, certFile: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const pem = readFileSync(certFile, "utf8");
    const { port } = new URL(url);
    const own = { cert: pem, key: pem, ca: readFileSync(pair.caFile), host: "localhost", servername: "localhost" };
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

/** "taken", or why not. */
function whatCameOf(intake: Intake): Promise<string> {
  return intake.submit(brokerLost("e-2", "stairwell-3")).then(
    () => "taken",
    (error: Error) => error.message,
  );
}

test("a connection that is open when the gateway's certificate ends is of no use from then on", async () => {
  // Four minutes of this clock are two seconds.
  const fast = systemClock(120);
  const alerting = await pair.startAlerting("ends-meanwhile", { clock: fast });
  const tenYearsAgo = new Date();
  tenYearsAgo.setUTCFullYear(tenYearsAgo.getUTCFullYear() - 10);
  const made = await issueForGateway(pair.authority, "stairwell-3", new Date(tenYearsAgo.getTime() + 240_000));
  const intake = pair.intakeWith(alerting.intakeUrl, pair.written("ends.pem", made), fast);
  await intake.submit(brokerLost("e-1", "stairwell-3"));
  await expect.poll(() => whatCameOf(intake), { timeout: 10_000 }).toMatch(/refused \(403\).*not have ended/);
  expect(alerting.counted("refused.ended")).toBe(1);
});

test("an authority that is taken out of alerting's file lets nobody in from then on, nor who is connected", async () => {
  const alerting = await pair.startAlerting("withdrawn", { clock: systemClock(120) });
  const certFile = pair.written("own.pem", await issueForGateway(pair.authority, "stairwell-3", new Date()));
  const intake = pair.intakeWith(alerting.intakeUrl, certFile, systemClock());
  await intake.submit(brokerLost("e-1", "stairwell-3"));
  try {
    replace(pair.caFile, (await makeAuthority("Another", new Date())).certificate);
    await expect.poll(() => whatCameOf(intake), { timeout: 10_000 }).toMatch(/closed the connection/);
    expect(alerting.counted("refused.unknown-authority")).toBe(1);
    replace(pair.caFile, pair.authority.certificate);
    await expect.poll(() => whatCameOf(intake), { timeout: 10_000 }).toBe("taken");
  } finally {
    replace(pair.caFile, pair.authority.certificate);
  }
});

test("certificates renewed on disk, on both sides, are taken up without a lost item", async () => {
  // A minute of this clock is half a second.
  const fast = systemClock(120);
  const alerting = await pair.startAlerting("renewed", { clock: fast });
  const certFile = pair.written("renewed.pem", await issueForGateway(pair.authority, "stairwell-3", new Date()));
  const intake = pair.intakeWith(alerting.intakeUrl, certFile, fast);
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
    const socket = await shownBy(alerting.intakeUrl, certFile);
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await shown();
  const { server } = pair;
  const [oldCert, oldKey] = [readFileSync(server.certFile, "utf8"), readFileSync(server.keyFile, "utf8")];
  try {
    const renewed = await issueForServer(pair.authority, ["localhost", "127.0.0.1"], new Date());
    replace(server.keyFile, renewed.key);
    replace(server.certFile, renewed.certificate);
    const mine = await issueForGateway(pair.authority, "stairwell-3", new Date());
    replace(certFile, `${mine.certificate.trim()}\n${mine.key}`);
    const fingerprint = new X509Certificate(renewed.certificate).fingerprint256;
    expect(fingerprint).not.toBe(before);
    await expect.poll(shown, { timeout: 10_000 }).toBe(fingerprint);
    await expect.poll(() => intake.credential.current.cert, { timeout: 10_000 }).toContain(mine.certificate.trim());
    const soFar = handedIn;
    await expect.poll(() => handedIn, { timeout: 10_000 }).toBeGreaterThan(soFar + 20);
  } finally {
    isOver = true;
    await sending;
    replace(server.certFile, oldCert);
    replace(server.keyFile, oldKey);
  }
  expect(failed).toBe(0);
  expect(handedIn).toBeGreaterThan(20);
  expect(alerting.counted("gateway-event")).toBe(handedIn);
});
