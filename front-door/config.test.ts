import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Config, readConfig } from "./config.ts";
import { configurationPage } from "./configuration-page.ts";
import { initCommand } from "./init.ts";
import { SettingsError } from "./settings-file.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function init(name: string, ...flags: string[]): Promise<string> {
  const path = join(folder, name);
  await initCommand().parseAsync(["--config", path, ...flags], { from: "user" });
  return path;
}

function problemsOf(path: string, env: NodeJS.ProcessEnv = {}): SettingsError["problems"] {
  try {
    readConfig(path, "all", env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

function lineWith(path: string, text: string): number {
  return (
    readFileSync(path, "utf8")
      .split("\n")
      .findIndex((line) => line.includes(text)) + 1
  );
}

describe("a fresh configuration", () => {
  test("with simulated phones is complete, has secrets of its own, and only its owner reads it", async () => {
    const one = await init("one.yaml", "--simulated-phones");
    const two = await init("two.yaml", "--simulated-phones");
    expect(problemsOf(one)).toEqual([]);
    const [a, b] = [readConfig(one, "all", {}), readConfig(two, "all", {})];
    expect(a.alerting?.intake.token).not.toBe(b.alerting?.intake.token);
    expect(a.alerting?.twilio.authToken).not.toBe(b.alerting?.twilio.authToken);
    expect(statSync(one).mode & 0o077).toBe(0);
    expect(a.dataDir).toBe(join(folder, "data"));
  });

  test("for real phones says what is still to be filled in, each with its line", async () => {
    const path = await init("real.yaml");
    const problems = problemsOf(path);
    expect(problems).toContainEqual({
      key: "alerting.twilio.authToken",
      line: lineWith(path, "authToken:"),
      problem: "the environment variable TWILIO_AUTH_TOKEN is not set",
    });
    expect(problems.find((p) => p.key === "alerting.responders.0.phone")?.line).toBe(lineWith(path, "id: patrol-1"));
  });

  test("does not overwrite one that is there", async () => {
    await init("there.yaml");
    await expect(init("there.yaml")).rejects.toThrow("--force");
  });
});

describe("a broken configuration is told with its line", () => {
  test.each([
    ["an unknown key", "id: gateway-1", "idd: gateway-1", "idd", /unrecognized/i],
    ["a policy that names nobody known", "responders: [patrol-2]", "responders: [patrol-9]", "patrol-9", /patrol-9/],
    ["an emergency number", 'phone: "+46701740603"', 'phone: "112"', '"112"', /112/],
    [
      "a sender that cannot be answered",
      'from: "+46766860000"',
      "from: Fallvakt",
      "from: Fallvakt",
      /cannot be answered/,
    ],
  ])("%s", async (name, was, becomes, where, says) => {
    const path = await init(`${name.replaceAll(/\W/g, "-")}.yaml`, "--simulated-phones");
    writeFileSync(path, readFileSync(path, "utf8").replace(was, becomes));
    const problems = problemsOf(path);
    expect(problems.map((p) => p.problem).join("\n")).toMatch(says);
    // An unknown key is told of at the section that holds it.
    expect(problems.some((p) => Math.abs((p.line ?? 0) - lineWith(path, where)) <= 1)).toBe(true);
  });

  test("YAML that cannot be read", () => {
    const path = join(folder, "torn.yaml");
    writeFileSync(path, "gateway:\n  id: [unclosed\n");
    expect(problemsOf(path)[0]?.line).toBeGreaterThan(0);
  });

  test("a gateway on its own needs to know where alerting is, and nothing of its settings", () => {
    const path = join(folder, "stairwell.yaml");
    writeFileSync(path, "gateway: { id: stairwell-3 }\n");
    expect(() => readConfig(path, "gateway", {})).toThrow("gateway.intake");
    expect(() => readConfig(path, "all", {})).toThrow("alerting: missing");
    writeFileSync(path, "gateway: { intake: { url: 'https://larm.example.se', token: twenty-characters-and-more } }\n");
    expect(readConfig(path, "gateway", {}).alerting).toBeUndefined();
  });

  test.each<[string, string, RegExp]>([
    [
      "neither token nor certificate",
      "url: 'https://a.example'",
      /^gateway\.intake\.token: missing: give .*fallvakt gateway certificate/,
    ],
    [
      "both",
      "url: 'https://a.example', token: twenty-characters-and-more, certFile: own.pem",
      /^gateway\.intake\.token: .*leave out one/,
    ],
    [
      "a key without its certificate",
      "url: 'https://a.example', token: twenty-characters-and-more, keyFile: key.pem",
      /^gateway\.intake\.keyFile: .*give certFile too/,
    ],
    [
      "a token in the open",
      "url: 'http://a.example:8080', token: twenty-characters-and-more",
      /^gateway\.intake\.url: .*use https/,
    ],
    [
      "a token in the open, in capitals",
      "url: 'HTTP://a.example:8080', token: twenty-characters-and-more",
      /^gateway\.intake\.url: .*use https/,
    ],
    [
      "a token in the open, to an address that begins like this machine's",
      "url: 'http://127.0.0.1.example', token: twenty-characters-and-more",
      /^gateway\.intake\.url: .*use https/,
    ],
    [
      "a certificate without TLS",
      "url: 'http://127.0.0.1:8443', certFile: own.pem",
      /^gateway\.intake\.url: .*https only/,
    ],
  ])("a gateway's way to alerting: %s", (_name, intake, says) => {
    const path = join(folder, "gateway.yaml");
    writeFileSync(path, `gateway: { intake: { ${intake} } }\n`);
    let problems: SettingsError["problems"] = [];
    try {
      readConfig(path, "gateway", {});
    } catch (error) {
      if (error instanceof SettingsError) problems = error.problems;
    }
    expect(problems.map(({ key, problem }) => `${key}: ${problem}`)).toEqual([expect.stringMatching(says)]);
    expect(problems[0]?.line).toBe(1);
  });

  test.each(["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])(
    "a token to this machine itself may go without TLS: %s",
    (url) => {
      const path = join(folder, "here.yaml");
      writeFileSync(path, `gateway: { intake: { url: '${url}', token: twenty-characters-and-more } }\n`);
      expect(readConfig(path, "gateway", {}).gateway.intake?.url).toBe(url);
    },
  );

  test("files of certificates are beside the configuration", () => {
    const path = join(folder, "beside.yaml");
    const files = "caFile: ca.pem, certFile: /etc/own.pem, keyFile: keys/own.pem";
    writeFileSync(path, `gateway: { intake: { url: 'https://a.example', ${files} } }\n`);
    expect(readConfig(path, "gateway", {}).gateway.intake).toMatchObject({
      caFile: join(folder, "ca.pem"),
      certFile: "/etc/own.pem",
      keyFile: join(folder, "keys/own.pem"),
    });
  });

  test("no file at all says how to write one", () => {
    expect(() => readConfig(join(folder, "none.yaml"), "all", {})).toThrow("fallvakt init");
  });
});

test("secrets come from the environment or from files", async () => {
  const path = await init("secrets.yaml", "--simulated-phones");
  const token = "a-token-of-more-than-twenty-characters";
  writeFileSync(join(folder, "token.txt"), `${token}\n`);
  writeFileSync(path, readFileSync(path, "utf8").replace(/token: \S+/, "token: { file: token.txt }"));
  expect(readConfig(path, "all", {}).alerting?.intake.token).toBe(token);
});

test("docs/configuration.md describes every key, as the schema has it", () => {
  const committed = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");
  expect(committed).toBe(configurationPage(Config));
  expect(committed).not.toMatch(/\|\s*\|$/m);
});
