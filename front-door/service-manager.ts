import { execFile } from "node:child_process";
import type { Logger } from "pino";
import type { Clock } from "../firmware-contracts/clock.ts";
import { statusOf, stepWatchdog, type WatchdogInput, watchdogBegins } from "./watchdog.ts";

/** The program that systemd brings for this: Node cannot write to a datagram socket of the file system. */
const program = "systemd-notify";
/** A notification is a matter of milliseconds; the next one goes out whatever became of it. */
const withinMs = 10_000;

export interface ServiceManagerOptions {
  env: NodeJS.ProcessEnv;
  /** Resolves when every part has answered, with what keeps them from being ready. */
  problems(): Promise<readonly string[]>;
  clock: Clock;
  log: Logger;
}

/** The service manager (systemd) that started this process; where none did, nothing of this does anything. */
export interface ServiceManager {
  /** The service is up. From now on the watchdog is fed, where the unit has one. */
  ready(): Promise<void>;
  /** What becomes of it now, for `systemctl status`. */
  says(status: string): Promise<void>;
  /** It is about to end: the watchdog is fed no more. */
  stopping(): Promise<void>;
}

/** How often the parts are asked, ms: a third of the time after which the manager ends the process. Null where it does not watch this process. */
export function watchdogEveryMs({ NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | null {
  const usec = Number(WATCHDOG_USEC);
  if (!NOTIFY_SOCKET || !(usec > 0)) return null;
  if (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== process.pid) return null;
  return usec / 1000 / 3;
}

export function openServiceManager({ env, problems, clock, log }: ServiceManagerOptions): ServiceManager {
  const everyMs = watchdogEveryMs(env);
  let state = watchdogBegins;
  let isStopping = false;
  let isToldOfFailure = false;
  let callOff = () => {};

  function tell(...lines: string[]): Promise<void> {
    if (!env.NOTIFY_SOCKET) return Promise.resolve();
    return new Promise((resolve) => {
      execFile(program, lines, { env, timeout: withinMs }, (error) => {
        if (error && !isToldOfFailure) {
          isToldOfFailure = true;
          log.error(
            { error: String(error) },
            `${program} cannot tell systemd how the service is; install systemd's tools`,
          );
        }
        resolve();
      });
    });
  }

  function take(input: WatchdogInput): void {
    if (isStopping) return;
    const [next, commands] = stepWatchdog(state, input);
    state = next;
    for (const command of commands) {
      if (command.do === "feed") void tell("WATCHDOG=1", `STATUS=${command.status}`);
      else if (command.do === "stuck") log.error({}, "the parts do not answer; the watchdog is not fed until they do");
      else {
        const answered = problems().catch((error) => [`it cannot be asked: ${String(error)}`]);
        void answered.then((found) => take({ type: "answer", problems: found }));
      }
    }
  }

  function turn(everyMs: number): void {
    take({ type: "turn" });
    callOff = clock.after(everyMs, () => turn(everyMs));
  }

  return {
    async ready() {
      await tell("READY=1", `STATUS=${statusOf(await problems())}`);
      if (everyMs !== null && !isStopping) turn(everyMs);
    },
    says: (status) => tell(`STATUS=${status}`),
    async stopping() {
      isStopping = true;
      callOff();
      await tell("STOPPING=1");
    },
  };
}
