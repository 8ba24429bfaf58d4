import { Command } from "commander";
import { controlParts } from "../firmware-contracts/control-parts.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

/** What a gateway says is in force there, beside what should be. */
export function inForce(reported: number, version: number): string {
  return reported === version ? "current" : `behind (${Math.max(0, reported)} of ${version})`;
}

/** `fallvakt control`: what shall be at the gateways, and how it came to be so. */
export function controlCommand(): Command {
  const command = new Command("control").description("what alerting wants of the gateways, by version");

  withConfig(command.command("show"))
    .description("the version in force, at which version each part last changed, and which each gateway has")
    .action(async (options: WithConfig) => {
      const { version, versions, gateways } = await withRegister(options, async (register) => ({
        ...(await register.control.versions()),
        gateways: await register.gateways.gateways(),
      }));
      if (options.json) {
        const reported = gateways.map(({ gatewayId, controlVersion }) => ({
          gatewayId,
          controlVersion,
          isCurrent: controlVersion === version,
        }));
        return print(JSON.stringify({ version, versions, gateways: reported }));
      }
      print(`Version ${version}\n`);
      printTable(
        ["part", "last changed"],
        controlParts.map((part) => [part, versions[part] === 0 ? "never" : String(versions[part])]),
      );
      if (gateways.length === 0) return print("\nNo gateway has been heard yet.");
      print("");
      printTable(
        ["gateway", "version"],
        gateways.map((gateway) => [gateway.gatewayId, inForce(gateway.controlVersion, version)]),
      );
    });

  withConfig(command.command("log"))
    .description("every change: version, when, part, device or key number, by whom, what")
    .action(async (options: WithConfig) => {
      const changes = await withRegister(options, ({ control }) => control.changes());
      if (options.json) return print(JSON.stringify(changes));
      printTable(
        ["version", "when", "part", "device", "key", "by", "what"],
        changes.map(({ version, at, part, deviceId, key, by, what }) => [
          String(version),
          timeOf(at),
          part,
          deviceId ?? "–",
          key ?? "–",
          by ?? "–",
          what,
        ]),
      );
    });
  return command;
}
