import type { Command } from "commander";
import { openRegister, type Register } from "../alerting/registry/register.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { defaultConfigPath, readConfig } from "./config.ts";
import { alertingFolder } from "./service.ts";

/** What every command on the register takes. */
export interface WithConfig {
  config: string;
  json?: boolean;
}

export function withConfig(command: Command): Command {
  return command
    .option("--config <file>", "the configuration", defaultConfigPath)
    .option("--json", "print JSON", false);
}

/** Opens the register beside a service that may be running, and closes it whatever happens. */
export async function withRegister<T>(options: WithConfig, use: (register: Register) => Promise<T>): Promise<T> {
  const config = readConfig(options.config, "alerting");
  const register = openRegister({ dataDir: alertingFolder(config), clock: systemClock() });
  try {
    return await use(register);
  } finally {
    await register.close();
  }
}
