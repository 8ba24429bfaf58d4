import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { openRegister, type Register } from "../alerting/registry/register.ts";
import type { AddedDevice, NewDevice } from "../alerting/registry/registry.ts";
import { rotationDays } from "../alerting/registry/registry.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { Placement } from "../firmware-contracts/detection.ts";
import { newSecret } from "../firmware-contracts/secret.ts";
import { GatewayConfig } from "../gateway/config.ts";
import { defaultConfigPath, readConfig } from "./config.ts";
import { brokerOf, type InstallerNote, installerQr } from "./installer-note.ts";
import { alertingFolder } from "./service.ts";

interface WithConfig {
  config: string;
  json?: boolean;
}

/** Opens the register beside a service that may be running, and closes it whatever happens. */
async function withRegister<T>(options: WithConfig, use: (register: Register) => Promise<T>): Promise<T> {
  const config = readConfig(options.config, "alerting");
  const register = openRegister({ dataDir: alertingFolder(config), clock: systemClock() });
  try {
    return await use(register);
  } finally {
    await register.close();
  }
}

interface WithQr {
  qr: boolean;
  broker?: string;
}

function showSecret({ deviceId, secret }: AddedDevice, where: Pick<InstallerNote, "broker" | "ca"> | null): void {
  print(`Secret, shown only now: ${secret}`);
  if (!where) return;
  print(`Broker: ${where.broker}`);
  if (where.ca) print(`Fingerprint of its authority, SHA-256: ${where.ca}`);
  print(installerQr({ v: 1, id: deviceId, secret, ...where }));
}

const print = (text: string) => void process.stdout.write(`${text}\n`);

/** `fallvakt device`: who may connect. A running gateway follows within seconds. */
export function deviceCommand(): Command {
  const command = new Command("device").description("the register of devices and their dwellings");
  const withConfig = (sub: Command) =>
    sub.option("--config <file>", "the configuration", defaultConfigPath).option("--json", "print JSON", false);

  withConfig(command.command("add <deviceId>"))
    .description("add a device; its secret is shown once")
    .addOption(new Option("--placement <place>", "where it is worn").choices(Placement.options).makeOptionMandatory())
    .requiredOption("--key <number>", "the dwelling's key number, as staff know it")
    .option("--area <name>", "the dwelling's area; in texts only where five dwellings or more share it")
    .option("--room <name>", "the room, for a sensor that stays there")
    .option("--unit <name>", "the home-care unit")
    .option(
      "--qr",
      "print what an installer needs as a QR code: the broker's address and authority, id and secret",
      false,
    )
    .option("--broker <url>", "the broker's address as devices reach it, for --qr; left out: from its certificate")
    .addHelpText(
      "after",
      `
Examples:
  fallvakt device add watch-17 --placement wrist --key 38 --area "Gustavsberg syd"
  fallvakt device add watch-18 --placement wrist --key 61 --qr --broker mqtts://larm.example.se:8883
  fallvakt device add belt-3 --placement waist --key 54 --json`,
    )
    .action(async (deviceId: string, options: WithConfig & WithQr & Omit<NewDevice, "deviceId">) => {
      const { config, json, qr, broker, ...device } = options;
      // Before the device is added: what cannot be printed shall not be found out after its secret is made.
      const where = qr ? brokerOf(readConfig(config, "alerting"), broker) : null;
      const added = await withRegister({ config }, ({ registry }) => registry.addDevice({ deviceId, ...device }));
      if (json) return print(JSON.stringify({ ...added, ...where }));
      print(`Added ${added.deviceId}. MQTT user name and client id: ${added.deviceId}`);
      showSecret(added, where);
    });

  withConfig(command.command("rotate <deviceId>"))
    .description("give a device a new secret; the old one stays valid until the new one has been used")
    .option("--days <number>", "how long the old one stays valid where the new one is not used", String(rotationDays))
    .option("--now", "end the old one at once, and with it the device's connection", false)
    .option("--qr", "print what an installer needs as a QR code", false)
    .option("--broker <url>", "the broker's address as devices reach it, for --qr; left out: from its certificate")
    .action(async (deviceId: string, options: WithConfig & WithQr & { days: string; now: boolean }) => {
      const { config, json, qr, broker, now } = options;
      const days = now ? 0 : Number(options.days);
      if (!now && !(Number.isInteger(days) && days >= 1 && days <= 365)) throw new Error("--days is from 1 to 365");
      const where = qr ? brokerOf(readConfig(config, "alerting"), broker) : null;
      const rotated = await withRegister({ config }, ({ registry }) => registry.rotate(deviceId, days));
      if (json) return print(JSON.stringify({ ...rotated, ...where }));
      const old = now ? "The old one is over." : `The old one is valid until this one is used, ${days} days at most.`;
      print(`A new secret for ${deviceId}. ${old}`);
      showSecret(rotated, where);
    });

  withConfig(command.command("certificate <deviceId>"))
    .description("make a certificate by which a device comes in without its secret, signed by the authority of `init`")
    .requiredOption("--out <file>", "where to write certificate and key, PEM; only its owner may read it")
    .option(
      "--authority <folder>",
      "folder of the authority and its key; left out: certificates, beside the configuration",
    )
    .action(async (deviceId: string, options: WithConfig & { out: string; authority?: string }) => {
      const { issueForDevice, readAuthority, writeSecret } = await import("./certificates.ts");
      const devices = await withRegister(options, ({ registry }) => registry.list());
      if (!devices.some((device) => device.deviceId === deviceId && !device.revoked)) {
        throw new Error(`no device has the id ${deviceId}, or it was revoked; add it first`);
      }
      const folder = options.authority ?? resolve(dirname(options.config), "certificates");
      const made = await issueForDevice(readAuthority(folder), deviceId, new Date(systemClock().wallNow()));
      writeSecret(options.out, `${made.certificate.trim()}\n${made.key}`);
      print(options.json ? JSON.stringify({ deviceId, file: options.out }) : `Wrote ${options.out} for ${deviceId}.`);
    });

  withConfig(command.command("import <file>"))
    .description("add many from CSV with the columns deviceId, placement, key, area, room, unit; all of them or none")
    .action(async (file: string, options: WithConfig) => {
      const added = await withRegister(options, ({ registry }) => registry.addFromCsv(readFileSync(file, "utf8")));
      if (options.json) return print(JSON.stringify(added));
      print("deviceId,secret");
      for (const { deviceId, secret } of added) print(`${deviceId},${secret}`);
    });

  withConfig(command.command("list"))
    .description("every device, its dwelling, and when it was last heard")
    .action(async (options: WithConfig) => {
      const devices = await withRegister(options, ({ registry }) => registry.list());
      if (options.json) return print(JSON.stringify(devices));
      if (devices.length === 0) return print("No devices yet: fallvakt device add ID --placement wrist --key 38");
      const rows = devices.map((device) => [
        device.deviceId,
        device.placement,
        device.key,
        device.area ?? "–",
        device.revoked ? "revoked" : device.online ? "online" : "offline",
        device.lastSeenAt === null ? "never heard" : new Date(device.lastSeenAt).toLocaleString("sv-SE"),
      ]);
      for (const line of columns([["device", "worn", "key", "area", "state", "last heard"], ...rows])) print(line);
    });

  withConfig(command.command("revoke <deviceId>"))
    .description("shut a device out, within seconds")
    .action(async (deviceId: string, options: WithConfig) => {
      await withRegister(options, ({ registry }) => registry.revoke(deviceId));
      print(options.json ? JSON.stringify({ deviceId, revoked: true }) : `Revoked ${deviceId}.`);
    });
  return command;
}

/** `fallvakt gateway`: which gateways there are, and which are lost. */
export function gatewayCommand(): Command {
  const command = new Command("gateway").description("the gateways that alerting has heard of");
  const withConfig = (sub: Command) =>
    sub.option("--config <file>", "the configuration", defaultConfigPath).option("--json", "print JSON", false);

  withConfig(command.command("list"))
    .description("every gateway, when it was last heard, and the version of the register that it follows")
    .action(async (options: WithConfig) => {
      const gateways = await withRegister(options, ({ gateways }) => gateways.gateways());
      if (options.json) return print(JSON.stringify(gateways));
      if (gateways.length === 0) return print("No gateway has been heard yet.");
      const rows = gateways.map((gateway) => [
        gateway.gatewayId,
        gateway.lostAt === null ? "heard" : "LOST",
        new Date(gateway.lastSeenAt).toLocaleString("sv-SE"),
        String(gateway.controlVersion),
      ]);
      for (const line of columns([["gateway", "state", "last heard", "register"], ...rows])) print(line);
    });

  withConfig(command.command("certificate <gatewayId>"))
    .description(
      "make a certificate by which a gateway comes in at the intake without a token, signed by the authority of `init`",
    )
    .requiredOption("--out <file>", "where to write certificate and key, PEM; only its owner may read it")
    .option(
      "--authority <folder>",
      "folder of the authority and its key; left out: certificates, beside the configuration",
    )
    .addHelpText("after", "\nExample:\n  fallvakt gateway certificate stairwell-3 --out stairwell-3.pem")
    .action(async (gatewayId: string, options: WithConfig & { out: string; authority?: string }) => {
      const { certificateFiles, issueForGateway, readAuthority, writeSecret } = await import("./certificates.ts");
      const { success, error } = GatewayConfig.shape.id.safeParse(gatewayId);
      if (!success) throw new Error(`${gatewayId} cannot be a gateway's id: ${error.issues[0]?.message}`);
      const folder = options.authority ?? resolve(dirname(options.config), "certificates");
      const made = await issueForGateway(readAuthority(folder), gatewayId, new Date(systemClock().wallNow()));
      writeSecret(options.out, `${made.certificate.trim()}\n${made.key}`);
      if (options.json) return print(JSON.stringify({ gatewayId, file: options.out }));
      print(`Wrote ${options.out}. Bring it and ${certificateFiles.authority} to the gateway, and write there:`);
      const files = `caFile: ${certificateFiles.authority}, certFile: ${basename(options.out)}`;
      print(`gateway:\n  id: ${gatewayId}\n  intake: { url: "https://HOST:8443", ${files} }`);
    });

  withConfig(command.command("forget <gatewayId>"))
    .description("stop watching a gateway that was taken down for good; takes effect when alerting is started again")
    .action(async (gatewayId: string, options: WithConfig) => {
      const known = await withRegister(options, ({ gateways }) => gateways.forgetGateway(gatewayId));
      if (!known) throw new Error(`no gateway has the id ${gatewayId}; see fallvakt gateway list`);
      print(options.json ? JSON.stringify({ gatewayId, forgotten: true }) : `Forgot ${gatewayId}.`);
    });
  return command;
}

/** `fallvakt user`: accounts for the console. */
export function userCommand(): Command {
  const command = new Command("user").description("accounts for the console");
  command
    .command("add <name>")
    .description("add an account, or give it a new password; a password is made up unless --password-stdin")
    .addOption(new Option("--role <role>", "what it may do").choices(["operator", "responder"]).default("operator"))
    .option("--password-stdin", "read the password from standard input", false)
    .option("--config <file>", "the configuration", defaultConfigPath)
    .action(async (name: string, options: WithConfig & { role: "operator" | "responder"; passwordStdin: boolean }) => {
      const given = options.passwordStdin ? await firstLine() : null;
      const password = given ?? newSecret();
      await withRegister(options, ({ users }) => users.addUser(name, password, options.role));
      print(given === null ? `Added ${name}. Password, shown only now: ${password}` : `Added ${name}.`);
    });
  return command;
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  throw new Error("no password on standard input");
}

function columns(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
