import type { Figures, Latency, TrialShare } from "./figures.ts";
import type { Figure } from "./intervals.ts";
import type { FullPartReport, PartReport, PlacementReport } from "./report.ts";
import type { StitchedRow } from "./stitched.ts";

const columns: [string, (figures: Figures) => string][] = [
  ["falls", ({ falls }) => `${falls}`],
  ["found % (95 %)", ({ sensitivity }) => percent(sensitivity)],
  ["over people", ({ sensitivity }) => overPeople(sensitivity)],
  ["daily life", ({ adls }) => `${adls}`],
  ["quiet % (95 %)", ({ specificity }) => percent(specificity)],
  ["over people", ({ specificity }) => overPeople(specificity)],
  ["hours", ({ hours }) => hours.toFixed(1)],
  ["false alarms/h (95 %)", ({ falseAlarmsPerHour }) => perHour(falseAlarmsPerHour)],
  ["s to alarm: median / p95 / p99", ({ latencySeconds }) => latency(latencySeconds)],
];

/** One row a part, for a terminal. */
export function tableOf(parts: readonly PartReport[]): string {
  return aligned([
    ["set", "worn", ...columns.map(([head]) => head)],
    ...parts.map((part) => [nameOf(part), part.placement, ...columns.map(([, cell]) => cell(part))]),
  ]);
}

/** Falls suspected and falls confirmed: what the aftermath took away, and how long it took. */
export function suspectedTable(parts: readonly PartReport[]): string {
  return aligned([
    ["set", "falls", "suspected % (95 %)", "s to suspicion: median / p95 / p99", "confirmed % (95 %)"],
    ...parts
      .filter(({ falls }) => falls > 0)
      .map((part) => [
        nameOf(part),
        `${part.falls}`,
        percent(part.suspected.sensitivity),
        latency(part.suspected.latencySeconds),
        percent(part.sensitivity),
      ]),
  ]);
}

export function ageGroupTable(parts: readonly FullPartReport[]): string {
  return aligned([
    ["set", "age group", "people", ...columns.map(([head]) => head)],
    ...parts.flatMap((part) =>
      part.byAgeGroup.map((group) => [
        nameOf(part),
        group.ageGroup,
        `${group.people}`,
        ...columns.map(([, cell]) => cell(group)),
      ]),
    ),
  ]);
}

export function placementTable(rows: readonly PlacementReport[]): string {
  return aligned([
    ["worn", "people", ...columns.map(([head]) => head)],
    ...rows.map((row) => [row.placement, `${row.people}`, ...columns.map(([, cell]) => cell(row))]),
  ]);
}

export const nameOf = ({ dataset, part }: { dataset: string; part: string }) => `${dataset}/${part}`;

/** Columns padded to one width, two blanks between. The first row is the head. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function percent({ value, low, high }: Figure): string {
  if (value === null) return "–";
  return `${(value * 100).toFixed(1)} (${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)})`;
}

/** A difference of two shares in points, with its sign. */
export function pointsText(difference: number | null): string {
  if (difference === null) return "–";
  const text = (difference * 100).toFixed(1);
  return Number(text) > 0 ? `+${text}` : text.replace("-", "−").replace(/^−0\.0$/, "0.0");
}

function overPeople({ overPeople: range }: TrialShare): string {
  return range ? `${(range.low * 100).toFixed(1)}–${(range.high * 100).toFixed(1)}` : "–";
}

export function perHour({ value, low, high }: Figure): string {
  return value === null ? "–" : `${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

export function latency({ median, p95, p99 }: Latency): string {
  return median === null ? "–" : `${median.toFixed(1)} / ${p95?.toFixed(1)} / ${p99?.toFixed(1)}`;
}

export function stitchedTable(rows: readonly StitchedRow[]): string {
  return aligned([
    ["set", "followed by", "falls", "alarmed % (95 %)", "strong", "medium (before 20 s, after 25 s)", "why"],
    ...rows.map((row) => [
      nameOf(row),
      row.continuation,
      row.leftOut > 0 ? `${row.trials} (${row.leftOut} without)` : `${row.trials}`,
      percent(row.alarmed),
      `${row.strong}`,
      `${row.medium} (${row.mediumEarly}, ${row.mediumLate})`,
      Object.entries(row.why)
        .sort(([, a], [, b]) => b - a)
        .map(([why, count]) => `${why} ${count}`)
        .join(", "),
    ]),
  ]);
}
