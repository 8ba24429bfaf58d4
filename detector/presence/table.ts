import type { Figure } from "../evaluation/intervals.ts";
import { aligned } from "../evaluation/tables.ts";
import type { HomeReport } from "./measure.ts";

/** Homes on which the rule was chosen; any other is news to it. */
const chosenOn = new Set(["ordonez-a", "kasteren-a"]);

/** The reports as tables for a terminal. */
export function tableOf(homes: readonly HomeReport[]): string {
  const limits = homes[0]?.found ?? [];
  const still = [
    [
      "home",
      "rule",
      "stopped moving",
      ...limits.map(({ withinHours }) => `told in ${withinHours} h, %`),
      "hours: median / p90",
    ],
    ...homes.map(({ home, injections, found, hoursToAlarm: { median, p90 } }) => [
      home,
      chosenOn.has(home) ? "chosen on it" : "untouched",
      `${injections}`,
      ...found.map(({ share }) => percent(share)),
      `${hours(median)} / ${hours(p90)}`,
    ]),
  ];
  const quiet = [
    ["home", "days", "judged", "false alarms", "per day (95 %)", "unheard, %"],
    ...homes.map(({ home, days, judgedDays, falseAlarms, falseAlarmsPerDay: perDay, unheard }) => [
      home,
      days.toFixed(1),
      judgedDays.toFixed(1),
      `${falseAlarms}`,
      perDay.value === null ? "–" : `${perDay.value.toFixed(2)} (${perDay.low.toFixed(2)}–${perDay.high.toFixed(2)})`,
      (unheard * 100).toFixed(0),
    ]),
  ];
  const faults = homes[0]?.outages.map(({ fault }) => fault) ?? [];
  const broken = [
    ["welfare alarms in outages", ...homes.map(({ home }) => home)],
    ...faults.map((fault, n) => [
      fault,
      ...homes.map(({ outages }) => {
        const { alarmed = 0, runs = 0, told = 0 } = outages[n] ?? {};
        return `${alarmed} of ${runs} (told as technical: ${told})`;
      }),
    ]),
  ];
  return [still, quiet, broken].map(aligned).join("\n\n");
}

const hours = (value: number | null) => (value === null ? "over 24" : value.toFixed(1));

function percent({ value, low, high }: Figure): string {
  if (value === null) return "–";
  return `${(value * 100).toFixed(0)} (${(low * 100).toFixed(0)}–${(high * 100).toFixed(0)})`;
}
