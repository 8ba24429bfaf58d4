import { type ChildProcess, fork, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { freePort } from "../../front-door/free-port.ts";
import type { GatewayAnswer, Listening, LoadAnswer, LoadOrder, Prepared, RunResult } from "./messages.ts";
import { openConnection } from "./publisher.ts";

const clock = systemClock();
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
/** No answer of a child process takes longer, ms: 5,000 secrets are checked in about 15 s. */
const longestWaitMs = 180_000;

/** A server under load, as a process of its own. */
export interface Server {
  name: string;
  port: number;
  pid: number;
  /** What the gateway counted so far; null for the others. */
  counters(): Promise<Record<string, number> | null>;
  close(): Promise<void>;
}

/** The process that makes the load. */
export interface Load {
  prepare(order: Omit<Extract<LoadOrder, { kind: "prepare" }>, "kind">): Promise<Prepared>;
  run(order: Omit<Extract<LoadOrder, { kind: "run" }>, "kind">): Promise<RunResult>;
  hold(order: Omit<Extract<LoadOrder, { kind: "hold" }>, "kind">): Promise<void>;
  letGo(): Promise<void>;
  close(): void;
}

const scriptPath = (name: string) => new URL(name, import.meta.url).pathname;

/** The child's next message. Rejects where the child ends, or says nothing for three minutes. */
export function nextMessage<T>(child: ChildProcess, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = () => {
      callOff();
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    const onMessage = (message: unknown) => {
      done();
      resolve(message as T);
    };
    const onExit = (code: number | null, signal: string | null) => {
      done();
      reject(new Error(`${what} ended (${signal ?? code}) instead of answering; see its messages above`));
    };
    const callOff = clock.after(longestWaitMs, () => {
      done();
      reject(new Error(`${what} did not answer within ${longestWaitMs / 1000} s`));
    });
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

export async function forkServer(name: string, script: string, args: string[], execArgv: string[] = []) {
  const child = fork(scriptPath(script), args, { execArgv, stdio: ["ignore", 2, 2, "ipc"] });
  const { port, backend } = await nextMessage<Listening>(child, name);
  const server: Server = {
    name,
    port,
    pid: child.pid!,
    counters: async () => null,
    async close() {
      if (child.connected) child.send("close");
      await ended(child);
    },
  };
  return { child, server, backend };
}

export async function startAedes(name: string): Promise<Server> {
  return (await forkServer(name, "aedes-server.ts", [])).server;
}

export interface GatewayServerOptions {
  name: string;
  devices: number;
  placement: string;
  secret: string;
  /** Folder on the disk whose syncs are to be measured; the system's folder for temporary files where left out. */
  folder?: string | undefined;
  /** Where the gateway leaves a CPU profile when it ends. */
  profileFolder?: string | undefined;
}

export async function startGateway(options: GatewayServerOptions): Promise<Server & { backend: string }> {
  const { name, devices, placement, secret, folder = tmpdir(), profileFolder } = options;
  const execArgv = profileFolder ? ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`] : [];
  const args = [String(devices), placement, secret, folder];
  const { child, server, backend = "" } = await forkServer(name, "gateway-server.ts", args, execArgv);
  return {
    ...server,
    backend,
    async counters() {
      child.send("counters");
      const { counters, problems } = await nextMessage<GatewayAnswer>(child, name);
      if (problems[0]) throw new Error(`the gateway is not in order: ${problems.join("; ")}`);
      return counters;
    },
  };
}

/** Path of Mosquitto; null where it is not installed. Debian puts it where only root's PATH leads. */
export function findMosquitto(): string | null {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]) {
    const path = join(folder, "mosquitto");
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/** Whether there is an InfluxDB to start. */
export function findInfluxd(): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, "influxd"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export async function startMosquitto(name: string, program: string): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-mosquitto-"));
  const port = await freePort();
  const config = join(folder, "mosquitto.conf");
  const lines = [`listener ${port} 127.0.0.1`, "allow_anonymous true", "persistence false", "set_tcp_nodelay true"];
  writeFileSync(config, `${[...lines, "log_type error"].join("\n")}\n`);
  const child = spawn(program, ["-c", config], { stdio: ["ignore", 2, 2] });
  const server: Server = {
    name,
    port,
    pid: child.pid!,
    counters: async () => null,
    async close() {
      child.kill();
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (let tries = 0; tries < 100; tries++) {
    await sleep(50);
    if (child.exitCode !== null) break;
    const socket = await openConnection({ port, secret: "any" }, "bench-probe").catch(() => null);
    socket?.destroy();
    if (socket) return server;
  }
  await server.close();
  throw new Error("Mosquitto did not come up within 5 s; see its messages above");
}

export function startLoad(secret: string): Load {
  const child = fork(scriptPath("load.ts"), [secret], { execArgv: [], stdio: ["ignore", 2, 2, "ipc"] });
  async function ask(order: LoadOrder): Promise<Prepared | RunResult | null> {
    const answer = nextMessage<LoadAnswer>(child, "the load");
    child.send(order);
    const got = await answer;
    if (!got.ok) throw new Error(got.why);
    return got.value;
  }
  return {
    prepare: async (order) => (await ask({ kind: "prepare", ...order })) as Prepared,
    run: async (order) => (await ask({ kind: "run", ...order })) as RunResult,
    hold: async (order) => void (await ask({ kind: "hold", ...order })),
    letGo: async () => void (await ask({ kind: "let-go" })),
    close: () => child.disconnect(),
  };
}
