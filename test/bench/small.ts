import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { parse, stringify } from "yaml";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { NodeArch } from "../../gateway/deploy/debian/control.ts";
import { stageService } from "../../gateway/deploy/debian/stage.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import { openPhones, prepareService, type ServiceProcess } from "../faults/service-process.ts";
import { positive, whole } from "./arguments.ts";
import { defaultSource, readTrials, type Source, sources, type Trial } from "./frames.ts";
import { cpuSeconds, peakResidentMib, residentMib } from "./process-figures.ts";

// `npm run -s bench:small`: what the whole service takes of a small machine: the true process on an embedded broker and SQLite, devices over real MQTT.

/** What a small machine has for it: 150 MB. */
export const limits = { residentMib: 150e6 / 2 ** 20, readySeconds: 2, coreShare: 0.05 } as const;

const clock = systemClock();
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

const roles = ["gateway", "all"] as const;
type SmallRole = (typeof roles)[number];

export interface SmallResult {
  /** `gateway`: with alerting in a process of its own, as in a stairwell. `all`: in one. */
  role: SmallRole;
  devices: number;
  source: Source;
  seconds: number;
  node: string;
  /** Median of the starts, seconds from the process' start to its being ready; on the data of a service that has run before. */
  readySeconds: number;
  readyRounds: number[];
  /** Median of the readings while the devices send, MiB; and the most that the process ever had. */
  residentMib: number;
  idleMib: number;
  peakMib: number;
  /** Of one core. */
  coreShare: number;
  framesSent: number;
  framesAcknowledged: number;
  met: { resident: boolean; ready: boolean; core: boolean };
}

interface Options {
  role: SmallRole;
  devices: number;
  source: Source;
  /** Run the sources as they are, not what a package would install. */
  fromSource: boolean;
  /** Or what is installed in this folder. Left out: a package's content, made for it. */
  installed?: string;
  starts: number;
  warmSeconds: number;
  seconds: number;
  say(line: string): void;
}

export async function measureSmall(options: Options): Promise<SmallResult> {
  const { role, devices: count, source, fromSource, starts, warmSeconds, seconds, say } = options;
  const lives = daily(await readTrials(source));
  const network = await openPhones(clock);
  const staged = fromSource || options.installed ? null : mkdtempSync(join(tmpdir(), "fallvakt-installed-"));
  if (staged) stageService(staged, process.arch as NodeArch, "0", say);
  const installed = staged ?? options.installed;
  const program = installed
    ? [join(installed, "bin/node"), join(installed, "dist/fallvakt.js")]
    : [process.execPath, "fallvakt.ts"];
  const service = await prepareService(network, { program });
  // On the same register, as alerting answers at its address.
  const measured = role === "all" ? service : gatewayBeside(service, program);
  const devices: SimulatedDevice[] = [];
  let callOff = () => {};
  try {
    say(`registering ${count} devices …`);
    for (let i = 0; i < count; i++) devices.push(await service.addDevice(`watch-${i}`, String(1000 + i * 37)));
    if (role === "gateway") await service.start({ args: ["--role", "alerting"] });
    const readyRounds: number[] = [];
    for (let round = 0; round <= starts; round++) {
      say(`start ${round + 1} of ${starts + 1} …`);
      await measured.kill();
      const from = clock.monotonicNow();
      if (!(await measured.start())) throw new Error(`the service did not start: ${measured.errors}`);
      // The first start fills the cache of compiled code, as an installed service has it.
      if (round > 0) readyRounds.push((clock.monotonicNow() - from) / 1000);
    }
    const { pid } = measured;
    await sleep(2000);
    const idleMib = residentMib(pid);
    say("connecting …");
    for (const device of devices) await device.connect();
    const turns = devices.map((device, i) => {
      const life = lives[i % lives.length] as Trial;
      return { device, life, second: Math.floor((i / count) * life.seconds.length) };
    });
    // Each at its own moment of the second.
    const callOffs = turns.map((turn, i) => every(1000, (i / count) * 1000, () => send(turn)));
    callOff = () => {
      for (const stop of callOffs) stop();
    };
    say(`${count} devices send: ${warmSeconds} s to warm up, then ${seconds} s …`);
    await sleep(warmSeconds * 1000);
    const [cpu, at] = [cpuSeconds(pid), clock.monotonicNow()];
    const readings: number[] = [];
    while (clock.monotonicNow() - at < seconds * 1000) {
      await sleep(Math.min(1000, seconds * 250));
      readings.push(residentMib(pid));
    }
    const coreShare = (cpuSeconds(pid) - cpu) / ((clock.monotonicNow() - at) / 1000);
    callOff();
    await Promise.all(devices.map((device) => device.drain(10_000)));
    const frames = devices.flatMap(({ records }) => records.frames);
    const [resident, readySeconds] = [median(readings), median(readyRounds)];
    return {
      ...{
        role,
        devices: count,
        source,
        seconds,
        node: process.versions.node,
        readySeconds,
        readyRounds,
        coreShare,
        idleMib,
      },
      residentMib: resident,
      peakMib: peakResidentMib(pid),
      framesSent: frames.length,
      framesAcknowledged: frames.filter(({ ackedAt }) => ackedAt !== null).length,
      met: {
        resident: resident <= limits.residentMib,
        ready: readySeconds <= limits.readySeconds,
        core: coreShare <= limits.coreShare,
      },
    };
  } finally {
    callOff();
    await measured.kill();
    await service.close();
    await network.close();
    if (staged) rmSync(staged, { recursive: true, force: true });
  }
}

interface Measured {
  start(): Promise<boolean>;
  kill(): Promise<void>;
  readonly pid: number;
  readonly errors: string;
}

/** The gateway's role as a process of its own. */
function gatewayBeside(service: ServiceProcess, program: readonly string[]): Measured {
  const settings = parse(readFileSync(join(service.folder, "fallvakt.yaml"), "utf8")) as Record<string, never>;
  const { gateway, alerting, dataDir } = settings as unknown as {
    gateway: object;
    alerting: { intake: { token: string } };
    dataDir: string;
  };
  const intake = { url: service.httpUrl, token: alerting.intake.token };
  const config = join(service.folder, "gateway.yaml");
  writeFileSync(config, stringify({ dataDir, log: { level: "error" }, gateway: { ...gateway, intake } }));
  let child: ChildProcess | null = null;
  let errors = "";
  return {
    get pid() {
      return child?.pid ?? 0;
    },
    get errors() {
      return errors;
    },
    async start() {
      const [first = "", ...rest] = [...program, "start", "--role", "gateway", "--config", config];
      const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "fallvakt-compile-cache") };
      const started = spawn(first, rest, { env, stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      started.stderr.on("data", (chunk) => {
        errors += chunk;
      });
      return new Promise((resolve) => {
        started.stdout.on("data", (chunk: Buffer) => chunk.includes("Devices connect to") && resolve(true));
        started.once("exit", () => resolve(false));
      });
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** People's days: the longest trials without a fall. */
function daily(trials: Trial[]): Trial[] {
  const found = trials.filter(({ label, seconds }) => label === "adl" && seconds.length >= 5);
  if (found.length === 0) throw new Error("the set has no daily life");
  return found.sort((a, b) => b.seconds.length - a.seconds.length).slice(0, 100);
}

function send(turn: { device: SimulatedDevice; life: Trial; second: number }): void {
  const { device, life } = turn;
  device.publishFrame(life.seconds[turn.second % life.seconds.length] as Int16Array, { rateHz: life.rateHz });
  turn.second++;
}

/** Keeps its beat however late a timer is. */
function every(ms: number, firstMs: number, run: () => void): () => void {
  const from = clock.monotonicNow() + firstMs;
  let n = 0;
  let callOff = () => {};
  const next = () => {
    callOff = clock.after(Math.max(0, from + n * ms - clock.monotonicNow()), () => {
      run();
      n++;
      next();
    });
  };
  next();
  return () => callOff();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function textOf(result: SmallResult): string {
  const { role, devices, source, seconds, met } = result;
  const what =
    role === "all"
      ? "all in one process, as for a trial or on a server; the limits are those of the gateway's role on a small machine"
      : "the gateway's role, alerting in another process";
  const verdict = (isMet: boolean) => (isMet ? "met" : "MISSED");
  return [
    `${devices} devices at 1 frame/s (${source}), ${seconds} s; ${what}; Node ${result.node}`,
    `resident memory  ${result.residentMib.toFixed(0)} MiB  (limit ${limits.residentMib.toFixed(0)}; idle ${result.idleMib.toFixed(0)}, most ${result.peakMib.toFixed(0)})  ${verdict(met.resident)}`,
    `ready            ${result.readySeconds.toFixed(2)} s  (limit ${limits.readySeconds})  ${verdict(met.ready)}`,
    `of a core        ${(result.coreShare * 100).toFixed(1)} %  (limit ${limits.coreShare * 100})  ${verdict(met.core)}`,
    `acknowledged     ${result.framesAcknowledged} of ${result.framesSent} frames`,
  ].join("\n");
}

type Arguments = Omit<Options, "say" | "role"> & { role?: SmallRole; quick: boolean; json: boolean };

if (import.meta.main) {
  const program = new Command("bench:small")
    .description("what the whole service takes of a small machine: memory, time to be ready, CPU. Linux only")
    .option("--devices <n>", "that send a frame a second", whole, 100)
    .addOption(new Option("--source <set>", "where their frames come from").choices(sources).default(defaultSource()))
    .option("--from-source", "run the sources as they are, not what a package installs", false)
    .option("--installed <folder>", "run what is there, such as /usr/lib/fallvakt")
    .option("--starts <n>", "starts that are timed", whole, 5)
    .option("--warm-seconds <s>", "before it counts", positive, 20)
    .option("--seconds <s>", "that are measured", positive, 60)
    .option("--quick", "2 starts, 5 s and 10 s", false)
    .addOption(new Option("--role <role>", "what is measured; left out: both").choices(roles))
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      `
Examples:
  npm run -s bench:small
  npm run -s bench:small -- --quick --json`,
    )
    .action(async ({ quick, json, role, ...options }: Arguments) => {
      const shorter = quick ? { starts: 2, warmSeconds: 5, seconds: 10 } : {};
      const say = (line: string) => process.stderr.write(`${line}\n`);
      const results: SmallResult[] = [];
      for (const one of role ? [role] : roles) {
        const result = await measureSmall({ ...options, ...shorter, role: one, say });
        results.push(result);
        if (!json) process.stdout.write(`${textOf(result)}\n\n`);
      }
      if (json) process.stdout.write(`${JSON.stringify(results)}\n`);
    });
  await program.parseAsync();
}
