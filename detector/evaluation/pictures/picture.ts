import { impactSpan } from "../../../firmware-contracts/recordings/format.ts";
import { gateMg } from "../../gate.ts";
import type { OperatingPoint } from "../../operating-points.ts";
import type { Alarm, Played } from "../play.ts";
import { endInSpan } from "../trials.ts";
import { cut, magnitudesOf, type Shown, tiltOver, timeShown } from "./signal.ts";
import { element, escaped, line, path, text, ticks } from "./svg.ts";

export interface Subject {
  /** "weda-fall/wrist" */
  set: string;
  kind: "missed fall" | "false alarm";
  /** One line on what happened. */
  told: string;
  played: Played;
  /** The false alarm; null for a missed fall. */
  alarm: Alarm | null;
  point: OperatingPoint;
}

export const width = 960;
const left = 64;
const right = 944;
/** Top and bottom of each panel. */
const panels = { magnitude: [104, 328], score: [360, 444], tilt: [476, 568] } as const;
export const height = 610;

const style = `
text{font:12px system-ui,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;fill:#334155}
.title{font-size:17px;font-weight:650;fill:#0f172a}.told{font-size:13px;fill:#475569}.verdict{font-size:13px;font-weight:600;fill:#0f172a}.unit{font-size:11px;fill:#64748b}
.badge{font-weight:650;fill:#fff}.frame{fill:#fff;stroke:#cbd5e1}.grid{stroke:#e8edf3}.signal{fill:none;stroke:#1e3a5f;stroke-width:1.2;stroke-linejoin:round}
.tilt{fill:none;stroke:#0f766e;stroke-width:1.4}.level{stroke:#b45309;stroke-dasharray:5 4}.strong{stroke:#be123c;stroke-dasharray:5 4}
.levelname{font-size:11px;fill:#b45309}.strongname{font-size:11px;fill:#be123c}.span{fill:#22c55e;fill-opacity:.1}.labelled{fill:#22c55e;fill-opacity:.24}
.spanname{font-size:11px;fill:#15803d}.tick{stroke:#94a3b8}.over{fill:#94a3b8;fill-opacity:.16}.impact{stroke:#7c3aed;stroke-dasharray:2 3}.stem{stroke:#7c3aed;stroke-width:2}.dot{fill:#7c3aed;stroke:#fff}
.score{font-size:11px;font-weight:600;fill:#6d28d9}.alarm{stroke:#be123c;stroke-width:1.6}.alarmname{font-size:11px;font-weight:600;fill:#be123c}`;

/** Why a fall raised no alarm of its own, in words. */
export function whyMissed(played: Played, point: OperatingPoint): string {
  const span = impactSpan(played.recording.trial)!;
  const best = Math.max(0, ...played.judged.map((one) => (isIn(span, one.impactS) ? (one.score ?? 0) : 0)));
  switch (endInSpan(played)) {
    case "no-gate":
      return "nothing in the labelled span opened the gate";
    case "below-threshold":
      return `score ${best.toFixed(2)}, below medium (${point.medium.toFixed(2)})`;
    case "upright":
      return `score ${best.toFixed(2)}, dismissed: walking was seen afterwards`;
    case "not-lying":
      return `score ${best.toFixed(2)}, dismissed: the change of posture did not last`;
    case "presence":
      return `score ${best.toFixed(2)}, dismissed: presence spoke against it`;
    case "cancelled":
      return `score ${best.toFixed(2)}, cancelled by the wearer`;
    case "joined":
    case "told":
      return "told as one with an alarm whose impact lies outside the labelled span";
  }
}

/** An SVG: magnitude, score of each candidate, and tilt over time. */
export function pictureOf({ set, kind, told, played, alarm, point }: Subject): string {
  const { trial, samples } = played.recording;
  const seconds = samples.length / 3 / trial.rateHz;
  const span = impactSpan(trial);
  const shown = timeShown(seconds, alarm?.impactS ?? trial.peakS ?? span?.from ?? 0, played, alarm);
  const x = (s: number) => left + ((s - shown.from) / (shown.to - shown.from)) * (right - left);
  const inView = (s: number) => s >= shown.from && s <= shown.to;
  const magnitudes = magnitudesOf(samples);
  const topG = Math.max(2, Math.ceil((Math.max(...cut(magnitudes, trial.rateHz, shown)) + 0.2) * 2) / 2);
  const yG = scale(panels.magnitude, 0, topG);
  const yScore = (score: number) => scale(panels.score, logit(0.005), logit(0.999))(logit(score));
  const yTilt = scale(panels.tilt, 0, 180);
  const parts: string[] = [];

  if (span) parts.push(labels(span, trial, shown, x));
  if (seconds < shown.to - 1) parts.push(silence(x(seconds)));
  const alarms = played.alarms.filter(({ detectedS }) => inView(detectedS));
  const candidates = played.judged.filter(({ impactS }) => inView(impactS));
  parts.push(
    grid(panels.magnitude, ticks(0, topG, 5), yG, (g) => `${g} g`),
    grid(panels.score, [0.01, 0.1, 0.5, 0.9, 0.99], yScore, String),
    grid(panels.tilt, [0, 45, 90, 135, 180], yTilt, (degrees) => `${degrees}°`),
    line(left, yG(gateMg / 1000), right, yG(gateMg / 1000), "level"),
    text(right - 4, yG(gateMg / 1000) - 4, `gate ${gateMg / 1000} g`, { class: "levelname", "text-anchor": "end" }),
    line(left, yScore(point.medium), right, yScore(point.medium), "level"),
    line(left, yScore(point.strong), right, yScore(point.strong), "strong"),
    text(right - 4, yScore(point.medium) + 12, `medium ${point.medium.toFixed(2)}`, {
      class: "levelname",
      "text-anchor": "end",
    }),
    text(right - 4, yScore(point.strong) - 3, `strong ${point.strong.toFixed(2)}`, {
      class: "strongname",
      "text-anchor": "end",
    }),
  );
  for (const { impactS, score } of candidates) {
    const at = x(impactS);
    parts.push(line(at, panels.magnitude[0], at, panels.tilt[1], "impact"));
    if (score === null) continue;
    const beside = at > right - 46 ? { x: -6, anchor: "end" } : { x: 6, anchor: "start" };
    parts.push(
      line(at, panels.score[1], at, yScore(score), "stem"),
      element("circle", { cx: at, cy: yScore(score), r: 4, class: "dot" }),
      text(at + beside.x, Math.min(yScore(score) + 4, panels.score[1] - 3), score.toFixed(score < 0.995 ? 2 : 3), {
        class: "score",
        "text-anchor": beside.anchor,
      }),
    );
  }
  parts.push(
    path(
      pointsOf(magnitudes, trial.rateHz, shown, (s, g) => [x(s), yG(g)]),
      "signal",
    ),
    path(
      tiltOver(samples, trial.rateHz, alarm?.impactS ?? trial.peakS ?? span?.from ?? 0, shown).map((one) =>
        one ? [x(one.at), yTilt(one.degrees)] : null,
      ),
      "tilt",
    ),
  );
  for (const { detectedS, impactS, conclusion } of alarms) {
    const at = x(detectedS);
    const anchor = at > (left + right) / 2 ? "end" : "start";
    parts.push(
      line(at, panels.magnitude[0], at, panels.tilt[1], "alarm"),
      text(
        at + (anchor === "end" ? -5 : 5),
        panels.magnitude[0] + 14,
        `alarm: ${conclusion.strength}, ${conclusion.reason}, ${(detectedS - impactS).toFixed(1)} s after`,
        { class: "alarmname", "text-anchor": anchor },
      ),
    );
  }
  parts.push(timeAxis(shown, x), names());
  return `${head(set, kind, told, played)}${parts.join("\n")}\n</svg>\n`;
}

function head(set: string, kind: Subject["kind"], told: string, { recording, rangeG }: Played): string {
  const { trial } = recording;
  const what = [trial.activity, trial.activityName].filter((one, i, all) => one && all.indexOf(one) === i).join(" · ");
  const who = [`subject ${trial.subject}`, trial.ageGroup, trial.age == null ? null : `aged ${trial.age}`];
  const about = [what, ...who, `${trial.rateHz} Hz`, `±${rangeG} g`].filter(Boolean).join(", ");
  const badge = kind === "missed fall" ? "#be123c" : "#b45309";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    element("title", {}, escaped(`${kind}: ${set}, trial ${trial.id}`)),
    `<style>${style}</style>`,
    element("rect", { width, height, fill: "#f8fafc" }),
    element("rect", { x: 16, y: 14, width: 96, height: 24, rx: 12, fill: badge }),
    text(64, 30, kind, { class: "badge", "text-anchor": "middle" }),
    text(124, 32, `${set} · ${trial.id}`, { class: "title" }),
    text(16, 57, about, { class: "told" }),
    text(16, 76, told.charAt(0).toUpperCase() + told.slice(1), { class: "verdict" }),
    ...Object.values(panels).map(([top, bottom]) =>
      element("rect", { x: left, y: top, width: right - left, height: bottom - top, class: "frame" }),
    ),
  ].join("\n");
}

const isIn = (span: Shown, s: number) => s >= span.from && s <= span.to;
const logit = (p: number) => {
  const bounded = Math.max(0.005, Math.min(0.999, p));
  return Math.log(bounded / (1 - bounded));
};

function scale([top, bottom]: readonly [number, number], from: number, to: number): (value: number) => number {
  return (value) => bottom - ((Math.max(from, Math.min(to, value)) - from) / (to - from)) * (bottom - top);
}

function pointsOf(
  values: Float32Array,
  rateHz: number,
  shown: Shown,
  place: (s: number, value: number) => [number, number],
): [number, number][] {
  const first = Math.floor(shown.from * rateHz);
  return Array.from(cut(values, rateHz, shown), (value, i) =>
    place(Math.max(shown.from, Math.min(shown.to, (first + i) / rateHz)), value),
  );
}

function labels(
  span: Shown,
  { onsetS, endS, peakS }: Played["recording"]["trial"],
  shown: Shown,
  x: (s: number) => number,
): string {
  const [top] = panels.magnitude;
  const [, bottom] = panels.tilt;
  const band = (from: number, to: number, kind: string) => {
    const a = x(Math.max(shown.from, Math.min(shown.to, from)));
    const b = x(Math.max(shown.from, Math.min(shown.to, to)));
    return element("rect", { x: a, y: top, width: Math.max(1, b - a), height: bottom - top, class: kind });
  };
  const from = onsetS ?? peakS ?? span.from;
  const to = endS ?? onsetS ?? peakS ?? span.to;
  return [
    band(span.from, span.to, "span"),
    band(from, Math.max(to, from + 0.04), "labelled"),
    text(x(Math.max(shown.from, span.from)) + 4, panels.magnitude[1] - 6, "labelled fall, −2 s to +5 s", {
      class: "spanname",
    }),
  ].join("\n");
}

/** From the recording's end on. */
function silence(from: number): string {
  const [top, middle] = panels.magnitude;
  return [
    element("rect", { x: from, y: top, width: right - from, height: panels.tilt[1] - top, class: "over" }),
    text(from + 6, middle - 6, "recording ends: silence", { class: "unit" }),
  ].join("\n");
}

function grid(
  [top, bottom]: readonly [number, number],
  at: readonly number[],
  y: (value: number) => number,
  name: (value: number) => string,
): string {
  return at
    .flatMap((value) => [
      ...(y(value) > top + 0.5 && y(value) < bottom - 0.5 ? [line(left, y(value), right, y(value), "grid")] : []),
      text(left - 6, y(value) + 4, name(value), { class: "unit", "text-anchor": "end" }),
    ])
    .join("\n");
}

function timeAxis(shown: Shown, x: (s: number) => number): string {
  const y = panels.tilt[1];
  const marks = ticks(shown.from, shown.to, 12).flatMap((s) => [
    line(x(s), y, x(s), y + 4, "tick"),
    text(x(s), y + 17, `${Number(s.toFixed(1))}`, { class: "unit", "text-anchor": "middle" }),
  ]);
  return [...marks, text((left + right) / 2, y + 33, "seconds", { class: "unit", "text-anchor": "middle" })].join("\n");
}

function names(): string {
  return [
    text(left, panels.magnitude[0] - 6, "magnitude", { class: "unit" }),
    text(left, panels.score[0] - 6, "score of each window that was judged, at its impact", { class: "unit" }),
    text(left, panels.tilt[0] - 6, "tilt against the posture before", { class: "unit" }),
  ].join("\n");
}
