import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { Language } from "../alerting/config.ts";
import { rotaCalendar } from "../alerting/rota/calendar.ts";
import { dayMs, mondayOfWeek, weekOfDay, type Zone } from "../alerting/rota/local-time.ts";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import { addRotaChanges } from "./rota-changes.ts";
import { printGaps, printNow, printWeek, rotaAsJson } from "./rota-show.ts";
import { print } from "./table.ts";
import { withConfig } from "./with-register.ts";
import { type RotaOptions, rotasOpener } from "./with-rotas.ts";

const withLanguage = (command: Command) =>
  withConfig(command).addOption(
    new Option("--language <language>", "of what staff read; else the service's").choices(Language.options),
  );

/** `fallvakt rota`: who is on call when, and changes of it. */
export function rotaCommand(clock: Clock = systemClock()): Command {
  const withRotas = rotasOpener(clock);
  const command = new Command("rota").description("who is on call when; overrides, swaps, hand-overs").addHelpText(
    "after",
    `
Examples:
  fallvakt rota show                     who is on call now, and who comes then
  fallvakt rota show --week 2026-W53     a week as a table
  fallvakt rota gaps --days 14           when nobody is on call
  fallvakt rota override night --responder patrol-4 --from 21:30 --until 07:00 --by eva
  fallvakt rota swap night --shift night@2026-11-27 --with night@2026-11-28 --by eva
  fallvakt rota hand-over night --from patrol-2 --to patrol-4 --by eva
  fallvakt rota crew night patrol-2 "EA, MK" --by eva
  fallvakt rota export --person patrol-2 --out patrol-2.ics`,
  );

  withLanguage(command.command("show [rota]"))
    .description("who is on call now, or in a week; `>` marks the running shifts, GAP where nobody is on call")
    .option("--week [week]", "a week as a table, such as 2026-W48; this one where none is named")
    .action(async (rotaId: string | undefined, options: RotaOptions & { week?: string | true }) => {
      const monday = (now: number, zone: Zone) => mondayAsked(options.week, now, zone);
      await withRotas(
        options,
        (at) => {
          const rotas = at.chosen(rotaId);
          const first = monday(at.now, at.zone);
          if (options.json) return print(JSON.stringify(rotas.map((rota) => rotaAsJson(at, rota, first))));
          for (const [i, rota] of rotas.entries()) {
            if (i > 0) print("");
            if (first === null) printNow(at, rota, at.unreachable);
            else printWeek(at, rota, first, at.unreachable);
          }
        },
        // A week gone by needs the changes of then.
        (now, zone) => Math.min(now - 70 * dayMs, ((monday(now, zone) ?? zone.dayOf(now)) - 70) * dayMs),
      );
    });

  withLanguage(command.command("gaps [rota]"))
    .description("when nobody is on call")
    .option("--days <number>", "how far ahead", "7")
    .action(async (rotaId: string | undefined, options: RotaOptions & { days: string }) => {
      const days = numberIn(options.days, 1, 366, "--days");
      await withRotas(options, (at) => {
        const ids = at.chosen(rotaId).map(({ id }) => id);
        const gaps = at.rotas.gaps(at.now, at.now + days * dayMs).filter((gap) => ids.includes(gap.rotaId));
        if (options.json) return print(JSON.stringify(gaps.map((gap) => ({ ...gap, ...asText(gap) }))));
        printGaps(at, gaps, days);
      });
    });

  addRotaChanges(command, withRotas);

  withLanguage(command.command("export [rota]"))
    .description("the shifts as iCalendar, for a calendar on a phone or a wall; names and no phone numbers")
    .option("--out <file>", "where to write it; else it is printed")
    .option("--person <id>", "only this responder's shifts")
    .option("--weeks <number>", "how many weeks, from this one on", "8")
    .action(
      async (rotaId: string | undefined, options: RotaOptions & { out?: string; person?: string; weeks: string }) => {
        const weeks = numberIn(options.weeks, 1, 104, "--weeks");
        const text = await withRotas(options, ({ rotas, zone, words, now, config, nameOf, chosen }) => {
          const { person } = options;
          if (person !== undefined && !config.responders.some(({ id }) => id === person)) {
            throw new Error(
              `no responder has the id ${person}; known are ${config.responders.map(({ id }) => id).join(", ")}`,
            );
          }
          const monday = mondayAsked(true, now, zone) ?? 0;
          return rotaCalendar({
            rotas: chosen(rotaId).map((rota) => ({ rota, plan: rotas.plan(rota.id) })),
            from: zone.at(monday, 0),
            until: zone.at(monday + weeks * 7, 0),
            now,
            person,
            nameOf,
            words,
          });
        });
        if (options.out === undefined) process.stdout.write(text);
        else {
          writeFileSync(options.out, text);
          print(options.json ? JSON.stringify({ out: options.out, weeks }) : `Wrote ${options.out}, ${weeks} weeks.`);
        }
      },
    );
  return command;
}

const asText = ({ from, until }: { from: number; until: number }) => ({
  from: new Date(from).toISOString(),
  until: new Date(until).toISOString(),
});

/** The Monday of the week asked for, or null where none is. */
function mondayAsked(week: string | true | undefined, now: number, zone: Zone): number | null {
  if (week === undefined) return null;
  const name = week === true ? weekOfDay(zone.dayOf(now)) : week;
  const monday = mondayOfWeek(name);
  if (monday === null) throw new Error(`--week: "${name}" is no week; write it as 2026-W48`);
  return monday;
}

function numberIn(text: string, least: number, most: number, what: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new Error(`${what}: give a whole number from ${least} to ${most}`);
  }
  return number;
}
