import { dirname, resolve } from "node:path";
import { z } from "zod";
import { AlertingConfig } from "../alerting/config.ts";
import type { CredentialPaths } from "../firmware-contracts/credential-files.ts";
import { GatewayConfig } from "../gateway/config.ts";
import { HealthConfig } from "./health.ts";
import { readSettings } from "./settings-file.ts";

/** The whole configuration: one YAML file, its parts described where they are used. */
export const Config = z.strictObject({
  dataDir: z
    .string()
    .default("data")
    .meta({ description: "Folder of the stores, the journal and the spool; relative to this file" }),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .default("info")
        .meta({ description: "How much is logged to standard error, as JSON lines" }),
    })
    .prefault({})
    .meta({ description: "Logging" }),
  health: HealthConfig,
  gateway: GatewayConfig.prefault({}).meta({ description: "The unit that hears the devices" }),
  alerting: AlertingConfig.optional().meta({ description: "The part that pages and follows alarms" }),
});
export type Config = z.infer<typeof Config>;

/** Where it is when nobody says: in the folder one is in, or, installed, where the package has it. */
export const defaultConfigPath = process.env.FALLVAKT_CONFIG ?? "fallvakt.yaml";

/** The roles a process can have: all in one, or the two halves apart. */
export type Role = "all" | "gateway" | "alerting";

/** The configuration, with what a role cannot do without. */
function configFor(role: Role | null) {
  return Config.superRefine((config, context) => {
    if (role !== null && role !== "gateway" && !config.alerting) {
      context.addIssue({ code: "custom", path: ["alerting"], message: "missing; `fallvakt init` writes one" });
    }
    if (role === "gateway" && !config.gateway.intake) {
      const message =
        "missing: a gateway on its own needs the url of alerting, and its intake's token or a certificate";
      context.addIssue({ code: "custom", path: ["gateway", "intake"], message });
    }
  });
}

/**
 * Reads the configuration for a role; for null whatever it describes.
 * @throws SettingsError with each problem's line, key and mend.
 */
export function readConfig(path: string, role: Role | null = "all", env: NodeJS.ProcessEnv = process.env): Config {
  const config = readSettings(configFor(role), path, env);
  const beside = (file: string) => resolve(dirname(path), file);
  const { alerting } = config;
  for (const files of credentialSections(config)) placeFiles(files, beside);
  if (alerting) alerting.masterKeyFile = beside(alerting.masterKeyFile);
  return { ...config, dataDir: beside(config.dataDir) };
}

/** Every section that can name certificates. */
export function credentialSections({ gateway, alerting }: Config): (CredentialPaths | undefined)[] {
  return [
    ...[gateway.mqtt.tls, gateway.outside, gateway.intake, alerting?.http.tls, alerting?.intake.tls],
    ...[...gateway.adapters, gateway.out],
  ];
}

/** Files are named relative to the configuration. */
function placeFiles(section: CredentialPaths | undefined, beside: (file: string) => string): void {
  if (!section) return;
  for (const key of ["certFile", "keyFile", "caFile"] as const) {
    const file = section[key];
    if (file !== undefined) section[key] = beside(file);
  }
}
