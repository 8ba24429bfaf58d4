import { Command, Option } from "commander";
import { PauseReason } from "../firmware-contracts/intake.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

interface OfDwelling extends WithConfig {
  unit?: string;
  by: string;
}

const followed = "A gateway that alerting can reach follows within seconds.";

/** A command about one dwelling. */
function ofDwelling(command: Command): Command {
  return withConfig(command).option("--unit <name>", "its home-care unit, where several units use the key number");
}

/** `fallvakt consent`: whose falls may be watched for. */
export function consentCommand(): Command {
  const command = new Command("consent").description("consent of the resident, and of whoever lives there");

  ofDwelling(command.command("give <key>"))
    .description("put on record that the resident of this dwelling, and whoever lives there, has consented")
    .requiredOption("--by <name>", "who vouches for it: your name or account")
    .action(async (key: string, { unit, by, ...options }: OfDwelling) => {
      const isNews = await withRegister(options, ({ dwellings }) => dwellings.giveConsent({ key, unit }, by));
      if (options.json) return print(JSON.stringify({ key, consent: "given", isNews }));
      print(isNews ? `Key ${key}: consent given. ${followed}` : `Key ${key}: consent was on record already.`);
    });

  ofDwelling(command.command("withdraw <key>"))
    .description(
      "put on record that one of them has withdrawn it: nothing is stored or judged any more, and falls raise no alarm",
    )
    .requiredOption("--by <name>", "who takes note of it: your name or account")
    .action(async (key: string, { unit, by, ...options }: OfDwelling) => {
      const isNews = await withRegister(options, ({ dwellings }) => dwellings.withdrawConsent({ key, unit }, by));
      if (options.json) return print(JSON.stringify({ key, consent: "withdrawn", isNews }));
      print(
        isNews
          ? `Key ${key}: consent withdrawn. Falls raise no alarm; the help button does. ${followed}`
          : `Key ${key}: consent was withdrawn already.`,
      );
    });

  withConfig(command.command("list"))
    .description("every dwelling, whether it has consented, and who said so")
    .action(async (options: WithConfig) => {
      const consents = await withRegister(options, ({ dwellings }) => dwellings.consents());
      if (options.json) return print(JSON.stringify(consents));
      printTable(
        ["key", "unit", "consent", "since", "by"],
        consents.map(({ key, unit, state, at, by }) => [key, unit ?? "–", state, timeOf(at), by ?? "–"]),
      );
    });
  return command;
}

/** `fallvakt pause`: watching held on purpose, for a while. */
export function pauseCommand(): Command {
  const command = new Command("pause")
    .description("hold the watching of a dwelling for a while; the help button pages all the while")
    .addHelpText(
      "after",
      `
Examples:
  fallvakt pause 38 --minutes 30 --reason visit --by eva
  fallvakt pause end 38 --by eva`,
    );

  ofDwelling(command.command("start <key>", { isDefault: true }))
    .description("pause a dwelling from now on; it ends by itself, without contact to alerting too")
    .requiredOption("--minutes <number>", "how long, 30 days at most")
    .addOption(new Option("--reason <reason>", "why").choices(PauseReason.options).makeOptionMandatory())
    .requiredOption("--by <name>", "who pauses: your name or account")
    .action(async (key: string, options: OfDwelling & { minutes: string; reason: PauseReason }) => {
      const { unit, by, reason, json } = options;
      const minutes = Number(options.minutes);
      const pause = await withRegister(options, ({ dwellings }) =>
        dwellings.pause({ key, unit }, { minutes, reason, by }),
      );
      if (json) return print(JSON.stringify(pause));
      print(
        `Key ${pause.key}: paused until ${timeOf(pause.until)}. Falls raise no alarm until then; the help button does. ${followed}`,
      );
    });

  ofDwelling(command.command("end <key>"))
    .description("end a pause before its time")
    .option("--by <name>", "who ends it: your name or account")
    .action(async (key: string, { unit, by, ...options }: WithConfig & { unit?: string; by?: string }) => {
      const wasRunning = await withRegister(options, ({ dwellings }) => dwellings.endPause({ key, unit }, by));
      if (options.json) return print(JSON.stringify({ key, ended: wasRunning }));
      print(wasRunning ? `Key ${key}: watched again. ${followed}` : `Key ${key}: no pause was running.`);
    });

  withConfig(command.command("list"))
    .description("the pauses that are running")
    .action(async (options: WithConfig) => {
      const pauses = await withRegister(options, ({ dwellings }) => dwellings.pauses());
      if (options.json) return print(JSON.stringify(pauses));
      if (pauses.length === 0) return print("No pause is running.");
      printTable(
        ["key", "unit", "since", "until", "reason", "by"],
        pauses.map(({ key, unit, from, until, reason, by }) => [
          key,
          unit ?? "–",
          timeOf(from),
          timeOf(until),
          reason,
          by,
        ]),
      );
    });
  return command;
}
