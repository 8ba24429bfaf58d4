import { X509Certificate } from "node:crypto";
import { createServer as createPlainServer } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { Credential, CredentialFiles } from "../../firmware-contracts/credential-files.ts";
import type { IntakeItem } from "../../firmware-contracts/intake.ts";
import { issueForDevice, issueForGateway, issueForServer, makeAuthority } from "../../front-door/certificates.ts";
import { Away } from "./away.ts";
import { createHttpIntake } from "./http-intake.ts";

const clock = systemClock();
const now = new Date();
const item: IntakeItem = {
  type: "device-event",
  event: { v: 1, id: "e-1", deviceId: "watch-1", at: 1, event: "online" },
};
const longAgo = new Date(now);
longAgo.setUTCFullYear(now.getUTCFullYear() - 11);
type Issued = { certificate: string; key: string };
let authority: Issued;
let server: Server;
/** Fingerprints of the certificates that requests came with, and their connections. */
let shown: string[] = [];
let connections = 0;
let resumed = 0;
let holding: (() => void) | null = null;
let held: Promise<void> | null = null;

beforeAll(async () => {
  authority = await makeAuthority("Fallvakt", now);
  const { certificate, key } = await issueForServer(authority, ["localhost", "127.0.0.1"], now);
  server = createServer(
    { cert: certificate, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true },
    async (request, response) => {
      shown.push((request.socket as TLSSocket).getPeerCertificate().fingerprint256);
      await held;
      response.writeHead(204).end();
    },
  );
  server.on("secureConnection", (socket) => {
    connections++;
    if (socket.isSessionReused()) resumed++;
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A credential that is renewed when the test says so. */
function credentialOf(first: Credential): CredentialFiles & { renew(next: Credential): void } {
  let current = first;
  const listeners: ((renewed: Credential) => void)[] = [];
  return {
    get current() {
      return current;
    },
    certificates: () => [],
    onChange: (listener) => void listeners.push(listener),
    stop() {},
    renew(next) {
      current = next;
      for (const listener of listeners) listener(next);
    },
  };
}
const byCertificate = ({ certificate, key }: Issued): Credential => ({
  cert: certificate,
  key,
  ca: authority.certificate,
});
const urlOf = (port: number) => `https://localhost:${port}`;
const url = () => urlOf((server.address() as AddressInfo).port);
const open = (to: string, credential: CredentialFiles) =>
  createHttpIntake({ url: to, credential, clock, timeoutSeconds: 5 });

test("connections are kept; a renewed certificate is shown from the next request on, and what is under way is answered", async () => {
  const [old, renewed] = [
    await issueForGateway(authority, "stairwell-3", now),
    await issueForGateway(authority, "stairwell-3", now),
  ];
  const fingerprint = ({ certificate }: Issued) => new X509Certificate(certificate).fingerprint256;
  const credential = credentialOf(byCertificate(old));
  const intake = open(url(), credential);
  shown = [];
  connections = 0;
  await intake.submit(item);
  await intake.submit(item);
  expect(connections).toBe(1);
  held = new Promise((resolve) => {
    holding = resolve;
  });
  const underWay = intake.submit(item);
  await expect.poll(() => shown.length).toBe(3);
  credential.renew(byCertificate(renewed));
  holding?.();
  held = null;
  await underWay;
  await intake.submit(item);
  await intake.submit(item);
  expect(shown).toEqual([old, old, old, renewed, renewed].map(fingerprint));
  expect(connections).toBe(2);
  // The old one's connection is not kept.
  await expect.poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(1);
  intake.close();
});

test("a connection that takes up the session of an earlier one shows the same certificate", async () => {
  const own = await issueForGateway(authority, "stairwell-3", now);
  const intake = open(url(), credentialOf(byCertificate(own)));
  shown = [];
  connections = 0;
  resumed = 0;
  await intake.submit(item);
  server.closeIdleConnections();
  await intake.submit(item);
  expect([connections, resumed]).toEqual([2, 1]);
  const { fingerprint256 } = new X509Certificate(own.certificate);
  expect(shown).toEqual([fingerprint256, fingerprint256]);
  intake.close();
});

test("what is wrong with the certificate of the other end is said, with the mend", async () => {
  const mine = byCertificate(await issueForGateway(authority, "stairwell-3", now));
  const foreign = await makeAuthority("Somebody else", now);
  const cases: [Issued, RegExp][] = [
    [await issueForServer(authority, ["localhost"], longAgo), /certificate has ended; renew it there/],
    [
      await issueForServer(foreign, ["localhost"], now),
      /an authority that this gateway does not know.*gateway\.intake\.caFile/,
    ],
    [
      await issueForServer(authority, ["other.example.se"], now),
      /does not hold the name localhost; .*--host localhost/,
    ],
    [await issueForDevice(authority, "localhost", now), /not for servers/],
  ];
  for (const [{ certificate, key }, says] of cases) {
    const other = createServer({ cert: certificate, key }, (_request, response) => response.writeHead(204).end());
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const intake = open(urlOf((other.address() as AddressInfo).port), credentialOf(mine));
    const refusal = intake.submit(item);
    await expect(refusal).rejects.toThrow(says);
    await expect(refusal).rejects.toBeInstanceOf(Away);
    intake.close();
    other.closeAllConnections();
    other.close();
  }
});

test("what is wrong with the gateway's own is said as far as can be known, with the mend", async () => {
  const none = open(url(), credentialOf({ ca: authority.certificate }));
  await expect(none.submit(item)).rejects.toThrow(/asks for a certificate; set gateway\.intake\.certFile/);
  const ended = open(url(), credentialOf(byCertificate(await issueForGateway(authority, "stairwell-3", longAgo))));
  await expect(ended.submit(item)).rejects.toThrow(/closed the connection.*has ended or is not of the authority/);
});

test("a port without TLS is told as such", async () => {
  const plain = createPlainServer();
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  const intake = open(urlOf((plain.address() as AddressInfo).port), credentialOf({ ca: authority.certificate }));
  await expect(intake.submit(item)).rejects.toThrow(/no TLS is spoken there/);
  plain.close();
});
