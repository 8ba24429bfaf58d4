import colours from "picocolors";
import type { ServiceEvent } from "../alerting/events.ts";
import type { WallMs } from "../firmware-contracts/clock.ts";
import type { DemoSummary } from "../simulators/demo/summary.ts";

/** The time of day as a phone's screen shows it. */
export function timeOfDay(at: WallMs): string {
  return new Intl.DateTimeFormat("sv-SE", {
    timeStyle: "medium",
    hourCycle: "h23",
    timeZone: "Europe/Stockholm",
  }).format(at);
}

const seconds = (ms: number) => `${Math.max(0, Math.round(ms / 1000))} s`;

const reasons: Record<string, string> = {
  "at-once": "hard fall",
  still: "hard fall, still since",
  silent: "hard fall, no signal since",
  soft: "soft fall, lying since",
  "help-button": "help button",
  "sensor-reported": "the sensor reports a fall",
  "sensor-suspects": "the sensor suspects a fall",
};

/** What happened, in one line for a viewer, or null where the line would tell nothing new. */
export function lineOf(event: ServiceEvent, nameOf: (responderId: string) => string): string | null {
  const line = (word: string, text: string) => `${colours.dim(timeOfDay(event.at))}  ${word.padEnd(9)} ${text}`;
  switch (event.type) {
    case "detection": {
      const score = event.score === null ? "" : `, score ${event.score.toFixed(2)}, peak ${event.peakG?.toFixed(1)} g`;
      const what = `${reasons[event.reason] ?? event.reason}${score}`;
      const where = `Nyckel ${event.alias ?? "?"} (${event.deviceId})`;
      return line(colours.red(colours.bold("ALARM".padEnd(9))), `${event.code}  ${where}: ${what}`);
    }
    case "long-lie":
      return line(colours.red("long lie".padEnd(9)), `${event.code}  not seen to get up for five minutes`);
    case "taken":
      return line("taken", `${event.code}  by ${nameOf(event.by)}, ${seconds(event.sinceImpactMs)} after the fall`);
    case "arrived":
      return line("there", `${event.code}  ${nameOf(event.by)}, ${seconds(event.sinceImpactMs)} after the fall`);
    case "closed":
      return line(colours.green("closed".padEnd(9)), `${event.code}  ${event.outcome} (${nameOf(event.by)})`);
    case "not-taken":
      return line(colours.yellow("not taken".padEnd(9)), `${event.code}  the operators are told`);
    default:
      return null;
  }
}

/** An SMS as the phone shows it. */
export function smsOnPhone(at: WallMs, name: string, text: string): string {
  const width = 58;
  const lines = text.match(new RegExp(`.{1,${width}}(?: |$)`, "g")) ?? [text];
  const indent = " ".repeat(10);
  return [
    `${colours.dim(timeOfDay(at))}  ┌─ ${colours.cyan(`${name}'s phone`)} ${"─".repeat(Math.max(0, width - name.length - 9))}┐`,
    ...lines.map((line) => `${indent}│ ${line.trimEnd().padEnd(width)} │`),
    `${indent}└${"─".repeat(width + 2)}┘`,
  ].join("\n");
}

/** A reply as it is typed. */
export function replyOnPhone(at: WallMs, name: string, text: string): string {
  return `${colours.dim(timeOfDay(at))}  ${colours.cyan(`${name} replies:`)} ${text}`;
}

/** The summary for people. */
export function summaryText(summary: DemoSummary, events: { where: string; dropped: number }): string {
  const { falls, impactToSmsSeconds: wait } = summary;
  const show = (value: number | null) => (value === null ? "–" : `${value.toFixed(1)} s`);
  const lost = summary.lost === 0 ? colours.green("0") : colours.red(String(summary.lost));
  return `
Labelled falls that raised an alarm   ${falls.alarmed} of ${falls.labelled}
False alarms                          ${summary.falseAlarms}
Pages on phones                       ${summary.pages}
Alarms taken by somebody              ${summary.acknowledged}
From impact to the first SMS          median ${show(wait.median)}, 95 % within ${show(wait.p95)} (recording time)
Events logged                         ${summary.eventsLogged} ${events.where}${events.dropped ? `, ${events.dropped} dropped` : ""}
Lost                                  ${lost}
`;
}
