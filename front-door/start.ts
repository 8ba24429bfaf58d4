import { Command, Option } from "commander";
import { systemClock } from "../firmware-contracts/clock.ts";
import { defaultConfigPath, type Role, readConfig } from "./config.ts";
import { openLog } from "./log.ts";
import { startService } from "./service.ts";

interface StartOptions {
  config: string;
  role: Role;
}

/** `fallvakt start`: runs the service until it is told to stop. */
export function startCommand(): Command {
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
      const service = await startService({ config, role: options.role, clock: systemClock(), log });
      if (service.gateway) {
        const heard = config.gateway.outside ? "Devices are heard through" : "Devices connect to";
        process.stdout.write(`${heard} ${service.gateway.mqttUrl}\n`);
        const { mqttsUrl } = service.gateway;
        if (mqttsUrl) process.stdout.write(`Over TLS: ${mqttsUrl}\n`);
      }
      const intakeUrl = service.alerting?.intakeUrl;
      if (intakeUrl) process.stdout.write(`Gateways, by certificate: ${intakeUrl}\n`);
      if (service.consoleUrl) process.stdout.write(`Console: ${service.consoleUrl}\n`);
      if (service.healthUrl) process.stdout.write(`Health and metrics: ${service.healthUrl}\n`);
      await toldToStop();
      await service.stop();
    });
}

/** Resolves at SIGINT or SIGTERM. */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
