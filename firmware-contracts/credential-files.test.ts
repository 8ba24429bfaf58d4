import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { issueForGateway, issueForServer, makeAuthority } from "../front-door/certificates.ts";
import type { Clock } from "./clock.ts";
import { type CredentialFiles, openCredentialFiles } from "./credential-files.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-credential-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inFolder = (name: string) => join(folder, name);
const paths = { certFile: inFolder("own.pem"), keyFile: inFolder("own-key.pem"), caFile: inFolder("ca.pem") };
const minute = 60_000;
const day = 86_400_000;

type Issued = { certificate: string; key: string };
let authority: Issued;
let first: Issued;
let second: Issued;
let start: Date;
beforeAll(async () => {
  start = new Date();
  authority = await makeAuthority("Fallvakt", start);
  first = await issueForServer(authority, ["localhost"], start);
  second = await issueForServer(authority, ["localhost"], start);
});

/** A clock that goes on only when it is told. */
function steppedClock(): Clock & { advance(ms: number): void } {
  let passed = 0;
  let timers: { at: number; run: () => void }[] = [];
  return {
    wallNow: () => start.getTime() + passed,
    monotonicNow: () => passed,
    after(ms, run) {
      const timer = { at: passed + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    advance(ms) {
      const until = passed + ms;
      for (let due = next(until); due; due = next(until)) {
        passed = due.at;
        timers = timers.filter((one) => one !== due);
        due.run();
      }
      passed = until;
    },
  };
  function next(until: number) {
    return timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  }
}

let clock: ReturnType<typeof steppedClock>;
let logged: { level: number; msg: string; what?: string[]; which?: string; daysLeft?: number }[];
let files: CredentialFiles;
let changes: number;

function write({ certificate, key }: Issued): void {
  writeFileSync(paths.certFile, certificate);
  writeFileSync(paths.keyFile, key);
}

function open(): void {
  logged = [];
  changes = 0;
  clock = steppedClock();
  const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  files = openCredentialFiles({ section: "alerting.http.tls", paths, mend: "make new ones", clock, log });
  files.onChange(() => changes++);
}
const told = (level: "info" | "warn" | "error") => logged.filter((line) => line.level === pino.levels.values[level]);

beforeEach(() => {
  write(first);
  writeFileSync(paths.caFile, authority.certificate);
});

test("what is renewed is in force within a minute; nothing is told where nothing changed", () => {
  open();
  clock.advance(10 * minute);
  expect([changes, logged]).toEqual([0, []]);
  write(second);
  clock.advance(minute);
  expect(files.current).toMatchObject({ cert: second.certificate, key: second.key, ca: authority.certificate });
  expect([changes, told("info").length]).toEqual([1, 1]);
  files.stop();
  write(first);
  clock.advance(10 * minute);
  expect(changes).toBe(1);
});

test.each<[string, () => void, RegExp]>([
  ["gone", () => rmSync(paths.certFile), /alerting\.http\.tls\.certFile: .*cannot be read \(ENOENT\)/],
  ["empty", () => writeFileSync(paths.keyFile, ""), /alerting\.http\.tls\.keyFile: .*no private key/],
  ["half written", () => writeFileSync(paths.certFile, second.certificate.slice(0, 300)), /certFile: .*no certificate/],
  ["without its key yet", () => writeFileSync(paths.certFile, second.certificate), /keyFile: .*is not the key of/],
  [
    "no authority",
    () => writeFileSync(paths.caFile, "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"),
    /caFile: /,
  ],
])("a new file that is %s is told once, and the old stays in force until it is good", (_name, breaking, says) => {
  open();
  breaking();
  clock.advance(5 * minute);
  expect(told("error").map(({ what }) => what)).toEqual([[expect.stringMatching(says)]]);
  expect(told("error")[0]?.msg).toMatch(/old ones stay in force; make new ones/);
  expect(files.current.cert).toBe(first.certificate);
  expect(changes).toBe(0);
  write(second);
  writeFileSync(paths.caFile, authority.certificate);
  clock.advance(minute);
  expect(files.current.cert).toBe(second.certificate);
  expect(changes).toBe(1);
});

test("a new one that has ended already is not taken", async () => {
  open();
  const longAgo = new Date(start);
  longAgo.setUTCFullYear(start.getUTCFullYear() - 11);
  write(await issueForServer(authority, ["localhost"], longAgo));
  clock.advance(2 * minute);
  expect(told("error").map(({ what }) => what)).toEqual([[expect.stringMatching(/certFile: .*is not valid now/)]]);
  expect(files.current.cert).toBe(first.certificate);
});

test("broken at the start, all that is wrong is told with its key and the mend", () => {
  rmSync(paths.certFile);
  writeFileSync(paths.caFile, "");
  expect(open).toThrow(
    /tls\.certFile: .*ENOENT.*; make new ones\.\n.*tls\.caFile: .*no certificate.*; make new ones\./,
  );
});

test("a key may stand in the certificate's own file", async () => {
  const { certificate, key } = await issueForGateway(authority, "stairwell-3", start);
  writeFileSync(paths.certFile, `${certificate.trim()}\n${key}`);
  const log = pino({ level: "silent" });
  const own = { certFile: paths.certFile };
  const { current, stop } = openCredentialFiles({ section: "s", paths: own, mend: "m", clock: steppedClock(), log });
  stop();
  expect(current.key).toContain(key.trim());
});

/** A server's certificate that ends so many days after the start. */
async function endsIn(days: number): Promise<Issued> {
  const at = new Date(start);
  at.setUTCFullYear(start.getUTCFullYear() - 10);
  return issueForServer(authority, ["localhost"], new Date(at.getTime() + days * day));
}

test("from 30 days before its end on a certificate is told of once a day", async () => {
  write(await endsIn(30.2));
  open();
  const which = "alerting.http.tls.certFile";
  expect(files.certificates()).toContainEqual({ which, daysLeft: 30 });
  clock.advance(0.1 * day);
  expect(logged).toEqual([]);
  clock.advance(2 * day);
  expect(told("warn").map((line) => [line.which, line.daysLeft])).toEqual([
    [which, 29],
    [which, 28],
  ]);
  expect(files.certificates()).toContainEqual({ which, daysLeft: 28 });
  files.stop();
});

test("one that has ended is shown all the same, and told of as an error", async () => {
  write(await endsIn(-1.5));
  open();
  expect(told("error").map(({ msg }) => msg)).toEqual(["this certificate has ended; make new ones"]);
  expect(files.certificates()[0]?.daysLeft).toBe(-2);
  // Renewed, it is told of no more.
  write(second);
  clock.advance(2 * day);
  expect(told("error")).toHaveLength(1);
  files.stop();
});
