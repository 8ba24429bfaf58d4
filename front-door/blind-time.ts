import { styleText } from "node:util";
import { Command } from "commander";
import { sumsByReason } from "../alerting/blind-time/blind-time.ts";
import { type BlindReason, blindReasons } from "../alerting/blind-time/causes.ts";
import { type DwellingLedger, readLedger } from "../alerting/blind-time/ledger.ts";
import { type Cell, cellsOfDay } from "../alerting/blind-time/strip.ts";
import { findDwelling } from "../alerting/registry/dwellings.ts";
import { dateOfDay, type Zone, zoneOf } from "../alerting/rota/local-time.ts";
import { print, printTable } from "./table.ts";
import { type WithConfig, withConfig, withStore } from "./with-register.ts";

interface BlindTimeOptions extends WithConfig {
  resident?: string;
  unit?: string;
  days: string;
}

/** How each reason is shown: its letter, small where it took less than half of a cell, and its colour. */
const shown: Record<BlindReason, { letter: string; colour: Parameters<typeof styleText>[0]; says: string }> = {
  "no-consent": { letter: "C", colour: "bgBlue", says: "no consent" },
  paused: { letter: "P", colour: "bgCyan", says: "paused" },
  "no-device": { letter: "D", colour: "bgMagenta", says: "no device" },
  "service-down": { letter: "S", colour: "bgRed", says: "service down" },
  "gateway-down": { letter: "G", colour: "bgRed", says: "gateway down" },
  overdue: { letter: "O", colour: "bgRed", says: "overdue" },
  "not-worn": { letter: "N", colour: "bgYellow", says: "not worn" },
};

/** `fallvakt blind-time`: when falls could not have been seen, and why. */
export function blindTimeCommand(): Command {
  return withConfig(new Command("blind-time"))
    .description("when a fall could not have been seen in a dwelling, and why; one line for each without --resident")
    .option("--resident <key>", "the key number of the resident's dwelling")
    .option("--unit <name>", "its home-care unit, where several units use the key number")
    .option("--days <number>", "how far back, 1 to 400 days", "30")
    .addHelpText(
      "after",
      `
Each character of the strip is half an hour: · a fall would have been seen, a letter why not (small: less than half of it), blank: not known.
Time in which the service did not run counts as blind. What is learnt late, as from a gateway that was cut off, corrects the past.

Examples:
  fallvakt blind-time                              every dwelling: share, minutes and reasons
  fallvakt blind-time --resident 38 --days 30      a strip for each day
  fallvakt blind-time --resident 38 --json         every span, with its reason`,
    )
    .action(async (options: BlindTimeOptions) => {
      const { resident, unit } = options;
      const days = Number(options.days);
      if (!(Number.isInteger(days) && days >= 1 && days <= 400)) throw new Error("--days is from 1 to 400");
      const { ledgers, zone, now } = await withStore(options, async ({ store, clock, alerting }) => {
        const now = Math.round(clock.wallNow());
        const zone = zoneOf(alerting.timeZone);
        const found = resident === undefined ? null : await findDwelling(store, { key: resident, unit });
        const from = zone.at(zone.dayOf(now) - days + 1, 0);
        const asked = { from, until: now, ...(found ? { dwellingId: found.id } : {}) };
        const ledgers = await readLedger(store.blindTime, asked);
        return { ledgers: unit === undefined ? ledgers : ledgers.filter((one) => one.unit === unit), zone, now };
      });
      if (options.json) {
        const told = ledgers.map(jsonOf);
        return print(JSON.stringify(resident === undefined ? told : (told[0] ?? null)));
      }
      const [only] = ledgers;
      if (!only) return print("Nothing is known yet: the ledger begins with the first device and the first start.");
      if (resident === undefined) return printAll(ledgers);
      printStrip(only, zone, zone.dayOf(now) - days + 1, zone.dayOf(now));
    });
}

const minutesOf = (ms: number) => Math.round(ms / 60_000);
const blindMsOf = ({ spans }: DwellingLedger) => spans.reduce((sum, { from, until }) => sum + until - from, 0);
const shareOf = (ledger: DwellingLedger) => blindMsOf(ledger) / (ledger.until - ledger.from);
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

function jsonOf(ledger: DwellingLedger) {
  const { key, unit, from, until, spans } = ledger;
  const sums = sumsByReason(spans);
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...{ key, unit, from: iso(from), until: iso(until) },
    knownMinutes: minutesOf(until - from),
    blindMinutes: minutesOf(blindMsOf(ledger)),
    share: Number(shareOf(ledger).toFixed(4)),
    minutesByReason: Object.fromEntries(blindReasons.map((reason) => [reason, minutesOf(sums[reason] ?? 0)])),
    spans: spans.map((span) => ({
      ...{ from: iso(span.from), until: iso(span.until), reason: span.reason },
      minutes: minutesOf(span.until - span.from),
    })),
  };
}

function reasonsOf({ spans }: DwellingLedger): string {
  const sums = Object.entries(sumsByReason(spans)) as [BlindReason, number][];
  return sums
    .sort(([, a], [, b]) => b - a)
    .map(([reason, ms]) => `${shown[reason].says} ${lengthOf(ms)}`)
    .join(", ");
}

/** `3 d 4 h`, `4 h 10 min`, `10 min`. */
function lengthOf(ms: number): string {
  const minutes = minutesOf(ms);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

function printAll(ledgers: readonly DwellingLedger[]): void {
  printTable(
    ["key", "unit", "blind", "share", "why"],
    ledgers.map((ledger) => [
      ledger.key,
      ledger.unit ?? "–",
      lengthOf(blindMsOf(ledger)),
      percent(shareOf(ledger)),
      reasonsOf(ledger) || "–",
    ]),
  );
}

function printStrip(ledger: DwellingLedger, zone: Zone, firstDay: number, lastDay: number): void {
  print(`${" ".repeat(12)}${["00", "03", "06", "09", "12", "15", "18", "21"].map((hour) => hour.padEnd(6)).join("")}`);
  for (let day = firstDay; day <= lastDay; day++) {
    if (zone.at(day + 1, 0) <= ledger.from) continue;
    print(`${dateOfDay(day)}  ${cellsOfDay(ledger, day, zone).map(characterOf).join("")}`.trimEnd());
  }
  print("");
  const sums = sumsByReason(ledger.spans);
  for (const reason of blindReasons) {
    const ms = sums[reason];
    if (ms) print(`${painted(reason, shown[reason].letter)}  ${shown[reason].says.padEnd(14)} ${lengthOf(ms)}`);
  }
  const known = lengthOf(ledger.until - ledger.from);
  print(`Key ${ledger.key}: blind ${lengthOf(blindMsOf(ledger))} of ${known}, ${percent(shareOf(ledger))}.`);
}

function characterOf(cell: Cell): string {
  if (cell === "unknown") return " ";
  if (cell === "seen") return "·";
  const { letter } = shown[cell.reason];
  return painted(cell.reason, cell.isMost ? letter : letter.toLowerCase());
}

/** In colour on a terminal that shows it; `NO_COLOR` and pipes get the letter alone. */
const painted = (reason: BlindReason, letter: string) =>
  styleText(shown[reason].colour, letter, { stream: process.stdout });
