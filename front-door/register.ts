import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import type { ListedDevice, NewDevice, NewSecret } from "../alerting/registry/registry.ts";
import { rotationDays } from "../alerting/registry/registry.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { Placement } from "../firmware-contracts/detection.ts";
import type { InstallerNote } from "../firmware-contracts/installer-note.ts";
import { GatewayConfig } from "../gateway/config.ts";
import { readConfig } from "./config.ts";
import { inForce } from "./control.ts";
import { brokerOf, installerQr } from "./installer-note.ts";
import { addOperation, operationOf } from "./operation.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

interface ByWhom {
  by?: string;
}

interface WithQr {
  qr: boolean;
  broker?: string;
}

function showSecret({ deviceId, secret }: NewSecret, where: Pick<InstallerNote, "broker" | "ca"> | null): void {
  print(`Secret, shown only now: ${secret}`);
  if (!where) return;
  print(`Broker: ${where.broker}`);
  if (where.ca) print(`Fingerprint of its authority, SHA-256: ${where.ca}`);
  print(installerQr({ v: 1, id: deviceId, secret, ...where }));
}

/** `fallvakt device`: who may connect. A running gateway follows within seconds. */
export function deviceCommand(): Command {
  const command = new Command("device").description("the register of devices and their dwellings");
  withConfig(command.command("add <deviceId>"))
    .description("add a device; its secret is shown once")
    .addOption(new Option("--placement <place>", "where it is worn").choices(Placement.options).makeOptionMandatory())
    .requiredOption("--key <number>", "the dwelling's key number, as staff know it")
    .option("--area <name>", "the dwelling's area; in texts only where five dwellings or more share it")
    .option("--room <name>", "the room, for a sensor that stays there")
    .option("--unit <name>", "the home-care unit")
    .option(
      "--consent-by <name>",
      "who vouches that the resident, and whoever lives there, has consented to being watched for falls; without consent no movement is stored or judged, and only the help button raises an alarm",
    )
    .option("--leads-out", "a contact at a door that leads out of the dwelling")
    .option("--by <name>", "who adds it, for the history")
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
  fallvakt device add watch-17 --placement wrist --key 38 --area "Gustavsberg syd" --consent-by eva
  fallvakt device add watch-18 --placement wrist --key 61 --consent-by eva --qr --broker mqtts://larm.example.se:8883
  fallvakt device add belt-3 --placement waist --key 54 --consent-by eva --json
  fallvakt device add door-3 --placement waist --key 54 --room hall --leads-out`,
    )
    .action(async (deviceId: string, options: WithConfig & WithQr & ByWhom & Omit<NewDevice, "deviceId">) => {
      const { config, json, qr, broker, by, ...device } = options;
      // Before the device is added: what cannot be printed shall not be found out after its secret is made.
      const where = qr ? brokerOf(readConfig(config, "alerting"), broker) : null;
      const added = await withRegister({ config }, ({ registry }) =>
        registry.addDevice({ deviceId, ...device }, { by }),
      );
      if (json) return print(JSON.stringify({ ...added, ...where }));
      print(`Added ${added.deviceId}. MQTT user name and client id: ${added.deviceId}`);
      showSecret(added, where);
      print(
        `Not in operation yet: its falls go to the operators first. Try it: fallvakt device test ${added.deviceId} --by NAME`,
      );
      if (added.consent !== "given") print(withoutConsent([device.key]));
    });

  withConfig(command.command("rotate <deviceId>"))
    .description("give a device a new secret; the old one stays valid until the new one has been used")
    .option("--days <number>", "how long the old one stays valid where the new one is not used", String(rotationDays))
    .option("--now", "end the old one at once, and with it the device's connection", false)
    .option("--by <name>", "who gives it, for the history")
    .option("--qr", "print what an installer needs as a QR code", false)
    .option("--broker <url>", "the broker's address as devices reach it, for --qr; left out: from its certificate")
    .action(async (deviceId: string, options: WithConfig & WithQr & ByWhom & { days: string; now: boolean }) => {
      const { config, json, qr, broker, now, by } = options;
      const days = now ? 0 : Number(options.days);
      if (!now && !(Number.isInteger(days) && days >= 1 && days <= 365)) throw new Error("--days is from 1 to 365");
      const where = qr ? brokerOf(readConfig(config, "alerting"), broker) : null;
      const rotated = await withRegister({ config }, ({ registry }) => registry.rotate(deviceId, days, by));
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
    .description(
      "add many from CSV with the columns deviceId, placement, key, area, room, unit, consentBy, leadsOut; all of them or none",
    )
    .option("--by <name>", "who adds them, for the history")
    .action(async (file: string, options: WithConfig & ByWhom) => {
      const { by } = options;
      const added = await withRegister(options, ({ registry }) =>
        registry.addFromCsv(readFileSync(file, "utf8"), { by }),
      );
      if (options.json) return print(JSON.stringify(added));
      print("deviceId,secret");
      for (const { deviceId, secret } of added) print(`${deviceId},${secret}`);
      const without = added.filter(({ consent }) => consent !== "given").length;
      // Beside the list: standard output may be a file.
      if (without > 0) process.stderr.write(`${without} of ${added.length}: ${withoutConsent([])}\n`);
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
        device.key || "–",
        device.area ?? "–",
        device.revoked ? "revoked" : device.online ? "online" : "offline",
        device.lastSeenAt === null ? "never heard" : timeOf(device.lastSeenAt),
        operationOf(device),
        watchedOf(device),
      ]);
      printTable(["device", "worn", "key", "area", "state", "last heard", "operation", "falls"], rows);
    });

  withConfig(command.command("revoke <deviceId>"))
    .description("shut a device out, within seconds")
    .option("--by <name>", "who does it, for the history")
    .action(async (deviceId: string, options: WithConfig & ByWhom) => {
      await withRegister(options, ({ registry }) => registry.revoke(deviceId, options.by));
      print(options.json ? JSON.stringify({ deviceId, revoked: true }) : `Revoked ${deviceId}.`);
    });
  addPlaceAndThreshold(command);
  addOperation(command);
  return command;
}

function addPlaceAndThreshold(command: Command): void {
  withConfig(command.command("place <deviceId>"))
    .description("say where a device is worn from now on")
    .addOption(new Option("--placement <place>", "where").choices(Placement.options).makeOptionMandatory())
    .requiredOption("--by <name>", "who says so: your name or account")
    .action(async (deviceId: string, options: WithConfig & { placement: Placement; by: string }) => {
      const { placement, by } = options;
      await withRegister(options, ({ registry }) => registry.place(deviceId, placement, by));
      print(options.json ? JSON.stringify({ deviceId, placement }) : `${deviceId} is worn at the ${placement}.`);
    });

  withConfig(command.command("door <deviceId>"))
    .description("say whether a contact is at a door that leads out: whoever went out by it is not still, but away")
    .option("--leads-out", "it is")
    .option("--inside", "it is not")
    .requiredOption("--by <name>", "who says so: your name or account")
    .action(async (deviceId: string, options: WithConfig & { leadsOut?: true; inside?: true; by: string }) => {
      const { leadsOut = false, inside = false, by } = options;
      if (leadsOut === inside) throw new Error("say either --leads-out or --inside");
      await withRegister(options, ({ registry }) => registry.setLeadsOut(deviceId, leadsOut, by));
      if (options.json) return print(JSON.stringify({ deviceId, leadsOut }));
      print(`${deviceId} is at ${leadsOut ? "a" : "no"} door that leads out.`);
    });

  withConfig(command.command("staff-tag <deviceId>"))
    .description(
      "say that a device with a button is the staff's: pressed on arrival, it holds the dwelling's watching for half an hour; pressed again in that time it pages for help",
    )
    .option("--off", "it is not, and its button pages always", false)
    .requiredOption("--by <name>", "who says so: your name or account")
    .action(async (deviceId: string, options: WithConfig & { off: boolean; by: string }) => {
      const staffTag = !options.off;
      await withRegister(options, ({ registry }) => registry.setStaffTag(deviceId, staffTag, options.by));
      if (options.json) return print(JSON.stringify({ deviceId, staffTag }));
      print(
        staffTag
          ? `${deviceId} is the staff's: a press says that staff are there, a second one pages.`
          : `${deviceId} is no staff's tag: its help button pages always.`,
      );
    });

  withConfig(command.command("threshold <deviceId> [score]"))
    .description("give a device a threshold of its own: the score, 0.02 to 0.98, from which a movement may be a fall")
    .option("--reset", "give it the model's own again", false)
    .requiredOption("--approved-by <name>", "the manager who has approved it")
    .addHelpText(
      "after",
      `
A lower one finds more falls and raises more false alarms, a higher one the other way round. Movement that scores as high
as the model's strong threshold is still told at once, unless this one is higher. It is set as it is given: fallvakt tune
shows first which alarms it would have lost and gained, and keeps it where no confirmed fall is lost.
Example:
  fallvakt device threshold watch-17 0.4 --approved-by maria`,
    )
    .action(
      async (
        deviceId: string,
        score: string | undefined,
        options: WithConfig & { reset: boolean; approvedBy: string },
      ) => {
        if (options.reset === (score !== undefined)) throw new Error("give a score or --reset, one of them");
        const threshold = score === undefined ? null : Number(score);
        await withRegister(options, ({ registry }) => registry.setThreshold(deviceId, threshold, options.approvedBy));
        if (options.json) return print(JSON.stringify({ deviceId, threshold }));
        print(threshold === null ? `${deviceId} has the model's own threshold.` : `${deviceId}: ${threshold}.`);
      },
    );
}

/** Told where a device is added: whoever installs it must know. */
function withoutConsent(keys: string[]): string {
  const [key = "KEY"] = keys;
  return `No consent is on record: falls raise NO alarm, only the help button does, until: fallvakt consent give ${key} --giver NAME --how TEXT --by NAME`;
}

/** Whether this device's falls raise an alarm, in a word or two. */
function watchedOf({
  revoked,
  staffTag,
  consent,
  pausedUntil,
  threshold,
  operation,
  isSelfTest,
}: ListedDevice): string {
  if (revoked || isSelfTest || operation.state === "in-store") return "–";
  if (staffTag) return "staff's tag";
  if (consent !== "given") return `NO CONSENT (${consent})`;
  if (pausedUntil !== null) return `paused until ${timeOf(pausedUntil)}`;
  return threshold === null ? "watched" : `watched, threshold ${threshold}`;
}

/** `fallvakt gateway`: which gateways there are, and which are lost. */
export function gatewayCommand(): Command {
  const command = new Command("gateway").description("the gateways that alerting has heard of");
  withConfig(command.command("list"))
    .description("every gateway, when it was last heard, and whether it follows the register as it is now")
    .action(async (options: WithConfig) => {
      const { version, gateways } = await withRegister(options, async (register) => ({
        ...(await register.control.versions()),
        gateways: await register.gateways.gateways(),
      }));
      if (options.json) {
        const isCurrent = (reported: number) => reported === version;
        return print(JSON.stringify(gateways.map((one) => ({ ...one, isCurrent: isCurrent(one.controlVersion) }))));
      }
      if (gateways.length === 0) return print("No gateway has been heard yet.");
      const rows = gateways.map((gateway) => [
        gateway.gatewayId,
        gateway.lostAt === null ? "heard" : "LOST",
        timeOf(gateway.lastSeenAt),
        inForce(gateway.controlVersion, version),
      ]);
      printTable(["gateway", "state", "last heard", "register"], rows);
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
