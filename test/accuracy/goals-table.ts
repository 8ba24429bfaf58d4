import { aligned } from "../../detector/evaluation/tables.ts";
import { type Row, verdictOf } from "./goals.ts";

/** For a terminal: each group with its rows, and how many rows reach what is asked of them. */
export function goalsTable(rows: readonly Row[]): string {
  const groups = [...Map.groupBy(rows, ({ group }) => group)].map(([group, own]) =>
    [
      group,
      aligned([
        ["", "measured (95 %)", "goal", "must", ""],
        ...own.map((row) => [
          row.what,
          row.low === null || row.value === null
            ? `${text(row, row.value)} ${row.unit}`
            : `${text(row, row.value)} (${text(row, row.low)}–${text(row, row.high)}) ${row.unit}`,
          row.aim ? text(row, row.aim.goal) : "",
          row.aim ? text(row, row.aim.must) : "",
          verdictOf(row) === "missed" ? "MISSED" : verdictOf(row),
        ]),
      ]),
    ].join("\n"),
  );
  const asked = rows.filter(({ aim }) => aim);
  const count = (verdict: string) => asked.filter((row) => verdictOf(row) === verdict).length;
  return [
    ...groups,
    `${asked.length} figures with a goal: ${count("goal")} reach it, ${count("must")} what must be, ${count("missed")} miss both, ${count("not measured")} not measured.`,
  ].join("\n\n");
}

function text({ unit }: Row, value: number | null): string {
  if (value === null) return "–";
  const isShare = unit === "%" || unit === "points" || unit === "% of a core";
  return unit === "alarms" ? value.toFixed(0) : (isShare ? value * 100 : value).toFixed(1);
}
