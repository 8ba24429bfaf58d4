import { type Command, Option } from "commander";
import type { ListedDevice } from "../alerting/registry/registry.ts";
import { Placement } from "../firmware-contracts/detection.ts";
import { readConfig } from "./config.ts";
import { print, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

interface ByWhom extends WithConfig {
  by: string;
}

/** Whether this device's alarms call staff, in a word or two. */
export function operationOf({ operation, isSelfTest, revoked }: ListedDevice): string {
  if (revoked) return "–";
  if (isSelfTest) return "self-test";
  const { state, since, how, by } = operation;
  if (state === "in-operation") return `since ${timeOf(since)}, ${how === "bulk" ? `word of ${by ?? "–"}` : "tested"}`;
  return state === "in-store" ? `in store since ${timeOf(since)}` : "AWAITS ITS TEST";
}

/** `fallvakt device test|commission|store|move`: from the shelf to a dwelling, and back. */
export function addOperation(command: Command): void {
  withConfig(command.command("test <deviceId>"))
    .description(
      "make the device's next alarm a test alarm: whoever answers it with the key number of where the device is puts it into operation",
    )
    .option("--to <responder>", "whose phone is asked, by the responder's id; left out: whoever is on call")
    .option("--minutes <number>", "how long it is awaited; left out: alerting.operation.testMinutes")
    .requiredOption("--by <name>", "who tries it: your name or account")
    .addHelpText(
      "after",
      `
Until then a fall of the device goes to the operators first, in words that say so, and to staff where none takes it. The
test alarm does not tell the key number: it is read from the key, in the dwelling, and sent back with the code, as T722 38.
What nobody answers in time goes to the operators as an alarm: it may be a fall.
Examples:
  fallvakt device test watch-17 --by eva
  fallvakt device test watch-17 --to patrol-2 --minutes 10 --by eva`,
    )
    .action(async (deviceId: string, options: ByWhom & { to?: string; minutes?: string }) => {
      const { to, by } = options;
      const { alerting } = readConfig(options.config, "alerting");
      const known = alerting?.responders.map(({ id }) => id) ?? [];
      if (to !== undefined && !known.includes(to)) {
        throw new Error(`no responder has the id ${to}; known are ${known.join(", ")}`);
      }
      const minutes = Number(options.minutes ?? alerting?.operation.testMinutes);
      const test = await withRegister(options, ({ operations }) => operations.test(deviceId, { minutes, to, by }));
      if (options.json) return print(JSON.stringify(test));
      print(
        `Until ${timeOf(test.untilAt)}: press the help button of ${deviceId}, or let it fall. ${to ?? "The phone on call"} is asked for the key number.`,
      );
    });

  withConfig(command.command("commission [deviceIds...]"))
    .description(
      "put devices into operation without a test alarm, by a named person's word: for simulated and moved fleets",
    )
    .option("--all", "every device that awaits its test", false)
    .requiredOption("--by <name>", "who gives their word for it")
    .requiredOption("--reason <text>", "why no test alarm is needed")
    .addHelpText(
      "after",
      `
Examples:
  fallvakt device commission watch-17 watch-18 --by maria --reason "moved from the old system, tried there"
  fallvakt device commission --all --by maria --reason "simulated devices"`,
    )
    .action(async (deviceIds: string[], options: ByWhom & { all: boolean; reason: string }) => {
      const { all, by, reason } = options;
      if (all === deviceIds.length > 0) throw new Error("name devices or give --all, one of them");
      const done = await withRegister(options, ({ operations }) =>
        operations.commission(all ? "all" : deviceIds, { by, reason }),
      );
      if (options.json) return print(JSON.stringify({ inOperation: done, by }));
      print(
        done.length === 0 ? "No device awaits its test." : `In operation, by the word of ${by}: ${done.join(", ")}.`,
      );
    });

  withConfig(command.command("store <deviceId>"))
    .description("take a device back into store: it is in no dwelling, and alarms to its old address no more")
    .requiredOption("--by <name>", "who does it: your name or account")
    .action(async (deviceId: string, options: ByWhom) => {
      await withRegister(options, ({ operations }) => operations.store(deviceId, options.by));
      if (options.json) return print(JSON.stringify({ deviceId, operation: "in-store" }));
      print(`${deviceId} is in store. What it alarms from now on goes to the operators, as the device itself.`);
    });

  withConfig(command.command("move <deviceId>"))
    .description("put a device into a dwelling, from store or from another; it awaits its test there")
    .requiredOption("--key <number>", "the dwelling's key number, as staff know it")
    .option("--area <name>", "the dwelling's area, where it is new")
    .option("--unit <name>", "its home-care unit")
    .option("--room <name>", "the room, for a sensor that stays there")
    .addOption(new Option("--placement <place>", "where it is worn; left out: as before").choices(Placement.options))
    .requiredOption("--by <name>", "who does it: your name or account")
    .addHelpText("after", "\nExample:\n  fallvakt device move watch-17 --key 54 --by eva")
    .action(
      async (deviceId: string, options: ByWhom & { key: string; placement?: Placement } & Record<string, string>) => {
        const { key, area, unit, room, placement, by } = options;
        const consent = await withRegister(options, async ({ operations, registry }) => {
          await operations.move(deviceId, { key, area, unit, room, placement }, by);
          return (await registry.list()).find((one) => one.deviceId === deviceId)?.consent ?? "missing";
        });
        if (options.json) return print(JSON.stringify({ deviceId, key, operation: "awaiting-test", consent }));
        print(`${deviceId} is at key ${key}. Not in operation yet: fallvakt device test ${deviceId} --by NAME`);
        if (consent !== "given") print(`No consent is on record there: fallvakt consent give ${key} --by NAME`);
      },
    );
}
