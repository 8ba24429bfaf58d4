import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { checkCertificates } from "./certificate-check.ts";
import {
  type Credential,
  certificateFiles,
  issueForDevice,
  issueForGateway,
  issueForServer,
  makeAuthority,
  readAuthority,
} from "./certificates.ts";
import { type Role, readConfig } from "./config.ts";
import { initCommand } from "./init.ts";
import { linesIn } from "./settings-file.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-check-"));
const path = join(folder, "fallvakt.yaml");
const inFolder = (name: string) => join(folder, name);
const day = 86_400_000;
const now = Date.now();
const years = (count: number, days = 0) =>
  new Date(new Date(now).setUTCFullYear(new Date(now).getUTCFullYear() + count) + days * day);
let authority: Credential;
let good: string;

/** Certificate and key in one file. */
function written(name: string, { certificate, key }: Credential): string {
  writeFileSync(inFolder(name), `${certificate.trim()}\n${key}`);
  return name;
}

beforeAll(async () => {
  await initCommand().parseAsync(["--config", path, "--simulated-phones", "--host", "larm.example.se"], {
    from: "user",
  });
  authority = readAuthority(inFolder("certificates"));
  written("own.pem", await issueForGateway(authority, "gateway-1", new Date(now)));
  const server = {
    certFile: `certificates/${certificateFiles.intake}`,
    keyFile: `certificates/${certificateFiles.intakeKey}`,
  };
  const caFile = `certificates/${certificateFiles.authority}`;
  const document = parseDocument(readFileSync(path, "utf8"));
  const set = (key: string, value: object) => document.setIn(key.split("."), document.createNode(value));
  set("gateway.intake", { url: "https://larm.example.se:8443", caFile, certFile: "own.pem" });
  set("alerting.http.tls", server);
  set("alerting.intake.tls", { ...server, caFile });
  set("gateway.outside", { url: "mqtts://b.example.se", username: "u", password: "p", caFile });
  const devices = [{ name: "sos", device: "button-38" }];
  set("gateway.adapters", [{ kind: "zigbee2mqtt", url: "mqtts://b.example.se", caFile, devices }]);
  set("gateway.out", { url: "mqtts://b.example.se", caFile });
  good = document.toString();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Change = (set: (key: string, value: unknown) => void) => void;

function findings(change: Change = () => {}, role: Role = "all") {
  const document = parseDocument(good);
  change((key, value) => document.setIn(key.split("."), value));
  writeFileSync(path, document.toString());
  return checkCertificates(readConfig(path, role, {}), role, now);
}
const wrong = (change: Change, role?: Role) =>
  findings(change, role)
    .filter(({ level }) => level !== "ok")
    .map(({ key, level, says }) => `${level} ${key}: ${says}`);

test("each file that is configured is read, with its days", () => {
  const all = findings();
  expect(all.filter(({ level }) => level !== "ok")).toEqual([]);
  expect(all.map(({ key }) => key)).toEqual([
    "gateway.mqtt.tls.certFile",
    "gateway.mqtt.tls.caFile",
    "gateway.outside.caFile",
    "gateway.adapters.0.caFile",
    "gateway.out.caFile",
    "gateway.intake.certFile",
    "gateway.intake.caFile",
    "alerting.http.tls.certFile",
    "alerting.intake.tls.certFile",
    "alerting.intake.tls.caFile",
  ]);
  expect(all[0]?.says).toMatch(/broker\.pem, 36\d\d days left$/);
  expect(findings(() => {}, "gateway").map(({ key }) => key.split(".")[0])).not.toContain("alerting");
  expect(findings(() => {}, "alerting").map(({ key }) => key.split(".")[0])).not.toContain("gateway");
});

describe("each problem is told with its key and the mend", () => {
  test.each<[string, () => Promise<Change> | Change, RegExp]>([
    [
      "unreadable",
      () => (set) => set("gateway.mqtt.tls.certFile", "none.pem"),
      /^mend gateway\.mqtt\.tls\.certFile: .*none\.pem cannot be read \(ENOENT\): .*fallvakt init --certificates-only/,
    ],
    [
      "no PEM",
      () => (set) => {
        writeFileSync(inFolder("der.pem"), Buffer.from([0x30, 0x82, 1, 2]));
        set("gateway.outside.caFile", "der.pem");
      },
      /^mend gateway\.outside\.caFile: .*holds no certificate in PEM form/,
    ],
    [
      "torn PEM",
      () => (set) => {
        writeFileSync(inFolder("torn.pem"), authority.certificate.replace(/\n[^\n]{20}/, "\n"));
        set("gateway.intake.caFile", "torn.pem");
      },
      /^mend gateway\.intake\.caFile: .*holds no certificate in PEM form/,
    ],
    [
      "no key",
      () => (set) => set("alerting.http.tls.keyFile", `certificates/${certificateFiles.authority}`),
      /^mend alerting\.http\.tls\.keyFile: .*holds no private key/,
    ],
    [
      "another's key",
      () => (set) => set("alerting.intake.tls.keyFile", `certificates/${certificateFiles.brokerKey}`),
      /^mend alerting\.intake\.tls\.keyFile: .*broker-key\.pem is not the key of .*intake\.pem/,
    ],
    [
      "ended",
      async () => {
        const file = written("ended.pem", await issueForGateway(authority, "gateway-1", years(-11)));
        return (set) => set("gateway.intake.certFile", file);
      },
      /^mend gateway\.intake\.certFile: .*has ended on \d{4}-\d\d-\d\d: make it with fallvakt gateway certificate gateway-1/,
    ],
    [
      "soon to end",
      async () => {
        const file = written("soon.pem", await issueForServer(authority, ["larm.example.se"], years(-10, 10.5)));
        return (set) => {
          set("alerting.intake.tls.certFile", file);
          set("alerting.intake.tls.keyFile", file);
        };
      },
      /^warn alerting\.intake\.tls\.certFile: .*ends in 10 days, on .*fallvakt init --certificates-only/,
    ],
    [
      "of another authority",
      async () => {
        const other = await makeAuthority("Somebody else", new Date(now));
        const file = written("foreign.pem", await issueForGateway(other, "gateway-1", new Date(now)));
        return (set) => set("gateway.intake.certFile", file);
      },
      /^mend gateway\.intake\.certFile: .*not signed by the authority in alerting\.intake\.tls\.caFile: let that/,
    ],
    [
      "a server's of an authority that its clients do not know",
      async () => {
        const other = await makeAuthority("Somebody else", new Date(now));
        const file = written("foreign.pem", await issueForServer(other, ["larm.example.se"], new Date(now)));
        return (set) => {
          set("gateway.mqtt.tls.certFile", file);
          set("gateway.mqtt.tls.keyFile", file);
        };
      },
      /^mend gateway\.mqtt\.tls\.certFile: .*not signed by the authority in gateway\.mqtt\.tls\.caFile/,
    ],
    [
      "a host that it does not hold",
      () => (set) => set("gateway.intake.url", "https://other.example.se:8443"),
      /^mend alerting\.intake\.tls\.certFile: .*does not hold other\.example\.se.*--host other\.example\.se/,
    ],
    [
      "an address that it does not hold",
      () => (set) => set("gateway.intake.url", "https://192.0.2.7:8443"),
      /^mend alerting\.intake\.tls\.certFile: .*does not hold 192\.0\.2\.7/,
    ],
    [
      "a client's where a server's should be",
      () => (set) => {
        set("gateway.mqtt.tls.certFile", "own.pem");
        set("gateway.mqtt.tls.keyFile", "own.pem");
      },
      /^mend gateway\.mqtt\.tls\.certFile: .*is not for servers/,
    ],
    [
      "a device's",
      async () => {
        const file = written("device.pem", await issueForDevice(authority, "gateway-1", new Date(now)));
        return (set) => set("gateway.intake.certFile", file);
      },
      /^mend gateway\.intake\.certFile: .*is no gateway's: make it with/,
    ],
    [
      "another gateway's",
      () => (set) => set("gateway.id", "gateway-2"),
      /^mend gateway\.intake\.certFile: .*of the gateway gateway-1, and gateway\.id is gateway-2/,
    ],
    [
      "no authority's",
      () => (set) => set("gateway.outside.caFile", "own.pem"),
      /^mend gateway\.outside\.caFile: .*no authority's/,
    ],
  ])("%s", async (_name, make, says) => {
    const found = wrong(await make());
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(says);
  });

  test("not valid yet", () => {
    // Those of ours are valid from 1970.
    writeFileSync(path, good);
    const before = checkCertificates(readConfig(path, "gateway", {}), "gateway", -day);
    expect(before.find(({ key }) => key === "gateway.intake.certFile")).toMatchObject({
      level: "mend",
      says: expect.stringMatching(/is not valid before 1970-01-01: is this machine's clock right\?/),
    });
  });
});

test("the command tells each with its line; one that only ends soon does not fail it", {
  timeout: 60_000,
}, async () => {
  const soon = written("soon.pem", await issueForGateway(authority, "gateway-1", years(-10, 5.5)));
  const run = async (change: Change) => {
    findings(change, "gateway");
    const program = new URL("../fallvakt.ts", import.meta.url).pathname;
    const args = [program, "check", "--role", "gateway", "--json", "--config", path];
    const { stdout } = await promisify(execFile)(process.execPath, args).catch((error: { stdout: string }) => error);
    return JSON.parse(stdout) as { what: string; ok: boolean; says: string; warning?: true }[];
  };
  const found = await run((set) => {
    set("gateway.intake.certFile", soon);
    set("gateway.mqtt.port", 0);
  });
  const line = linesIn(path)("gateway.intake.certFile");
  expect(readFileSync(path, "utf8").split("\n")[(line ?? 0) - 1]).toContain("soon.pem");
  expect(found).toContainEqual({
    what: "gateway.intake.certFile",
    ok: true,
    warning: true,
    says: expect.stringMatching(new RegExp(`^${path}:${line}: .*ends in 5 days`)),
  });
  // Nobody answers at that address.
  expect(found.find(({ what }) => what === "gateway.intake")).toMatchObject({ ok: false });
  expect(found.filter(({ ok }) => !ok).map(({ what }) => what)).toEqual(["gateway.intake"]);
});
