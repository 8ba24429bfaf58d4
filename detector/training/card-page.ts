import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ModelCard, modelFolder } from "../classifier/card.ts";
import { percent } from "../evaluation/tables.ts";

const Figure = z.object({ value: z.number().nullable(), low: z.number(), high: z.number() });

const SomeFigures = z.object({
  falls: z.number(),
  adls: z.number(),
  people: z.number(),
  sensitivity: Figure,
  specificity: Figure,
  falseAlarmsPerHour: Figure,
  falseAlarmsPerResidentWeek: Figure,
  latencySeconds: z.object({ median: z.number().nullable(), p95: z.number().nullable() }),
});
const PartFigures = SomeFigures.extend({ dataset: z.string(), part: z.string(), placement: z.string() });

/** What people read of the card, beside what the detector needs. */
const ToldCard = ModelCard.extend({
  purpose: z.string(),
  data: z.array(
    z.object({
      dataset: z.string(),
      by: z.string(),
      licence: z.string(),
      falls: z.number(),
      dailyLife: z.number(),
      people: z.number(),
      windows: z.number(),
    }),
  ),
  training: z.object({ seed: z.number(), epochs: z.number(), ensemble: z.string() }),
  thresholds: z.object({ how: z.string(), budget: z.unknown() }),
  limits: z.array(z.string()),
  bank: z.record(z.string(), z.record(z.string(), z.array(z.tuple([z.number(), z.number()])))).optional(),
  figures: z
    .object({
      how: z.string(),
      intervals: z.string(),
      sets: z.array(
        PartFigures.extend({
          byAgeGroup: z.array(SomeFigures.extend({ ageGroup: z.string() })),
          byActivity: z.array(
            z.object({
              activity: z.string(),
              name: z.string().nullable(),
              label: z.string(),
              trials: z.number(),
              alarmed: z.number(),
            }),
          ),
        }),
      ),
      robustness: z.array(
        z.object({
          dataset: z.string(),
          part: z.string(),
          name: z.string(),
          skipped: z.string().nullable(),
          sensitivity: Figure.optional(),
          specificity: Figure.optional(),
          sensitivityChange: z.number().nullish(),
          specificityChange: z.number().nullish(),
          sameSpecificity: z.object({ change: z.number().nullable() }).nullish(),
        }),
      ),
      setsOut: z.object({ how: z.string(), sets: z.array(PartFigures) }),
    })
    .optional(),
});
type ToldFigures = NonNullable<z.infer<typeof ToldCard>["figures"]>;

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

const rateText = ({ value, low, high }: z.infer<typeof Figure>, digits: number) =>
  value === null ? "–" : `${value.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;

/**
 * The model's card as a page for people.
 * @param json what `card.json` holds; throws where it is no card.
 */
export function cardPage(json: unknown): string {
  const card = ToldCard.parse(json);
  const operatingPoints = (["wrist", "waist"] as const).flatMap((model) =>
    (["wide", "2g"] as const).map((range) => {
      const { medium, strong } = card.operatingPoints[model][range];
      return [model, range === "2g" ? "±2 g" : "wider", medium.toFixed(3), strong.toFixed(3)];
    }),
  );
  const data = card.data.map((one) => [
    one.dataset,
    one.by,
    one.licence,
    one.people,
    one.falls,
    one.dailyLife,
    one.windows,
  ]);
  return `# The detector's model, ${card.version}

${card.purpose}

## Trained on

${table(["set", "by", "licence", "people", "falls", "daily life", "windows, with copies"], data)}

${card.training.ensemble}; ${card.training.epochs} epochs, seed ${card.training.seed}. No recording is part of this repository, and the golden windows are none either.

## How it does

${figures(card.figures)}

## Thresholds

${card.thresholds.how}

${table(["model", "sensor", "medium", "strong"], operatingPoints)}
${gapMargins(card.gapMargins)}${banks(card.bank)}
## What it cannot do

${card.limits.map((limit) => `- ${limit}`).join("\n")}

This page is made from \`card.json\`: \`node detector/training/card-page.ts\` writes it again, and a test compares.
`;
}

/** Empty for a card of before there were any. */
function gapMargins(margins: z.infer<typeof ModelCard>["gapMargins"]): string {
  if (!margins) return "";
  const each = (["wrist", "waist"] as const).map((model) => `${margins[model].toFixed(2)} at the ${model}`).join(", ");
  return `\nA window with lost frames in it is scored lower, so that daily life with them is as quiet as without: in logits by ${each}.\n`;
}

const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
const nameOf = ({ dataset, part }: { dataset: string; part: string }) => `${dataset}, ${part}`;
const of = (figure: z.infer<typeof Figure>, count: number) => (count === 0 ? "–" : `${percent(figure)} of ${count}`);

function partTable(sets: readonly z.infer<typeof PartFigures>[]): string {
  const rows = sets.map((set) => [
    nameOf(set),
    set.placement,
    set.people,
    of(set.sensitivity, set.falls),
    of(set.specificity, set.adls),
    rateText(set.falseAlarmsPerHour, 2),
    rateText(set.falseAlarmsPerResidentWeek, 0),
    set.latencySeconds.median === null
      ? "–"
      : `${set.latencySeconds.median.toFixed(1)} / ${set.latencySeconds.p95?.toFixed(1)}`,
  ]);
  return table(
    [
      "set",
      "worn",
      "people",
      "falls found, %",
      "daily life quiet, %",
      "false alarms an hour",
      "a resident-week",
      "s to alarm, median / p95",
    ],
    rows,
  );
}

/** Activities with the most mistakes, so many of each part and label. */
const worstShown = 4;

function activityTable(sets: ToldFigures["sets"]): string {
  const rows = sets.flatMap((set) =>
    ["fall", "adl"].flatMap((label) =>
      set.byActivity
        .filter((one) => one.label === label)
        .map((one) => ({ ...one, wrong: label === "fall" ? one.trials - one.alarmed : one.alarmed }))
        .filter(({ wrong }) => wrong > 0)
        .sort((a, b) => b.wrong - a.wrong)
        .slice(0, worstShown)
        .map(({ activity, name, trials, wrong }) => [
          nameOf(set),
          label === "fall" ? "falls missed" : "false alarms",
          name ?? activity,
          `${wrong} of ${trials}`,
        ]),
    ),
  );
  return table(["set", "", "activity", "trials"], rows);
}

const points = (change: number | null | undefined) =>
  change == null ? "–" : `${change >= 0 ? "+" : "−"}${Math.abs(change * 100).toFixed(1)}`;

function figures(told: ToldFigures | undefined): string {
  if (!told) return "Not measured yet: `npm run -s evaluate:all -- --card`.";
  const worse = told.robustness
    .filter(({ skipped }) => skipped === null)
    .map((row) => [
      nameOf(row),
      row.name,
      percent(row.sensitivity!),
      points(row.sensitivityChange),
      percent(row.specificity!),
      points(row.specificityChange),
      points(row.sameSpecificity?.change),
    ]);
  const ages = told.sets.flatMap((set) =>
    set.byAgeGroup.map((group) => [
      nameOf(set),
      group.ageGroup,
      group.people,
      of(group.sensitivity, group.falls),
      of(group.specificity, group.adls),
    ]),
  );
  return `### People left out

${capital(told.how)}; whole recordings through the streaming code. Intervals of ${told.intervals}. A resident-week is 112 worn hours; daily life here was scripted to be hard, except stress-predict's, which was seated, so that a real week's alarms cannot be told from it.

${partTable(told.sets)}

### Data sets left out

${capital(told.setsOut.how)}: other people, devices and ways of falling than any that training saw.

${partTable(told.setsOut.sets)}

### By age group, people left out

${table(["set", "age group", "people", "falls found, %", "daily life quiet, %"], ages)}

### Made worse, people left out

Changes in points; the last column where the threshold is moved until daily life is as quiet as before.

${table(["set", "made worse", "falls found, %", "change", "daily life quiet, %", "change", "falls found at the same quiet"], worse)}

### Activities with the most mistakes, people left out

${activityTable(told.sets)}`;
}

/** What a device's own threshold may cost. */
function banks(bank: z.infer<typeof ToldCard>["bank"]): string {
  if (!bank) return "";
  const rows = Object.entries(bank).flatMap(([model, ranges]) =>
    Object.entries(ranges).map(([range, quantiles]) => [
      model,
      range === "2g" ? "±2 g" : "wider",
      ...[0.01, 0.03, 0.05, 0.1].map((share) => quantiles.find(([of]) => of === share)?.[1].toFixed(3) ?? "–"),
    ]),
  );
  return `
So many falls of people left out score less, of those that open the gate:

${table(["model", "sensor", "1 %", "3 %", "5 %", "10 %"], rows)}
`;
}

/** Writes the page beside the card. */
export async function writeCardPage(folder: string): Promise<void> {
  const card = await readFile(join(folder, "card.json"), "utf8");
  await writeFile(join(folder, "card.md"), cardPage(JSON.parse(card)));
}

if (import.meta.main) await writeCardPage(fileURLToPath(modelFolder));
