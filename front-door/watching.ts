import { Command, Option } from "commander";
import { createDwellings, type Dwellings } from "../alerting/registry/dwellings.ts";
import { dayOfDate, type Zone, zoneOf } from "../alerting/rota/local-time.ts";
import { momentOf } from "../alerting/rota/typed-times.ts";
import type { ConsentLack } from "../alerting/store/store.ts";
import { PauseReason } from "../firmware-contracts/intake.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withRegister, withStore } from "./with-register.ts";

interface OfDwelling extends WithConfig {
  unit?: string;
  by: string;
}

const followed = "A gateway that alerting can reach follows within seconds.";

/** A command about one dwelling. */
function ofDwelling(command: Command): Command {
  return withConfig(command).option("--unit <name>", "its home-care unit, where several units use the key number");
}

interface GiveOptions extends OfDwelling {
  giver?: string;
  person: "resident" | "other";
  how?: string;
  date?: string;
  review?: string;
  vouched?: true;
}

/** Consents are sealed with a key of the dwelling's: the whole store is opened, with its master key. */
const withDwellings = <T>(options: WithConfig, use: (dwellings: Dwellings, zone: Zone, now: number) => Promise<T>) =>
  withStore(options, ({ store, clock, alerting }) =>
    use(
      createDwellings(() => store, clock),
      zoneOf(alerting.timeZone),
      clock.wallNow(),
    ),
  );

const lackSays: Record<ConsentLack, string> = {
  resident: "the resident's is not on record",
  other: "the resident does not live alone, and not everybody else's is on record",
  household: "nobody has said who lives there: fallvakt dwelling household KEY --alone (or --shared) --by NAME",
};

/** `fallvakt consent`: whose falls may be watched for. */
export function consentCommand(): Command {
  const command = new Command("consent").description("consent of the resident, and of whoever lives there").addHelpText(
    "after",
    `
Examples:
  fallvakt consent give 38 --giver "Asta Ek" --how "visit of 12 November, leaflet in Finnish" --review 2027-11-12 --by eva
  fallvakt consent give 38 --person other --giver "Nils Ek" --how "the same visit" --review 2027-11-12 --by eva
  fallvakt consent withdraw 38 --person other --by eva
  fallvakt consent show 38 --by eva                 who gave it and how; the look-up stands in the audit log`,
  );

  ofDwelling(command.command("give <key>"))
    .description(
      "put one person's consent on record. A dwelling is watched once the resident's, and in a shared household each other's, is",
    )
    .option("--giver <name>", "who gave it: the person it is about, for nobody consents for another")
    .addOption(new Option("--person <who>", "whose it is").choices(["resident", "other"]).default("resident"))
    .option("--how <text>", "how they were informed, and by whom")
    .option("--date <date>", "when it was given, as 2026-11-12; left out: today")
    .option("--review <date>", "when it is to be asked about again; left out: a year after it was given")
    .option(
      "--vouched",
      "for simulated and moved fleets: the named person's word that all who live there have given theirs",
    )
    .requiredOption("--by <name>", "who takes it down: your name or account")
    .action(async (key: string, { unit, by, giver, person, how, date, review, vouched, ...options }: GiveOptions) => {
      if (vouched) {
        if (giver !== undefined || how !== undefined) throw new Error("--vouched stands alone: no --giver, no --how");
        const isNews = await withDwellings(options, (dwellings) => dwellings.giveConsent({ key, unit }, by));
        if (options.json) return print(JSON.stringify({ key, consent: "given", isNews }));
        return print(
          isNews ? `Key ${key}: given, as ${by} vouches. ${followed}` : `Key ${key}: consent was on record already.`,
        );
      }
      if (giver === undefined || how === undefined) {
        throw new Error(
          "say who gave it and how they were informed: --giver NAME --how TEXT (fallvakt consent give --help)",
        );
      }
      const given = await withDwellings(options, (dwellings, zone, now) => {
        const givenAt = date === undefined ? Math.round(now) : dayBegins(date, zone);
        const reviewAt = review === undefined ? zone.at(zone.dayOf(givenAt) + 365, 0) : dayBegins(review, zone);
        return dwellings.recordConsent({ key, unit }, { person, giver, how, givenAt, reviewAt }, by);
      });
      const { id, state, lacking } = given;
      if (options.json) return print(JSON.stringify({ key, id, consent: state, lacking }));
      print(`Key ${key}: on record (${id}).`);
      for (const lack of lacking) print(`Lacking: ${lackSays[lack].replace("KEY", key)}.`);
      print(state === "given" ? `It is watched for falls. ${followed}` : "Falls raise NO alarm; the help button does.");
    });

  ofDwelling(command.command("withdraw <key>"))
    .description(
      "put on record that one of them has withdrawn it: nothing is stored or judged any more, and falls raise no alarm",
    )
    .addOption(
      new Option("--person <who>", "whose; left out: all that is on record ends").choices(["resident", "other"]),
    )
    .requiredOption("--by <name>", "who takes note of it: your name or account")
    .action(async (key: string, { unit, by, person, ...options }: OfDwelling & { person?: "resident" | "other" }) => {
      const isNews = await withDwellings(options, (dwellings) => dwellings.withdrawConsent({ key, unit }, by, person));
      if (options.json) return print(JSON.stringify({ key, consent: "withdrawn", isNews }));
      print(
        isNews
          ? `Key ${key}: consent withdrawn. Falls raise no alarm; the help button does. ${followed}`
          : `Key ${key}: consent was withdrawn already.`,
      );
    });

  ofDwelling(command.command("show <key>"))
    .description(
      "who has given theirs, how they were informed, and when it is reviewed; the look-up is written down first",
    )
    .requiredOption("--by <name>", "who looks: your name or account")
    .action(async (key: string, { unit, by, ...options }: OfDwelling) => {
      const found = await withDwellings(options, (dwellings) => dwellings.showConsents({ key, unit }, by));
      if (options.json) return print(JSON.stringify(found));
      if (found.length === 0) return print(`Key ${key}: nobody's consent is on record by itself.`);
      for (const { id, person, giver, how, givenAt, reviewAt, by: takenBy } of found) {
        print(`${giver} (${person}, ${id}), given ${dayOf(givenAt)}, to be reviewed ${dayOf(reviewAt)}`);
        print(`  Informed: ${how}. Taken down by ${takenBy}`);
      }
    });

  withConfig(command.command("list"))
    .description("every dwelling, whether it has consented, who said so, and whose review is due")
    .action(async (options: WithConfig) => {
      const consents = await withDwellings(options, (dwellings) => dwellings.consents());
      if (options.json) return print(JSON.stringify(consents));
      printTable(
        ["key", "unit", "consent", "since", "by", "on record", "review"],
        consents.map(({ key, unit, state, at, by, isRecorded, records, reviewAt, isReviewDue }) => [
          key,
          unit ?? "–",
          state,
          timeOf(at),
          by ?? "–",
          state === "given" && !isRecorded ? "vouched for" : String(records),
          reviewAt === null ? "–" : `${dayOf(reviewAt)}${isReviewDue ? " DUE" : ""}`,
        ]),
      );
      const due = consents.filter(({ isReviewDue }) => isReviewDue).length;
      if (due > 0) print(`${due} to be asked about again; they are watched meanwhile.`);
    });
  return command;
}

const dayOf = (at: number) => new Date(at).toLocaleDateString("sv-SE");

/** Local midnight of a date as a person types it. @throws with the mend. */
function dayBegins(date: string, zone: Zone): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(date) ? dayOfDate(date) : Number.NaN;
  if (Number.isNaN(day)) throw new Error(`"${date}" is no date; write it as 2026-12-03`);
  return zone.at(day, 0);
}

/** A return as a person types it: a date is its beginning, so that whoever comes home is watched from then on. */
const untilOf = (text: string, zone: Zone, now: number) =>
  /^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ? dayBegins(text.trim(), zone) : momentOf(text, zone, now);

/** `fallvakt pause`: watching held on purpose, for a while. */
export function pauseCommand(): Command {
  const command = new Command("pause")
    .description("hold the watching of a dwelling for a while; the help button pages all the while")
    .addHelpText(
      "after",
      `
Examples:
  fallvakt pause 38 --minutes 30 --reason visit --by eva
  fallvakt pause 38 --until 2026-12-03 --reason hospital --by eva      watched again when that day begins
  fallvakt pause 38 --until "2026-12-03 14:00" --reason hospital --by eva
  fallvakt pause end 38 --by eva`,
    );

  ofDwelling(command.command("start <key>", { isDefault: true }))
    .description("pause a dwelling from now on; it ends by itself, without contact to alerting too")
    .option("--minutes <number>", "how long, 30 days at most")
    .option("--until <time>", 'until when: a date, at whose beginning it ends, a time or both, as "2026-12-03 14:00"')
    .addOption(new Option("--reason <reason>", "why").choices(PauseReason.options).makeOptionMandatory())
    .requiredOption("--by <name>", "who pauses: your name or account")
    .action(async (key: string, options: OfDwelling & { minutes?: string; until?: string; reason: PauseReason }) => {
      const { unit, by, reason, json } = options;
      if ((options.minutes === undefined) === (options.until === undefined)) {
        throw new Error("say either --minutes NUMBER or --until TIME");
      }
      const pause = await withDwellings(options, (dwellings, zone, now) => {
        const minutes = options.minutes === undefined ? undefined : Number(options.minutes);
        const until = options.until === undefined ? undefined : untilOf(options.until, zone, now);
        return dwellings.pause({ key, unit }, { minutes, until, reason, by });
      });
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
