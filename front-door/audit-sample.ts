import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import {
  drawn,
  explainsMarginMs,
  type JudgedLookUp,
  judged,
  Month,
  seedOfMonth,
  spanOfMonth,
} from "../alerting/audit/sample.ts";
import { actOf } from "../alerting/registry/acting.ts";
import { zoneOf } from "../alerting/rota/local-time.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withStore } from "./with-register.ts";

interface SampleOptions extends WithConfig {
  month: string;
  margin: string;
  sample: string;
  seed?: string;
  csv: boolean;
  out?: string;
  by?: string;
}

interface Sample {
  month: string;
  marginMinutes: number;
  seed: number;
  lookUps: number;
  unexplained: JudgedLookUp[];
  /** Of those that an alarm or a shift explains. */
  sample: JudgedLookUp[];
}

/** `fallvakt audit sample`: looks at residents' sheets that nothing explains, and some of the others. */
export function addSample(audit: Command): void {
  withConfig(audit.command("sample"))
    .description(
      "who looked at residents' sheets and consents in a month without an alarm there or a shift of theirs, and a random sample of the other looks",
    )
    .requiredOption("--month <month>", "such as 2026-11, by the service's time zone")
    .option(
      "--margin <minutes>",
      "an alarm explains looks so long before it was opened and after it was closed",
      String(explainsMarginMs / 60_000),
    )
    .option("--sample <number>", "how many of the explained looks are drawn", "20")
    .option("--seed <number>", "draws the same sample again; left out: the month's figures, as 202611")
    .option("--csv", "as CSV instead of tables", false)
    .option("--out <file>", "where to write it; left out: standard output")
    .option("--by <name>", "who checks, for the audit log")
    .addHelpText(
      "after",
      `
It names accounts and key numbers, and no resident. A look on the command line has no shift; whether an account had one stands in the log since look-ups write it down.

Examples:
  fallvakt audit sample --month 2026-11 --by aina
  fallvakt audit sample --month 2026-11 --sample 50 --seed 7 --csv --out looks.csv`,
    )
    .action(async (options: SampleOptions) => {
      const month = Month.safeParse(options.month);
      if (!month.success) throw new Error("--month: write a month, such as 2026-11");
      const marginMinutes = whole("--margin", options.margin, 1440);
      const size = whole("--sample", options.sample, 10_000);
      const seed = options.seed === undefined ? seedOfMonth(month.data) : whole("--seed", options.seed, 2 ** 31 - 1);
      const found = await withStore(options, async ({ store, clock, alerting }) => {
        const act = { ...actOf(clock, options.by), via: "cli" as const };
        const { from, until } = spanOfMonth(month.data, zoneOf(alerting.timeZone));
        const all = (await store.audit.lookUps(from, until, marginMinutes * 60_000)).map(judged);
        await store.audit.append({ ...act, act: "audit-sampled", subject: null, detail: { month: month.data, seed } });
        return all;
      });
      const explained = found.filter(({ explainedBy }) => explainedBy !== null);
      const sample: Sample = {
        ...{ month: month.data, marginMinutes, seed, lookUps: found.length },
        unexplained: found.filter(({ explainedBy }) => explainedBy === null),
        sample: drawn(explained, size, seed),
      };
      const written = options.json ? `${JSON.stringify(jsonOf(sample))}\n` : options.csv ? csvOf(sample) : null;
      if (options.out !== undefined) {
        writeFileSync(options.out, written ?? csvOf(sample), { mode: 0o600 });
        print(`Wrote ${options.out}: ${sample.unexplained.length} unexplained, ${sample.sample.length} drawn.`);
      } else if (written !== null) process.stdout.write(written);
      else printTables(sample, explained.length);
    });
}

function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0 || value > most) {
    throw new Error(`${option}: a whole number from 0 to ${most}`);
  }
  return value;
}

const whyOf = ({ explainedBy, episodes }: JudgedLookUp) =>
  explainedBy === "alarm"
    ? `alarm ${episodes.map(({ code }) => code).join(", ")}`
    : explainedBy === "shift"
      ? "on shift"
      : "no alarm, no shift";

/** What the sample tells of one look: the account and the key number, and nobody else. */
const lineOf = (one: JudgedLookUp) => ({
  seq: one.seq,
  at: new Date(one.at).toISOString(),
  account: one.by,
  via: one.via,
  what: one.what,
  key: one.key,
  unit: one.unit,
  explainedBy: one.explainedBy,
  codes: one.episodes.map(({ code }) => code),
});

function jsonOf({ unexplained, sample, ...rest }: Sample) {
  return { ...rest, unexplained: unexplained.map(lineOf), sample: sample.map(lineOf) };
}

function csvOf({ unexplained, sample }: Sample): string {
  const head = ["list", "seq", "at", "account", "via", "what", "key", "unit", "explainedBy", "codes"];
  const rows = [
    ...unexplained.map((one) => ({ list: "unexplained", ...lineOf(one) })),
    ...sample.map((one) => ({ list: "sample", ...lineOf(one) })),
  ].map((row) => Object.values({ ...row, codes: row.codes.join(" ") }));
  return `${[head, ...rows].map((row) => row.map(cellOf).join(",")).join("\r\n")}\r\n`;
}

/** RFC 4180; a text that a spreadsheet would take for a formula is kept a text. */
function cellOf(value: string | number | null): string {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function printTables({ month, marginMinutes, seed, lookUps, unexplained, sample }: Sample, explained: number): void {
  print(`${month}: ${lookUps} look-ups, ${unexplained.length} without an alarm (± ${marginMinutes} min) or a shift.`);
  if (unexplained.length > 0) printRows(unexplained);
  if (explained === 0) return;
  print("");
  print(`${sample.length} of ${explained} explained ones, drawn with seed ${seed}:`);
  printRows(sample);
}

function printRows(rows: readonly JudgedLookUp[]): void {
  printTable(
    ["time", "account", "key", "unit", "looked at", "where", "why"],
    rows.map((one) => [
      timeOf(one.at),
      one.by ?? "–",
      one.key ?? "erased",
      one.unit ?? "–",
      one.what,
      one.via,
      whyOf(one),
    ]),
  );
}
