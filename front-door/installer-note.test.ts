import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "uqr";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFiles, writeCertificates } from "./certificates.ts";
import { Config } from "./config.ts";
import { brokerOf, installerQr } from "./installer-note.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-note-"));
beforeAll(() => writeCertificates(folder, ["gw.example.se", "localhost", "127.0.0.1"], new Date()).then(() => {}));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: keyof typeof certificateFiles) => join(folder, certificateFiles[name]);
const withGateway = (gateway: object) => Config.parse({ gateway });
const tls = () => ({ certFile: file("broker"), keyFile: file("brokerKey"), caFile: file("authority") });

describe("where an installer's device finds its broker", () => {
  test("with TLS: at the first name of the certificate that others can reach, and whom to trust", async () => {
    const { X509Certificate } = await import("node:crypto");
    const fingerprint = new X509Certificate(readFileSync(file("authority"))).fingerprint256;
    expect(brokerOf(withGateway({ mqtt: { tls: tls() } }))).toEqual({
      broker: "mqtts://gw.example.se:8883",
      ca: fingerprint.replaceAll(":", "").toLowerCase(),
    });
  });

  test("without: only where it listens to others; and what a person names goes before all", () => {
    expect(() => brokerOf(withGateway({}))).toThrow(/--broker/);
    expect(brokerOf(withGateway({ mqtt: { host: "10.0.0.7" } }))).toEqual({ broker: "mqtt://10.0.0.7:1883" });
    expect(brokerOf(withGateway({}), "mqtts://larm.example.se:8883")).toEqual({
      broker: "mqtts://larm.example.se:8883",
    });
    expect(() => brokerOf(withGateway({}), "larm.example.se")).toThrow(/mqtts:\/\//);
  });

  test("at an outside broker it is named: the configuration knows only the gateways' address", () => {
    const outside = { url: "mqtts://10.0.0.9:8884", username: "gateway-1", password: "x", caFile: file("authority") };
    expect(() => brokerOf(withGateway({ outside }))).toThrow(/--broker/);
    const named = brokerOf(withGateway({ outside }), "mqtts://larm.example.se:8883");
    expect(named).toMatchObject({
      broker: "mqtts://larm.example.se:8883",
      ca: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});

test("the QR code on the terminal is that of the note as JSON, light on dark, two rows of it in a line", () => {
  const note = {
    v: 1,
    broker: "mqtts://gw.example.se:8883",
    id: "watch-17",
    secret: "a-secret",
    ca: "0".repeat(64),
  } as const;
  const { data, size } = encode(JSON.stringify(note), { ecc: "M", border: 2 });
  const lines = installerQr(note).split("\n");
  const isLight = (x: number, y: number) => {
    const sign = lines[y >> 1]?.[x];
    return sign === "█" || sign === (y % 2 === 0 ? "▀" : "▄");
  };
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) expect(isLight(x, y), `${x}, ${y}`).toBe(!data[y]?.[x]);
});
