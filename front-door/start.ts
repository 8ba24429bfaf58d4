import { mkdirSync } from "node:fs";
import { Command, Option } from "commander";
import type { Logger } from "pino";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import { type Config, defaultConfigPath, type Role, readConfig } from "./config.ts";
import { problemsOf } from "./health.ts";
import { openLog } from "./log.ts";
import { type Service, startService } from "./service.ts";
import { openServiceManager } from "./service-manager.ts";
import { openServiceSocket, partsOf } from "./service-socket.ts";

interface StartOptions {
  config: string;
  role: Role;
}

/** `fallvakt start`: runs the service until it is told to stop. */
export function startCommand(version: string): Command {
  return new Command("start")
    .description("run the service")
    .option("--config <file>", "the configuration", defaultConfigPath)
    .addOption(
      new Option("--role <role>", "what this process does").choices(["all", "gateway", "alerting"]).default("all"),
    )
    .addHelpText(
      "after",
      `
Examples:
  fallvakt start
  fallvakt start --role alerting                        on a server
  fallvakt start --role gateway --config gateway.yaml   in a stairwell`,
    )
    .action(async (options: StartOptions) => {
      const config = readConfig(options.config, options.role);
      const log = openLog(config.log.level);
      await runService({ config, role: options.role, version, clock: systemClock(), log });
    });
}

interface RunOptions {
  config: Config;
  role: Role;
  version: string;
  clock: Clock;
  log: Logger;
}

/** The service, its socket for commands and its word to the service manager, until a signal ends it. */
async function runService({ config, role, version, clock, log }: RunOptions): Promise<void> {
  const { dataDir } = config;
  const told = toldToStop();
  let service: Service | null = null;
  let isRestoring = false;

  const manager = openServiceManager({
    env: process.env,
    clock,
    log,
    async problems() {
      if (!service) return ["it is being restored"];
      await service.gateway?.answers();
      return problemsOf(service);
    },
  });

  async function restore(order: unknown): Promise<unknown> {
    if (!service || isRestoring) throw new Error("the service is starting, stopping or being restored; try again");
    isRestoring = true;
    try {
      const { RestoreOrder, swapIn } = await import("./restore-swap.ts");
      const checked = RestoreOrder.parse(order);
      await manager.says("a backup is being restored");
      const stopping = service;
      service = null;
      await stopping.stop();
      try {
        return await swapIn({ config, order: checked, clock, log });
      } finally {
        // Whatever became of it, the watch goes on: with the backup, or with what was there.
        service = await startService({ config, role, version, clock, log });
      }
    } finally {
      isRestoring = false;
    }
  }

  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Before anything else: whoever has the socket has the files, and no second service or restore is at them.
  const socket = await openServiceSocket(dataDir, partsOf(role), {
    state: async () => ({
      version,
      pid: process.pid,
      parts: partsOf(role),
      isUp: service !== null,
      problems: service ? await problemsOf(service) : [],
    }),
    restore: (order) => {
      const restoring = restore(order);
      // A service that does not come up again is no service: its manager starts it anew.
      void restoring.finally(() => service ?? process.kill(process.pid, "SIGTERM")).catch(() => {});
      return restoring;
    },
  });
  try {
    service = await startService({ config, role, version, clock, log });
    sayWhere(service, config);
    await manager.ready();
    await told;
  } finally {
    await manager.stopping();
    await socket.close();
    await service?.stop();
  }
}

function sayWhere({ gateway, alerting, consoleUrl, healthUrl }: Service, config: Config): void {
  if (gateway) {
    const heard = config.gateway.outside ? "Devices are heard through" : "Devices connect to";
    process.stdout.write(`${heard} ${gateway.mqttUrl}\n`);
    const { mqttsUrl } = gateway;
    if (mqttsUrl) process.stdout.write(`Over TLS: ${mqttsUrl}\n`);
  }
  const intakeUrl = alerting?.intakeUrl;
  if (intakeUrl) process.stdout.write(`Gateways, by certificate: ${intakeUrl}\n`);
  if (consoleUrl) process.stdout.write(`Console: ${consoleUrl}\n`);
  if (healthUrl) process.stdout.write(`Health and metrics: ${healthUrl}\n`);
}

/** Resolves at SIGINT or SIGTERM. */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
