import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { openRegister, type Register } from "../../alerting/registry/register.ts";
import type { SelfTestRow } from "../../alerting/store/store.ts";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { selfTestLinks } from "../../firmware-contracts/self-test.ts";
import { runSelfTest, selfTestCommand } from "../../front-door/self-test.ts";
import { Town, townSettings } from "./town.ts";

/** Seconds of the town's clock: a busy machine breaks no link. */
const limits = { connect: 120, acknowledged: 120, detected: 120, intake: 120, paged: 120, delivered: 120 };
let dataDir: string;
let town: Town;
let secret: string;
/** Refuses Detections, as an intake that is out of order. */
let isIntakeBroken = false;

/** As a command of `fallvakt` does it, beside the running service. */
async function beside<T>(work: (register: Register) => Promise<T>, clock: Clock = town.clock): Promise<T> {
  const register = openRegister({ dataDir: join(dataDir, "alerting"), clock });
  try {
    return await work(register);
  } finally {
    await register.close();
  }
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "fallvakt-self-test-"));
  ({ secret } = await beside(({ selfTests }) => selfTests.putDevice("self-test", "eva"), systemClock()));
  town = await Town.open({
    dataDir,
    speed: 16,
    waitSeconds: 3600,
    selfTest: { secret, limits },
    broker: "embedded",
    log: pino({ level: "silent" }),
    throughIntake: (intake) => ({
      submit: async (item) => {
        if (isIntakeBroken && item.type === "detection") throw new Error("out of order");
        return intake.submit(item);
      },
      control: intake.control,
    }),
  });
  town.network.behave({ queueMs: 50, deliveryMs: 200, receiptMs: 50 });
});
afterAll(async () => {
  await town.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Runs one and waits for its end. */
async function run(tight: Partial<typeof limits> = {}): Promise<SelfTestRow> {
  const id = await beside(({ selfTests }) =>
    selfTests.ask({ device: "self-test", limits: { ...limits, ...tight } }, "eva"),
  );
  let test: SelfTestRow | null = null;
  const until = performance.now() + 20_000;
  while (!test?.endedAt) {
    if (performance.now() > until) throw new Error(`not over in 20 s: ${JSON.stringify(test)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    test = await beside(({ selfTests }) => selfTests.find(id));
  }
  return test;
}
const alarms = () =>
  town.alerting.backend
    .board()
    .flatMap(({ trouble, status }) => (trouble && status !== "closed" ? [`${trouble.kind} ${trouble.subject}`] : []));

/** One technical alarm, that names this link; null: none. */
const told = (link: string | null) =>
  town.until(`an alarm about ${link}`, () => {
    const own = alarms().filter((one) => one.startsWith("self-test"));
    return link === null ? own.length === 0 : own.length === 1 && own[0] === `self-test-failed ${link}`;
  });

test("every link holds: the phone on call has a PROVLARM that needs no answer and ends by itself", async () => {
  const { failed, links } = await run();
  expect(failed).toBeNull();
  expect(Object.keys(links).sort()).toEqual([...selfTestLinks].sort());
  const text = await town.text(
    "patrol-1",
    /^PROVLARM T\d{3}: larmkedjan provas, inget fall\. Du behöver inte svara\.$/,
  );
  expect(text).not.toMatch(/Nyckel/);
  await town.until("its alarm is over", () => town.alerting.episodes().every(({ status }) => status === "closed"));
  // A busy machine may lose sight of its own gateway for a moment, which is a technical alarm.
  const isTechnical = (id: string) =>
    town.alerting.episodes().some((episode) => episode.id === id && episode.kind === "technical");
  expect(town.alerting.episodes().filter(({ id }) => !isTechnical(id))).toMatchObject([{ kind: "test", test: true }]);
  for (const event of town.events) {
    const isOther = "episodeId" in event && typeof event.episodeId === "string" && isTechnical(event.episodeId);
    if ("test" in event && !isOther) expect(event.test, event.type).toBe(true);
  }
  expect(town.events.filter(({ type }) => type === "device")).toEqual([]);
  expect(alarms()).toEqual([]);
});

test("wrong secret: the technical alarm names the connection, and the next success ends it", async () => {
  await beside(({ selfTests }) => selfTests.putDevice("self-test", "eva"));
  expect(await run()).toMatchObject({ failed: "connect", links: {} });
  await told("connect");
  await town.text("leader", /^TEKNISKT LARM T\d{3}, inte ett fall\. Självtestet \d\d\.\d\d stannade: anslutningen\./);
  const store = town.alerting.registry;
  expect((await store.list()).find(({ deviceId }) => deviceId === "self-test")).toMatchObject({ isSelfTest: true });
});

test("a classifier that fails, an intake that is out of order, a provider that refuses, a receipt that never comes: each is named", async () => {
  // Back to a right secret: the register has another by now.
  await restartWithNewSecret();
  const { classifier } = town.service;
  if (!classifier) throw new Error("the town has no classifier");
  const { score } = classifier;
  Object.assign(classifier, {
    score: () => {
      throw new Error("out of order");
    },
  });
  expect(await run({ detected: 5 })).toMatchObject({ failed: "detected", links: { connect: expect.any(Number) } });
  await told("detected");
  Object.assign(classifier, { score });

  isIntakeBroken = true;
  expect(await run({ intake: 10 })).toMatchObject({ failed: "intake", links: { detected: expect.any(Number) } });
  await told("intake");
  isIntakeBroken = false;
  // What comes late is of no test any more, and pages nobody.
  const strays = () => town.alerting.counters()["self-test.stray"] ?? 0;
  await town.until("the late one", () => strays() >= 1);

  town.network.behave({ api: { status: 400, code: 21211 } });
  expect(await run()).toMatchObject({ failed: "paged", links: { intake: expect.any(Number) } });
  await told("paged");
  town.network.behave({ api: "answer", receipts: "none" });
  expect(await run({ delivered: 10 })).toMatchObject({
    failed: "delivered",
    detail: "no receipt",
    links: { paged: expect.any(Number) },
  });
  await told("delivered");

  town.network.behave({ receipts: "once" });
  expect((await run()).failed).toBeNull();
  await told(null);
  const kept = await beside(({ selfTests }) => selfTests.list(20));
  expect(kept.map(({ failed }) => failed)).toEqual([null, "delivered", "paged", "intake", "detected", "connect", null]);
});

test("the command runs one, prints each link with its time, and its exit code is the verdict", async () => {
  const config = join(dataDir, "fallvakt.yaml");
  const settings = townSettings({
    dataDir,
    phonesUrl: town.network.url,
    port: town.port,
    selfTest: { secret, limits },
  });
  writeFileSync(config, stringify(settings));
  let printed = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    await selfTestCommand().parseAsync(["run", "--config", config], { from: "user" });
    await selfTestCommand().parseAsync(["list", "--config", config, "--json"], { from: "user" });
  } finally {
    write.mockRestore();
  }
  for (const link of selfTestLinks) expect(printed).toMatch(new RegExp(`^${link} .*\\d\\.\\d\\d s .*held`, "m"));
  expect(printed).toContain("Every link held.");
  expect(process.exitCode ?? 0).toBe(0);
  const seen: string[] = [];
  expect(await runSelfTest({ config, by: "eva", onLink: (link) => seen.push(link) })).toMatchObject({ ok: true });
  expect(seen).toEqual([...selfTestLinks]);
});

/** The gateway is given the secret that the register has, and both start again. */
async function restartWithNewSecret(): Promise<void> {
  const made = await beside(({ selfTests }) => selfTests.putDevice("self-test", "eva"));
  secret = made.secret;
  await town.restart({ selfTest: { secret, limits } });
}
