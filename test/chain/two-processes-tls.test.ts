import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openCredentialFiles } from "../../firmware-contracts/credential-files.ts";
import { issueForGateway, makeAuthority } from "../../front-door/certificates.ts";
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { startService } from "../../front-door/service.ts";
import { Away } from "../../gateway/outbox/away.ts";
import { createHttpIntake } from "../../gateway/outbox/http-intake.ts";
import { createDevice } from "../../simulators/device/device.ts";
import { playTrial } from "../../simulators/replay/play.ts";
import { hardFall, townSettings } from "../promises/town.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { openTlsPair, silent, type TlsPair } from "./tls-pair.ts";

let pair: TlsPair;
beforeAll(async () => {
  pair = await openTlsPair();
});
afterEach(() => pair.stopAll());
afterAll(() => pair.close());

const inbox = () => pair.network.phones.get("+46701740601")?.inbox.map((message) => message.body) ?? [];

describe.each<[string, () => Promise<Record<string, string>>]>([
  [
    "by certificate",
    async () => {
      const made = await issueForGateway(pair.authority, "stairwell-3", new Date());
      return { certFile: pair.written("stairwell-3.pem", made) };
    },
  ],
  ["by token over HTTPS", async () => ({ token: pair.token })],
])("a gateway and alerting apart, %s", (way, credential) => {
  test("a fall while alerting is down is paged when it is back", async () => {
    const [port, intakePort] = [await freePort(), await freePort()];
    const { caFile, clock, network } = pair;
    const name = way.replaceAll(" ", "-");
    const alerting = await pair.startAlerting(name, { port, intakePort });
    const own = await credential();
    const url = `https://localhost:${own.certFile ? intakePort : port}`;
    const { gateway: settings } = townSettings({ dataDir: pair.path(name), phonesUrl: network.url, port });
    const config = Config.parse({
      dataDir: pair.path(`${name}-gateway`),
      health: { port: 0 },
      gateway: { ...settings, id: "stairwell-3", intake: { url, caFile, ...own } },
    });
    const gateway = pair.keep(await startService({ config, role: "gateway", clock, log: silent }));
    const deviceId = way.includes("token") ? "belt-2" : "belt-1";
    const added = await alerting.service.alerting?.registry.addDevice(
      {
        deviceId,
        placement: "waist",
        key: "38",
        consentBy: "eva",
      },
      simulatedFleet,
    );
    const watch = createDevice({
      url: gateway.gateway?.mqttUrl ?? "",
      deviceId,
      secret: added?.secret ?? "",
      clock,
      rangeG: 16,
    });
    try {
      await watch.connect();
      await alerting.service.stop();
      const before = inbox().length;
      await playTrial(watch, hardFall(), clock);
      await watch.drain();
      await expect.poll(() => gateway.gateway?.counters()["detections.fall"], { timeout: 10_000 }).toBe(1);
      expect(inbox()).toHaveLength(before);

      await pair.startAlerting(name, { port, intakePort });
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

test("a gateway says what is wrong with alerting's certificate, and the mend", async () => {
  const { service, intakeUrl } = await pair.startAlerting("told");
  expect(service.certificates().map(({ which }) => which)).toEqual([
    "alerting.http.tls.certFile",
    "alerting.intake.tls.certFile",
    "alerting.intake.tls.caFile",
  ]);
  const certFile = pair.written("own.pem", await issueForGateway(pair.authority, "stairwell-3", new Date()));
  const { caFile, clock } = pair;
  const other = pair.path("other-ca.pem");
  writeFileSync(other, (await makeAuthority("Somebody else", new Date())).certificate);
  const reach = (to: string, paths: { caFile: string; certFile?: string }) => {
    const section = "gateway.intake";
    const credential = pair.keep(openCredentialFiles({ section, paths, mend: "mend", clock, log: silent }));
    const intake = createHttpIntake({ url: to, credential, clock, timeoutSeconds: 60 });
    return intake.reach();
  };
  await expect(reach(intakeUrl, { caFile: other, certFile })).rejects.toThrow(
    /gateway\.intake\.caFile must be the ca\.pem/,
  );
  await expect(reach(intakeUrl, { caFile: other, certFile })).rejects.toBeInstanceOf(Away);
  await reach(intakeUrl, { caFile, certFile });
  await service.stop();
  await expect(reach(intakeUrl, { caFile, certFile })).rejects.toThrow(/ECONNREFUSED/);
});
