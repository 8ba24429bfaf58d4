import type { Command } from "commander";
import { minuteMs } from "../alerting/rota/local-time.ts";
import type { RotaHistoryLine } from "../alerting/rota/rota-store.ts";
import { momentOf, shiftNamed } from "../alerting/rota/typed-times.ts";
import { print, printTable } from "./table.ts";
import { withConfig } from "./with-register.ts";
import type { RotaOptions, WithRotas } from "./with-rotas.ts";

const followed = "A running service follows within a minute.";
const who = "who changes it: your name or account";

/** The commands that change a rota, and its history. */
export function addRotaChanges(command: Command, open: WithRotas): void {
  // What these print is for whoever changes the rota: English, as all commands.
  const withRotas: WithRotas = (options, use) => open({ ...options, language: "en" }, use);

  withConfig(command.command("override <rota>"))
    .description("for a while, these responders instead of those whom the rota names")
    .requiredOption("--responder <id...>", "who is on call, in the order of paging")
    .requiredOption("--until <time>", 'until when, local time: 07:00 or "2026-11-28 07:00"')
    .option("--from <time>", "from when; else from now on")
    .option("--also", "beside the others, not instead of them", false)
    .requiredOption("--by <name>", who)
    .addHelpText(
      "after",
      `
Examples:
  fallvakt rota override night --responder patrol-4 --from 21:30 --until 07:00 --by eva
  fallvakt rota override night --responder leader --until 02:00 --also --by eva`,
    )
    .action(async (rotaId: string, options: OverrideOptions) => {
      await withRotas(options, async ({ rotas, zone, words, now, nameOf }) => {
        const from = options.from === undefined ? now : momentOf(options.from, zone, now);
        const until = momentOf(options.until, zone, from + minuteMs);
        const mode = options.also ? "also" : "instead";
        const id = await rotas.override(rotaId, { mode, from, until, responders: options.responder }, options.by);
        if (options.json) return print(JSON.stringify({ change: id, from, until }));
        const people = options.responder.map(nameOf).join(", ");
        print(
          `Change ${id}: ${people} ${mode === "also" ? "also " : ""}on call from ${words.moment(from)} until ${words.moment(until)}. ${followed}`,
        );
      });
    });

  withConfig(command.command("swap <rota>"))
    .description("two shifts that have not begun exchange their people")
    .requiredOption("--shift <shift@date>", "one, by the day on which it begins: night@2026-11-27")
    .requiredOption("--with <shift@date>", "the other")
    .requiredOption("--by <name>", who)
    .addHelpText(
      "after",
      "\nExample:\n  fallvakt rota swap night --shift night@2026-11-27 --with night@2026-11-28 --by eva",
    )
    .action(async (rotaId: string, options: RotaOptions & { shift: string; with: string; by: string }) => {
      await withRotas(options, async ({ rotas, zone, words, nameOf }) => {
        const before = rotas.plan(rotaId);
        const keys = [shiftNamed(options.shift, before, zone), shiftNamed(options.with, before, zone)] as const;
        const id = await rotas.swap(rotaId, ...keys, options.by);
        if (options.json) return print(JSON.stringify({ change: id, shifts: keys }));
        const after = rotas.plan(rotaId);
        const told = keys.map(
          ({ startsAt }) => `${words.moment(startsAt)}: ${after.onCallAt(startsAt).map(nameOf).join(", ")}`,
        );
        print(`Change ${id}. Now on call at ${told.join("; ")}. ${followed}`);
      });
    });

  withConfig(command.command("hand-over <rota>"))
    .description("another phone takes the rest of a shift, or a part of it")
    .requiredOption("--from <id>", "whose shift it is")
    .requiredOption("--to <id>", "who takes the rest")
    .option("--at <time>", "from when, local time: 02:15; else now")
    .option("--until <time>", "until when; else until the shift's end")
    .option("--shift <id>", "which shift, where the first is in several at that time")
    .requiredOption("--by <name>", who)
    .addHelpText(
      "after",
      "\nExample:\n  fallvakt rota hand-over night --from patrol-2 --to patrol-4 --at 02:15 --until 04:00 --by eva",
    )
    .action(async (rotaId: string, options: HandOverOptions) => {
      await withRotas(options, async ({ rotas, zone, words, now, nameOf }) => {
        const { from, to, shift: shiftId } = options;
        const at = options.at === undefined ? now : momentOf(options.at, zone, now);
        const until = options.until === undefined ? undefined : momentOf(options.until, zone, at + minuteMs);
        const id = await rotas.handOver(rotaId, { from, to, at, until, shiftId }, options.by);
        if (options.json) return print(JSON.stringify({ change: id, at, until, from, to }));
        const ends = until === undefined ? "" : ` until ${words.moment(until)}`;
        print(
          `Change ${id}: ${nameOf(to)} takes over from ${nameOf(from)} at ${words.moment(at)}${ends}, and gets a test alarm then. ${followed}`,
        );
      });
    });

  withConfig(command.command("crew <rota> <responder> <note>"))
    .description("note who is on a patrol that is on call now, in initials; it is in no text, event or log")
    .requiredOption("--by <name>", "who notes it: your name or account")
    .addHelpText("after", '\nExample:\n  fallvakt rota crew night patrol-2 "EA, MK" --by eva')
    .action(async (rotaId: string, responderId: string, note: string, options: RotaOptions & { by: string }) => {
      await withRotas(options, async ({ rotas, nameOf }) => {
        await rotas.crew(rotaId, responderId, note, options.by);
        print(options.json ? JSON.stringify({ noted: true }) : `Noted who is on ${nameOf(responderId)}.`);
      });
    });

  withConfig(command.command("changes <rota>"))
    .description("every change of a rota: number, when, by whom, what")
    .action(async (rotaId: string, options: RotaOptions) => {
      await withRotas(options, async ({ rotas, words }) => {
        const lines = await rotas.history(rotaId);
        if (options.json) return print(JSON.stringify(lines));
        if (lines.length === 0) return print("Nothing was changed yet.");
        printTable(
          ["change", "when", "by", "what"],
          lines.map((line) => [String(line.id), words.moment(line.at), line.by ?? "–", inWords(line, words.moment)]),
        );
      });
    });

  withConfig(command.command("withdraw <change>"))
    .description("end a change from now on; what has been stays as it was")
    .requiredOption("--by <name>", who)
    .action(async (change: string, options: RotaOptions & { by: string }) => {
      await withRotas(options, async ({ rotas }) => {
        await rotas.withdraw(Number(change), options.by);
        print(
          options.json ? JSON.stringify({ withdrawn: Number(change) }) : `Change ${change} is withdrawn. ${followed}`,
        );
      });
    });
}

interface OverrideOptions extends RotaOptions {
  responder: string[];
  until: string;
  from?: string;
  also: boolean;
  by: string;
}

interface HandOverOptions extends RotaOptions {
  from: string;
  to: string;
  at?: string;
  until?: string;
  shift?: string;
  by: string;
}

function inWords({ change }: RotaHistoryLine, moment: (at: number) => string): string {
  switch (change.kind) {
    case "override":
      return `override: ${change.mode} ${change.responders.join(", ")}, ${moment(change.from)} – ${moment(change.until)}`;
    case "swap":
      return `swap: ${change.shifts.map(({ shiftId, startsAt }) => `${shiftId} ${moment(startsAt)}`).join(" with ")}`;
    case "hand-over":
      return `hand-over: ${change.from} to ${change.to} from ${moment(change.at)}${change.until === undefined ? "" : ` until ${moment(change.until)}`}, ${change.shift.shiftId}`;
    case "withdrawal":
      return `withdraws ${change.withdraws}`;
  }
}
