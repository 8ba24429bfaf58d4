import type { Command } from "commander";
import { openRegister, type Register } from "../alerting/registry/register.ts";
import { masterKeySource } from "../alerting/store/master-key-file.ts";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import type { Store } from "../alerting/store/store.ts";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import { type Config, defaultConfigPath, readConfig } from "./config.ts";
import { alertingFolder } from "./service.ts";

/** What every command on the register takes. */
export interface WithConfig {
  config: string;
  json?: boolean;
}

export interface OpenStore {
  store: Store;
  clock: Clock;
  /** Alerting's. */
  dataDir: string;
  config: Config;
  alerting: NonNullable<Config["alerting"]>;
}

export function withConfig(command: Command): Command {
  return command
    .option("--config <file>", "the configuration", defaultConfigPath)
    .option("--json", "print JSON", false);
}

/** Opens the whole store beside a service that may be running, with the master key where something sealed is asked for, and closes it whatever happens. */
export async function withStore<T>(options: WithConfig, use: (open: OpenStore) => Promise<T>): Promise<T> {
  const config = readConfig(options.config, "alerting");
  const { alerting } = config;
  if (!alerting) throw new Error("alerting is missing in the configuration");
  const dataDir = alertingFolder(config);
  const store = openSqliteStore(dataDir, masterKeySource(alerting, dataDir));
  try {
    return await use({ store, clock: systemClock(), dataDir, config, alerting });
  } finally {
    await store.close();
  }
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
