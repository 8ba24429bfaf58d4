import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ModelCard, modelFolder } from "../classifier/card.ts";
import { percent } from "../evaluation/tables.ts";

const Figure = z.object({ value: z.number().nullable(), low: z.number(), high: z.number() });

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
  figures: z
    .object({
      how: z.string(),
      intervals: z.string(),
      sets: z.array(
        z.object({
          dataset: z.string(),
          part: z.string(),
          placement: z.string(),
          falls: z.number(),
          adls: z.number(),
          people: z.number(),
          hours: z.number(),
          sensitivity: Figure,
          specificity: Figure,
          falseAlarmsPerHour: Figure,
          falseAlarmsPerResidentWeek: Figure,
          latencySeconds: z.object({ median: z.number().nullable(), p95: z.number().nullable() }),
        }),
      ),
    })
    .optional(),
});

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
  const points = (["wrist", "waist"] as const).flatMap((model) =>
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

${table(["model", "sensor", "medium", "strong"], points)}

## What it cannot do

${card.limits.map((limit) => `- ${limit}`).join("\n")}

This page is made from \`card.json\`: \`node detector/training/card-page.ts\` writes it again, and a test compares.
`;
}

function figures(told: z.infer<typeof ToldCard>["figures"]): string {
  if (!told) return "Not measured yet: `npm run -s train -- --folds 5 --card`.";
  const rows = told.sets.map((set) => [
    `${set.dataset}, ${set.part}`,
    set.placement,
    set.people,
    `${percent(set.sensitivity)} of ${set.falls}`,
    `${percent(set.specificity)} of ${set.adls}`,
    rateText(set.falseAlarmsPerHour, 2),
    rateText(set.falseAlarmsPerResidentWeek, 0),
    set.latencySeconds.median === null
      ? "–"
      : `${set.latencySeconds.median.toFixed(1)} / ${set.latencySeconds.p95?.toFixed(1)}`,
  ]);
  return `${told.how.charAt(0).toUpperCase()}${told.how.slice(1)}; whole recordings through the streaming code. Intervals of ${told.intervals}. A resident-week is 112 worn hours; daily life here was scripted to be hard, except stress-predict's, which was seated, so that a real week's alarms cannot be told from it.

${table(["set", "worn", "people", "falls found, %", "daily life quiet, %", "false alarms an hour", "a resident-week", "s to alarm, median / p95"], rows)}`;
}

/** Writes the page beside the card. */
export async function writeCardPage(folder: string): Promise<void> {
  const card = await readFile(join(folder, "card.json"), "utf8");
  await writeFile(join(folder, "card.md"), cardPage(JSON.parse(card)));
}

if (import.meta.main) await writeCardPage(fileURLToPath(modelFolder));
