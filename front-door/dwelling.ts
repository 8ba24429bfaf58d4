import { Command } from "commander";
import { print } from "./table.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

interface ArrivalOptions extends WithConfig {
  unit?: string;
  minutes?: string;
  asPolicy?: true;
}

interface HouseholdOptions extends WithConfig {
  unit?: string;
  alone?: true;
  shared?: true;
  unknown?: true;
  by: string;
}

/** `fallvakt dwelling`: what an alarm from one dwelling goes by. */
export function dwellingCommand(): Command {
  const command = new Command("dwelling").description("what an alarm from one dwelling goes by").addHelpText(
    "after",
    `
Examples:
  fallvakt dwelling arrival 38 --minutes 90    a boat trip: nobody else is called before
  fallvakt dwelling arrival 38 --as-policy
  fallvakt dwelling household 38 --alone --by eva`,
  );

  withConfig(command.command("arrival <key>"))
    .description("how long whoever takes an alarm there may be on the way, before others are called")
    .option("--unit <name>", "its home-care unit, where several units use the key number")
    .option("--minutes <number>", "from taken to there, 1 to 1440")
    .option("--as-policy", "as the policy says, again")
    .action(async (key: string, { unit, minutes, asPolicy, ...options }: ArrivalOptions) => {
      if ((minutes === undefined) === (asPolicy === undefined)) {
        throw new Error("say either --minutes NUMBER or --as-policy");
      }
      const given = minutes === undefined ? null : Number(minutes);
      await withRegister(options, ({ dwellings }) => dwellings.setArriveMinutes({ key, unit }, given));
      if (options.json) return print(JSON.stringify({ key, arriveMinutes: given }));
      const says = given === null ? "as the policy says" : `${given} min to arrive`;
      print(`Key ${key}: ${says}, from the next alarm on.`);
    });

  withConfig(command.command("household <key>"))
    .description(
      "whether its resident lives alone: where not, whoever walks or goes to bed there says nothing of a fall",
    )
    .option("--unit <name>", "its home-care unit, where several units use the key number")
    .option("--alone", "one resident, and nobody else lives there")
    .option("--shared", "somebody else lives there, in care or not")
    .option("--unknown", "nobody knows any more; presence then counts as where others live there")
    .requiredOption("--by <name>", "who says so: your name or account")
    .action(async (key: string, { unit, alone, shared, unknown, by, ...options }: HouseholdOptions) => {
      if ([alone, shared, unknown].filter(Boolean).length !== 1) {
        throw new Error("say one of --alone, --shared and --unknown");
      }
      const household = alone ? "alone" : shared ? "shared" : null;
      const { isNews, consent } = await withRegister(options, async ({ dwellings }) => ({
        isNews: await dwellings.setHousehold({ key, unit }, household, by),
        consent: (await dwellings.consents()).find(
          (one) => one.key.toLowerCase() === key.trim().toLowerCase() && (unit === undefined || one.unit === unit),
        ),
      }));
      if (options.json) return print(JSON.stringify({ key, household, isNews }));
      const says = { alone: "its resident lives alone", shared: "others live there too" };
      print(`Key ${key}: ${household ? says[household] : "nobody knows who lives there"}.`);
      if (consent?.state !== "given" && (consent?.records ?? 0) > 0) {
        print(
          "Falls raise NO alarm: not everybody who lives there has consented (fallvakt consent give KEY --person other).",
        );
      }
    });
  return command;
}
