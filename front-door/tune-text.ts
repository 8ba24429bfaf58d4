import type { ThresholdVersion } from "../alerting/store/store.ts";
import type { RecordedChange } from "../detector/tuning/recordings.ts";
import { type ConfirmedFigures, type LoggedChange, limitWords, scoreText, type TuneReport } from "./tune-report.ts";

/** Rows of the picture. */
const bins = 20;
const barWidth = 24;

/** Times as they are read where the staff are. */
export type TimeWords = (at: string | number) => string;

export function timeWords(timeZone: string | undefined): TimeWords {
  return (at) => new Date(at).toLocaleString("sv-SE", { timeZone });
}

/** The report as a person reads it. */
export function reportText(report: TuneReport, time: TimeWords): string {
  const { threshold, limits, source, alarms, confirmed } = report;
  const ranges = report.ranges.length > 0 ? `range class ${report.ranges.join(" and ")}` : "range class not known";
  const lines = [
    `${report.deviceId}, worn at the ${report.placement}, ${ranges}, model ${report.model}`,
    `Threshold now ${scoreText(threshold.now)} (${threshold.own ? "its own" : "the model's"}), proposed ${scoreText(threshold.proposed)}`,
    `It may be ${limits.least} at least; ${limitWords(limits)}`,
    sourceText(report),
    "",
  ];
  if (report.scores.length > 0) lines.push(...picture(report), "");
  if (source && alarms) {
    lines.push(`Alarms: ${alarms.now} at the threshold now, ${alarms.proposed} at the proposed one`, "");
    const rows = (changes: TuneReport["lost"]) =>
      source.kind === "log"
        ? loggedRows(changes as LoggedChange[], confirmed !== null, time)
        : recordedRows(changes as RecordedChange[]);
    lines.push(`Lost: ${report.lost.length}`, ...rows(report.lost));
    lines.push(`Gained: ${report.gained.length}`, ...rows(report.gained), "");
  }
  lines.push(...confirmedText(confirmed, time));
  lines.push(...report.warnings, report.blindness);
  return `${lines.join("\n")}\n`;
}

function sourceText({ source }: TuneReport): string {
  if (!source) {
    return "No gateway keeps its log of candidates in this data folder: which alarms would be gained is not known here";
  }
  if (source.kind === "recordings") {
    const left = source.problems > 0 ? `; ${source.problems} could not be played` : "";
    return `${source.trials} trials, ${source.falls} of them falls, of ${source.folders.join(", ")}${left}`;
  }
  const { days, candidates, otherModel, otherPlace } = source;
  const model = otherModel > 0 ? `; ${otherModel} of another model left out` : "";
  const place = otherPlace > 0 ? `; ${otherPlace} left out, worn elsewhere` : "";
  return `${candidates} candidates of the last ${days} days in the gateway's log${model}${place}`;
}

/** How many candidates scored what, with both thresholds. Bars grow with the logarithm: nearly all score next to nothing. */
function picture({ scores, threshold }: TuneReport): string[] {
  const counts = Array.from({ length: bins }, () => 0);
  const binOf = (score: number) => Math.min(bins - 1, Math.floor(score * bins));
  for (const score of scores) counts[binOf(score)]!++;
  const most = Math.log2(1 + Math.max(...counts));
  const marks = (bin: number) => {
    const here = [
      ...(binOf(threshold.now) === bin ? [`now ${scoreText(threshold.now)}`] : []),
      ...(binOf(threshold.proposed) === bin ? [`proposed ${scoreText(threshold.proposed)}`] : []),
    ];
    return here.length > 0 ? `  ◀ ${here.join(", ")}` : "";
  };
  const rows = counts.map((count, bin) => {
    const bar = "█".repeat(count === 0 ? 0 : Math.max(1, Math.round((barWidth * Math.log2(1 + count)) / most)));
    const span = `${(bin / bins).toFixed(2)}–${((bin + 1) / bins).toFixed(2)}`;
    return `${span} ${bar.padEnd(barWidth)} ${String(count).padStart(6)}${marks(bin)}`.trimEnd();
  });
  return ["score", ...rows.reverse()];
}

function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd());
}

function loggedRows(changes: LoggedChange[], hasOutcomes: boolean, time: TimeWords): string[] {
  return columns(
    changes.map((one) => [
      time(one.at),
      scoreText(one.score),
      one.lane === "impact" ? one.strength : one.lane,
      one.why,
      hasOutcomes ? foundText(one) : `was ${one.decided}; outcomes are in alerting's store, elsewhere`,
    ]),
  );
}

function foundText({ decided, outcome, lesson }: LoggedChange): string {
  if (lesson === null) return `was not told (${decided})`;
  if (lesson === "nothing") return "no fall, but nobody had been there: teaches nothing";
  return outcome === null ? "told; not closed yet" : `told; found: ${outcome}${lesson === "fall" ? " – a fall" : ""}`;
}

function recordedRows(changes: RecordedChange[]): string[] {
  return columns(
    changes.map((one) => [
      `${one.dataset} ${one.part} ${one.trial}`,
      `${one.impactS.toFixed(1)} s`,
      scoreText(one.score),
      one.strength,
      one.what === "fall" ? "a labelled fall" : "a false alarm",
      one.activity,
      one.instead === null ? "" : `else ${one.instead}`,
    ]),
  );
}

function confirmedText(confirmed: ConfirmedFigures | null, time: TimeWords): string[] {
  if (!confirmed) return ["What was found at the alarms is in alerting's store, which is not here."];
  const { falls, fallsLost, noFalls, noFallsDropped, teachNothing, unknown, notComparable } = confirmed;
  const lines = [
    `Confirmed: ${falls} falls ("already up" is one), ${fallsLost.length} of them lost; ${noFalls} false alarms, ${noFallsDropped} of them dropped`,
    ...fallsLost.map(({ at, score, outcome }) => `  LOST  ${time(at)}  ${scoreText(score)}  found: ${outcome}`),
  ];
  if (teachNothing > 0) lines.push(`${teachNothing} "no fall" without an arrival: they teach nothing`);
  if (unknown > 0) lines.push(`${unknown} alarms of which it is not known what they were`);
  if (notComparable > 0) lines.push(`${notComparable} alarms of another model or wearing place: held against nothing`);
  return lines;
}

/** The versions of a device's threshold, as rows. */
export function versionRows(versions: readonly ThresholdVersion[], time: TimeWords): string[][] {
  const shown = (threshold: number | null) => threshold?.toString() ?? "the model's";
  return versions.map((one) => [
    String(one.version),
    time(one.at),
    shown(one.threshold),
    shown(one.before),
    one.approvedBy,
    one.how === "reverted" && one.revertsTo !== null ? `back to ${one.revertsTo}` : one.how,
    one.model ?? "–",
    one.reason ?? "–",
  ]);
}
