import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test, vi } from "vitest";
import { checkCommand } from "./check.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const script = new URL("../fallvakt.ts", import.meta.url).pathname;
const path = join(folder, "fallvakt.yaml");

const good = `dataDir: data
gateway: { id: gateway-1, mqtt: { port: 0 }, detector: { backend: wasm } }
alerting:
  http:
    port: 0
    publicUrl: "https://larm.example.se"
  twilio:
    accountSid: AC0123456789abcdef0123456789abcdef
    authToken: a-token-of-the-account-1234
    from: "+46766860000"
  responders:
    - { id: patrol-1, name: Patrull 1, phone: "+46701740601" }
    - id: leader
      name: Gruppchef
      phone: "+46701740603"
  groups:
    - { id: night, members: [patrol-1] }
  policy:
    steps:
      - { responders: [patrol-1], waitSeconds: 120 }
      - { groups: [night], waitSeconds: 120 }
  operators: [leader]
  intake: { token: a-token-of-more-than-twenty-characters }
`;

interface Told {
  code: number;
  said: string;
}

function write(was: string | RegExp, becomes: string): void {
  const text = good.replace(was, becomes);
  if (text === good && was !== becomes) throw new Error(`the file has no ${was}`);
  writeFileSync(path, text);
}

/** `fallvakt check --role alerting` on a file in which this stands instead: the command itself, in this process. */
async function check(was: string | RegExp, becomes: string): Promise<Told> {
  write(was, becomes);
  let said = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
  process.exitCode = 0;
  try {
    await checkCommand().parseAsync(["--role", "alerting", "--config", path], { from: "user" });
    return { code: process.exitCode, said };
  } catch (error) {
    return { code: 1, said: `${said}${(error as Error).message}` };
  } finally {
    stdout.mockRestore();
    process.exitCode = 0;
  }
}

const lineOf = (text: string) => good.slice(0, good.indexOf(text)).split("\n").length;

test("a good configuration is well", async () => {
  const { code, said } = await check("", "");
  expect(said).toContain("alerting.http.publicUrl: https://larm.example.se");
  expect(code, said).toBe(0);
});

test("as whoever runs it sees it: every problem on standard error, and the command fails", async () => {
  write(/"\+46701740603"|"https:\/\/larm.example.se"/g, '"112"');
  const args = [script, "check", "--role", "alerting", "--config", path];
  const failed = await promisify(execFile)(process.execPath, args).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  const { stderr } = failed as { stderr: string };
  const lines = stderr.trimEnd().split("\n");
  expect(lines[0]).toBe(
    `fallvakt: ${path}:6: alerting.http.publicUrl: write a full address, such as https://larm.example.se`,
  );
  expect(lines[1]).toMatch(/^\S+fallvakt\.yaml:15: alerting\.responders\.1\.phone: 112, 113, 114 and 1177 are never/);
  expect(lines).toHaveLength(2);
});

interface Refusal {
  name: string;
  was: string | RegExp;
  becomes: string;
  /** What stands on the line that is told. */
  at: string;
  key: string;
  mend: RegExp;
}

const steps = / {4}steps:\n(.*\n){2}/;
const phone = (
  text: string,
  mend = /never texted by machine; give the phone of somebody on your own staff/,
): Refusal => ({
  name: `a contact at ${text}`,
  was: '"+46701740603"',
  becomes: text,
  at: 'phone: "+46701740603"',
  key: "alerting.responders.1.phone",
  mend,
});
const publicUrl = (text: string, mend: RegExp): Refusal => ({
  name: `a public address ${text}`,
  was: '"https://larm.example.se"',
  becomes: text,
  at: "publicUrl:",
  key: "alerting.http.publicUrl",
  mend,
});
const from = (text: string, mend: RegExp): Refusal => ({
  name: `a sender ${text}`,
  was: '"+46766860000"',
  becomes: text,
  at: "from:",
  key: "alerting.twilio.from",
  mend,
});

const oneStep = /needs at least one step, such as \{ responders: \[patrol-1\], waitSeconds: 120 \}/;
const cannotReach = /cannot reach this address, so no reply would ever count; give the address it has from outside/;

const refusals: Refusal[] = [
  {
    name: "no steps",
    was: steps,
    becomes: "    steps: []\n",
    at: "steps:",
    key: "alerting.policy.steps",
    mend: oneStep,
  },
  {
    name: "steps left out",
    was: steps,
    becomes: "    steps:\n",
    at: "steps:",
    key: "alerting.policy.steps",
    mend: oneStep,
  },
  {
    name: "a policy without the key",
    was: steps,
    becomes: "    arriveWithinMinutes: 30\n",
    at: "policy:",
    key: "alerting.policy.steps",
    mend: oneStep,
  },
  {
    name: "a step that pages nobody",
    was: "{ responders: [patrol-1], waitSeconds: 120 }",
    becomes: "{ waitSeconds: 120 }",
    at: "- { responders: [patrol-1]",
    key: "alerting.policy.steps.0.responders",
    mend: /name at least one responder, rota or group/,
  },
  {
    name: "an unknown person in a step",
    was: "{ responders: [patrol-1],",
    becomes: "{ responders: [patrol-1, patrol-9],",
    at: "- { responders: [patrol-1]",
    key: "alerting.policy.steps.0.responders.1",
    mend: /no responder has the id patrol-9; known are patrol-1, leader/,
  },
  {
    name: "an unknown group in a step",
    was: "groups: [night]",
    becomes: "groups: [nights]",
    at: "- { groups:",
    key: "alerting.policy.steps.1.groups.0",
    mend: /no group has the id nights; known are night/,
  },
  {
    name: "an unknown person in a group",
    was: "members: [patrol-1]",
    becomes: "members: [patrol-7]",
    at: "- { id: night",
    key: "alerting.groups.0.members.0",
    mend: /no responder has the id patrol-7/,
  },
  {
    name: "an unknown operator",
    was: "operators: [leader]",
    becomes: "operators: [leader, chief]",
    at: "operators:",
    key: "alerting.operators.1",
    mend: /no responder has the id chief; known are patrol-1, leader/,
  },
  ...[
    '"112"',
    '"112 13"',
    '"113 13"',
    '"114 14"',
    '"1177"',
    '"+46112"',
    '"+46 113 13"',
    '"+4611414"',
    '"+461177"',
    '"+112"',
    '"0046112"',
  ].map((text) => phone(text)),
  phone("112", /put it in quotes/),
  phone("+46701740603", /put it in quotes, as "\+46701234567"/),
  phone('"070-174 06 03"', /international form without spaces, such as \+46701234567/),
  phone('"+46701740601"', /the same phone as patrol-1/),
  phone('"+46766860000"', /the number that pages come from; give the responder's own phone/),
  from("Fallvakt", /a name cannot be answered by SMS; give a number that can/),
  from('"Hemtjanst 2"', /a name cannot be answered by SMS/),
  from("46766860000", /put it in quotes/),
  from('"71234"', /international form/),
  from('"112"', /never texted by machine/),
  ...[
    "http://localhost:8080",
    "https://127.0.0.1",
    "https://10.1.2.3",
    "https://172.20.0.4:8443",
    "https://192.168.1.5",
    "https://169.254.1.1",
    "https://100.64.3.2",
    "'https://[::1]:8080'",
    "'https://[fd00::7]'",
    "'https://[fe80::1]'",
    "https://larm",
    "https://larm.local",
    "https://larm.kommun.internal",
  ].map((text) => publicUrl(text, cannotReach)),
  publicUrl(
    "http://larm.example.se",
    /is not encrypted: put a proxy with a certificate in front, and name its https address/,
  ),
  publicUrl("'https://larm.example.se?unit=north'", /leave out user names, \? and #/),
  publicUrl("'https://larm.example.se/larm?'", /leave out user names, \? and #/),
  publicUrl("'https://larm.example.se#top'", /leave out user names, \? and #/),
  publicUrl("https://eva:secret@larm.example.se", /leave out user names/),
  publicUrl(
    '"https://larm.example.se  "',
    /write it as https:\/\/larm\.example\.se: the provider signs it letter by letter/,
  ),
  publicUrl('" https://larm.example.se"', /write it as https:\/\/larm\.example\.se:/),
  publicUrl("https://Larm.Example.se", /write it as https:\/\/larm\.example\.se:/),
  publicUrl("https://lärm.example.se", /write it as https:\/\/xn--lrm-qla\.example\.se:/),
  publicUrl("https://larm.example.se:443/", /write it as https:\/\/larm\.example\.se:/),
  publicUrl("larm.example.se", /write a full address, such as https:\/\/larm\.example\.se/),
  publicUrl("ftp://larm.example.se", /write a full address/),
  {
    name: "http to a server that speaks HTTPS",
    was: 'publicUrl: "https://larm.example.se"',
    becomes: "publicUrl: http://larm.example.se\n    tls: { certFile: own.pem, keyFile: own.key }",
    at: "publicUrl:",
    key: "alerting.http.publicUrl",
    mend: /speaks HTTPS \(http\.tls\).*write https/,
  },
];

describe("fallvakt check refuses, with file, line, key and mend", () => {
  test.each(refusals)("$name", async ({ was, becomes, at, key, mend }) => {
    const { code, said } = await check(was, becomes);
    expect(code, said).toBe(1);
    const told = said.split("\n").filter((line) => line.includes(key));
    expect(told, said).toHaveLength(1);
    expect(told[0]).toContain(`${path}:${lineOf(at)}: `);
    expect(told[0]).toMatch(mend);
  });
});
