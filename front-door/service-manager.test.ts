import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../firmware-contracts/clock.ts";
import { lacks } from "../test/services/needs.ts";
import { openServiceManager, watchdogEveryMs } from "./service-manager.ts";
import { stepWatchdog, type WatchdogInput, watchdogBegins } from "./watchdog.ts";

describe("the watchdog", () => {
  const play = (...inputs: WatchdogInput[]) => {
    let state = watchdogBegins;
    return inputs.map((input) => {
      const [next, commands] = stepWatchdog(state, input);
      state = next;
      return commands;
    });
  };
  const turn = { type: "turn" } as const;
  const answer = (...problems: string[]) => ({ type: "answer", problems }) as const;

  test("is fed with each answer, a bad one too, and with nothing else", () => {
    expect(play(turn, answer(), turn, answer("the disk is full"))).toEqual([
      [{ do: "ask" }],
      [{ do: "feed", status: "ready" }],
      [{ do: "ask" }],
      [{ do: "feed", status: "not ready: the disk is full" }],
    ]);
  });

  test("is not fed while the parts do not answer, which is told once; then it goes on", () => {
    expect(play(turn, turn, turn, turn, answer(), turn)).toEqual([
      [{ do: "ask" }],
      [{ do: "stuck" }],
      [],
      [],
      [{ do: "feed", status: "ready" }],
      [{ do: "ask" }],
    ]);
  });

  test("asks three times within the limit, of this process alone", () => {
    const env = { NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "60000000" };
    expect(watchdogEveryMs({ ...env, WATCHDOG_PID: String(process.pid) })).toBe(20_000);
    expect(watchdogEveryMs({ ...env, WATCHDOG_PID: "1" })).toBeNull();
    expect(watchdogEveryMs({ WATCHDOG_USEC: "60000000" })).toBeNull();
    expect(watchdogEveryMs({ NOTIFY_SOCKET: "/run/systemd/notify" })).toBeNull();
  });
});

const folder = mkdtempSync(join(tmpdir(), "fallvakt-notify-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What systemd has at the other end: a datagram socket. Python, as Node has none. */
const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(s.recv(4096).decode().strip().replace("\\n", " "), flush=True)
`;

test.skipIf(lacks("systemd-notify"))(
  "systemd hears it at its socket: up, fed, hanging, fed again, stopping (needs systemd-notify)",
  async () => {
    const socket = join(folder, "notify");
    const python = spawn("python3", ["-c", listener, socket], { stdio: ["ignore", "pipe", "inherit"] });
    let heard = "";
    python.stdout.on("data", (chunk) => (heard += chunk));
    try {
      await expect.poll(() => heard, { timeout: 10_000 }).toContain("listening");
      let release: ((problems: string[]) => void) | null = null;
      let hangs = false;
      const manager = openServiceManager({
        env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: "300000" },
        problems: () => (hangs ? new Promise((resolve) => (release = resolve)) : Promise.resolve([])),
        clock: systemClock(),
        log: pino({ level: "silent" }),
      });
      const fed = () => heard.split("WATCHDOG=1").length - 1;
      await manager.ready();
      expect(heard).toContain("READY=1 STATUS=ready");
      await expect.poll(fed, { timeout: 10_000 }).toBeGreaterThan(1);
      hangs = true;
      await expect.poll(() => release, { timeout: 5_000 }).not.toBeNull();
      // What was fed before may still be on its way.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const before = fed();
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(fed()).toBe(before);
      hangs = false;
      (release as unknown as (problems: string[]) => void)(["the disk is full"]);
      await expect.poll(() => heard, { timeout: 10_000 }).toContain("WATCHDOG=1 STATUS=not ready: the disk is full");
      await manager.stopping();
      expect(heard).toContain("STOPPING=1");
    } finally {
      python.kill("SIGKILL");
    }
  },
  40_000,
);
