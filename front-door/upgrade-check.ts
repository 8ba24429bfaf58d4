import { execFileSync } from "node:child_process";
import type { Clock } from "../firmware-contracts/clock.ts";
import { runSelfTest } from "./self-test.ts";
import { type Part, serviceOf } from "./service-socket.ts";

/** What is to be found well after a change of version. */
export interface UpgradeCheck {
  dataDir: string;
  /** Parts that must run. */
  wanted: readonly Part[];
  /** Of what must run. */
  version: string;
  /** `fallvakt` of that version, with its arguments so far. */
  launcher: readonly string[];
  /** A command of one's own beside the rest, run by the shell; it fails by its exit code. */
  command?: string | undefined;
  /** The configuration, where the whole chain is to be tried too: it has a self-test. */
  chain?: string | undefined;
  /** How long it may take to be ready, ms. */
  withinMs: number;
  clock: Clock;
}

/** One that ends again right after its start has not come up, ms. */
const staysMs = 3_000;
const everyMs = 250;
const commandMs = 300_000;

/**
 * Whether the service that runs now would page: each part runs with this version and says that it is ready, for three seconds on end; its model agrees with
 * its golden windows; the whole chain, from a test device to a phone, holds; a command of one's own agrees.
 * @returns what is wrong, or null.
 */
export async function checkUpgrade({
  dataDir,
  wanted,
  version,
  launcher,
  command,
  chain,
  withinMs,
  clock,
}: UpgradeCheck): Promise<string | null> {
  const until = clock.monotonicNow() + withinMs;
  let goodSince: number | null = null;
  let wrong = "it does not run";
  while (goodSince === null || clock.monotonicNow() - goodSince < staysMs) {
    const found = await whatIsWrong(dataDir, wanted, version);
    if (found === null) goodSince ??= clock.monotonicNow();
    else [goodSince, wrong] = [null, found];
    if (found !== null && clock.monotonicNow() > until) return wrong;
    await new Promise<void>((resolve) => clock.after(everyMs, resolve));
  }
  const [program = "", ...args] = launcher;
  try {
    execFileSync(program, [...args, "check", "--model"], { stdio: "pipe", timeout: commandMs });
  } catch (error) {
    return `fallvakt check --model fails: ${saidBy(error)}`;
  }
  if (chain !== undefined) {
    try {
      const { ok, test } = await runSelfTest({ config: chain, by: "upgrade" });
      if (!ok)
        return `the self-test of the whole chain fails at ${test.failed}${test.detail ? `: ${test.detail}` : ""}`;
    } catch (error) {
      return `the self-test of the whole chain cannot be run: ${error instanceof Error ? error.message : error}`;
    }
  }
  if (command === undefined) return null;
  try {
    execFileSync("/bin/sh", ["-c", command], { stdio: "pipe", timeout: commandMs });
    return null;
  } catch (error) {
    return `${command} fails: ${saidBy(error)}`;
  }
}

async function whatIsWrong(dataDir: string, wanted: readonly Part[], version: string): Promise<string | null> {
  for (const part of wanted) {
    const state = await serviceOf(dataDir, part).catch(() => null);
    if (!state) return `${part} does not run`;
    if (state.version !== version) return `${part} runs with version ${state.version}`;
    if (!state.isUp) return `${part} is starting`;
    if (state.problems.length > 0) return state.problems.join("; ");
  }
  return null;
}

function saidBy(error: unknown): string {
  const { stderr, stdout, message } = error as { stderr?: Buffer; stdout?: Buffer; message: string };
  return `${stderr ?? ""}${stdout ?? ""}`.trim().split("\n").at(-1) || message;
}
