import { Command, Option } from "commander";
import colours from "picocolors";
import type { Language } from "../alerting/config.ts";
import { gsm7Length, smsSeptets } from "../alerting/messages/gsm7.ts";
import { type SampleText, sampleTexts } from "../alerting/messages/samples.ts";
import { print } from "./table.ts";

/** A text this long is near the limit: coloured, for whoever words it. */
const nearSeptets = smsSeptets - 10;

interface PreviewOptions {
  language: Language | "both";
  longest: boolean;
  json: boolean;
}

interface PreviewRow {
  kind: string;
  when: string;
  language: Language;
  /** GSM-7 septets; null where a character is outside GSM-7. */
  length: number | null;
  text: string;
}

/** `fallvakt messages`: what staff are texted. */
export function messagesCommand(): Command {
  const command = new Command("messages").description("the texts that staff get");
  command
    .command("preview")
    .description(`each text with its length; one SMS holds ${smsSeptets} characters of GSM-7`)
    .addOption(new Option("--language <language>", "of which language").choices(["sv", "en", "both"]).default("both"))
    .option("--longest", "with the longest name, area, room and code; of each text the longest", false)
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      `
In the order in which they are sent. From ${nearSeptets} characters the length is yellow; one that takes more than one SMS is red, and the command then fails.

Examples:
  fallvakt messages preview --language sv
  fallvakt messages preview --longest --json`,
    )
    .action((options: PreviewOptions) => {
      const rows = previewRows(options);
      if (options.json) print(JSON.stringify(rows));
      else printRows(rows);
      if (rows.some(({ length }) => isTooLong(length))) process.exitCode = 1;
    });
  return command;
}

const isTooLong = (length: number | null) => length === null || length > smsSeptets;

function previewRows({ language, longest }: PreviewOptions): PreviewRow[] {
  const languages: Language[] = language === "both" ? ["sv", "en"] : [language];
  const samples = sampleTexts(longest ? "longest" : "small");
  const row = ({ kind, when, write }: SampleText, which: Language): PreviewRow => {
    const text = write(which);
    return { kind, when, language: which, length: gsm7Length(text), text };
  };
  if (!longest) return distinct(samples.flatMap((sample) => languages.map((which) => row(sample, which))));
  // The worst of each kind: what fits there fits everywhere.
  const kinds = Map.groupBy(samples, ({ kind }) => kind);
  return [...kinds.values()].flatMap((same) =>
    languages.map((which) =>
      same.map((sample) => row(sample, which)).reduce((a, b) => (rank(b.length) > rank(a.length) ? b : a)),
    ),
  );
}

const rank = (length: number | null) => length ?? Number.POSITIVE_INFINITY;

/** Some texts say the same for several reasons. */
function distinct(rows: PreviewRow[]): PreviewRow[] {
  return [...new Map(rows.map((row) => [`${row.language} ${row.text}`, row])).values()];
}

function printRows(rows: PreviewRow[]): void {
  let when = "";
  for (const row of rows) {
    if (row.when !== when) print(`${when === "" ? "" : "\n"}${colours.bold(row.when)} ${colours.dim(row.kind)}`);
    when = row.when;
    print(`${shownLength(row.length)}  ${row.language}  ${row.text}`);
  }
}

function shownLength(length: number | null): string {
  if (length === null) return colours.red("UCS2");
  const text = String(length).padStart(4);
  if (length > smsSeptets) return colours.red(text);
  return length >= nearSeptets ? colours.yellow(text) : text;
}
