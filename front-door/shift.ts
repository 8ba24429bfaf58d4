import { Command, Option } from "commander";
import { Language } from "../alerting/config.ts";
import { createRotas } from "../alerting/rota/duty-rota.ts";
import { dayMs, minuteMs, type Zone, zoneOf } from "../alerting/rota/local-time.ts";
import type { Span } from "../alerting/rota/shifts.ts";
import { momentOf } from "../alerting/rota/typed-times.ts";
import { composeHandover } from "../alerting/shift/handover.ts";
import { handoverText } from "../alerting/shift/handover-text.ts";
import { readHandover } from "../alerting/shift/read-handover.ts";
import { handedOverNow, shiftSpans } from "../alerting/shift/shift-spans.ts";
import { shiftWords } from "../alerting/shift/words.ts";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import { print } from "./table.ts";
import { type WithConfig, withConfig, withStore } from "./with-register.ts";

interface HandoverOptions extends WithConfig {
  unit?: string;
  from?: string;
  until?: string;
  language?: Language;
}

/** `fallvakt shift`: what one shift hands over to the next. */
export function shiftCommand(clock: Clock = systemClock()): Command {
  const command = new Command("shift").description("what one shift hands over to the next");
  withConfig(command.command("handover"))
    .description(
      "the hand-over list of a shift: alarms, what is to be followed up, who needs the nurse, watches to charge, pauses, dwellings without a fall alarm, sensors that await their test; by key number, without names or addresses",
    )
    .option("--unit <name>", "only this home-care unit")
    .option("--from <time>", 'when the shift began, local time: 21:30 or "2026-11-26 21:30"; with --until')
    .option("--until <time>", "when it ended")
    .addOption(new Option("--language <language>", "of the list; else the service's").choices(Language.options))
    .addHelpText(
      "after",
      `
Without --from and --until it is the shift that runs, or the one before where that ended less than 90 min ago.
Ticking is done on the console, under Shift.

Examples:
  fallvakt shift handover --unit Gustavsberg | lpr
  fallvakt shift handover --unit Gustavsberg --json
  fallvakt shift handover --from "2026-11-26 21:30" --until "2026-11-27 07:00"`,
    )
    .action(async (options: HandoverOptions) => {
      await withStore(options, async ({ store, alerting }) => {
        const { unit = null } = options;
        const now = Math.round(clock.wallNow());
        const zone = zoneOf(alerting.timeZone);
        const units = new Set((await store.registry.dwellings()).map((dwelling) => dwelling.unit ?? ""));
        if (unit !== null) checkUnit(unit, units);
        const rotas = createRotas({ config: alerting, store, clock, via: "cli" });
        await rotas.load();
        rotas.stop();
        const ofUnit = rotas.list.filter((rota) => unit === null || rota.unit === undefined || rota.unit === unit);
        const spans = shiftSpans(
          ofUnit.map(({ id }) => rotas.plan(id)),
          now,
        );
        const asked = spanAsked(options, zone, now) ?? handedOverNow(spans, now);
        const words = shiftWords(options.language ?? alerting.language, zone);
        const names = new Map(alerting.responders.map(({ id, name }) => [id, name]));
        const list = composeHandover(
          await readHandover(store, asked.from, now),
          { ...asked, unit, namesUnits: unit === null && units.size > 1, sees: () => true },
          { words, nameOf: (id) => names.get(id) ?? id, now },
        );
        if (options.json) print(JSON.stringify(list));
        else process.stdout.write(handoverText(list, words));
      });
    });
  return command;
}

/** A unit that is misspelt would have an empty list, which reads as a calm night. */
function checkUnit(unit: string, units: ReadonlySet<string>): void {
  const known = [...units].filter(Boolean).sort();
  if (known.includes(unit)) return;
  throw new Error(
    `no dwelling is of the unit ${unit}; units are ${known.join(", ") || "none: devices are added with --unit"}`,
  );
}

/** A time alone is the last at which the clock showed it. */
function spanAsked({ from, until }: HandoverOptions, zone: Zone, now: number): Span | null {
  if (from === undefined && until === undefined) return null;
  if (from === undefined || until === undefined) throw new Error("give both --from and --until, or neither");
  const begun = momentOf(from, zone, now - dayMs + minuteMs);
  const ended = momentOf(until, zone, begun + minuteMs);
  if (ended <= begun) throw new Error("--until is not after --from");
  return { from: begun, until: ended };
}
