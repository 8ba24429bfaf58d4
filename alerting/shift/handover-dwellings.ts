import { blindReasons } from "../blind-time/causes.ts";
import type { DeviceRow, Dwelling } from "../store/store.ts";
import type { HandoverData, Telling } from "./handover.ts";
import type { HandoverAwaitingTest, HandoverBlind, HandoverCharge, HandoverPause } from "./handover-list.ts";

/** Below this a watch is on the list, also where supervision has not told of it, per cent. */
const lowBattery = 20;
const urgency: readonly HandoverCharge["by"][] = ["next-visit", "today", "this-week"];

/** Watches that run out, or that were left on the charger; the most urgent first. */
export function chargeOf(data: HandoverData, telling: Telling): HandoverCharge[] {
  const { words, time, where } = telling;
  return devicesOf(data, telling)
    .flatMap(([device, { alias, unit }]): HandoverCharge[] => {
      const { deviceId } = device;
      const its = data.troubles.filter((row) => row.deviceId === deviceId);
      const low = its.find(({ trouble }) => trouble === "battery-low");
      const charging = its.find(({ trouble }) => trouble === "charging-long");
      const battery = device.battery ?? low?.battery ?? null;
      if (!low && !charging && (battery === null || battery > lowBattery)) return [];
      const daysLeft = low?.daysLeft ?? null;
      const isWorn = !(device.tellsPresence || device.leadsOut || device.staffTag);
      const by = charging ? "next-visit" : visitFor(battery, daysLeft);
      const percent = battery === null ? "?" : `${Math.round(battery)} %`;
      const left = words.chargeLow(percent, daysLeft === null ? null : words.days(Math.floor(daysLeft)));
      const what = charging
        ? words.charging(time(charging.since))
        : `${left} ${isWorn ? words.chargeBy[by] : words.replace}`;
      const says = `${where({ alias, unit })}, ${deviceId}: ${what}`;
      return [{ key: alias, unit, deviceId, battery, daysLeft, by, chargingSince: charging?.since ?? null, says }];
    })
    .sort((a, b) => urgency.indexOf(a.by) - urgency.indexOf(b.by) || byKey(a, b));
}

/** Which visit it is for, by what is left: the care plan's own visits are not known here. */
function visitFor(battery: number | null, daysLeft: number | null): HandoverCharge["by"] {
  const [percent, days] = [battery ?? 100, daysLeft ?? Number.POSITIVE_INFINITY];
  if (days < 1 || percent <= 5) return "next-visit";
  return days < 2 || percent <= 10 ? "today" : "this-week";
}

/** Those that run, the first to end first. */
export function pausesOf({ pauses }: HandoverData, { words, time, where, isSeen, now }: Telling): HandoverPause[] {
  return pauses
    .filter(({ unit }) => isSeen(unit))
    .map(({ alias, unit, from, until, reason }) => {
      const endsToday = words.isSameDay(until, now);
      const what = words.paused(time(from), time(until), endsToday);
      const says = `${where({ alias, unit })}: ${what} (${words.pauseReason[reason]}).`;
      return { key: alias, unit, from, until, reason, endsToday, says };
    })
    .sort((a, b) => a.until - b.until || byKey(a, b));
}

/** Dwellings in which a fall would not be seen now, but for pauses: what somebody can mend today before what somebody has chosen. */
export function blindOf({ ledgers }: HandoverData, { words, time, where, isSeen }: Telling): HandoverBlind[] {
  return ledgers
    .filter(({ unit }) => isSeen(unit))
    .flatMap(({ key, unit, spans, until }): HandoverBlind[] => {
      const last = spans.at(-1);
      if (!last || last.until < until || last.reason === "paused") return [];
      const { reason } = last;
      const since = Math.round(last.from);
      return [
        { key, unit, reason, since, says: `${where({ alias: key, unit })}: ${words.blind[reason](time(since))}.` },
      ];
    })
    .sort((a, b) => blindReasons.indexOf(b.reason) - blindReasons.indexOf(a.reason) || byKey(a, b));
}

/** Devices whose alarms do not call staff yet. */
export function awaitingTestOf(data: HandoverData, telling: Telling): HandoverAwaitingTest[] {
  const { words, time, where } = telling;
  return devicesOf(data, telling)
    .filter(([{ operation }]) => operation.state === "awaiting-test")
    .map(([{ deviceId, operation }, { alias, unit }]) => {
      const { since } = operation;
      const says = `${where({ alias, unit })}, ${deviceId}: ${words.awaiting(time(since))}.`;
      return { key: alias, unit, deviceId, since, says };
    })
    .sort(byKey);
}

/** Devices that are in a dwelling that is told of, with it. */
function devicesOf({ devices, dwellings }: HandoverData, { isSeen }: Telling): [DeviceRow, Dwelling][] {
  const seen = new Map(dwellings.filter(({ unit }) => isSeen(unit)).map((dwelling) => [dwelling.id, dwelling]));
  return devices.flatMap((device): [DeviceRow, Dwelling][] => {
    const dwelling = device.revoked ? undefined : seen.get(device.dwellingId ?? "");
    return dwelling ? [[device, dwelling]] : [];
  });
}

/** As people count: key 9 before key 10. */
const byText = new Intl.Collator("sv", { numeric: true }).compare;
const byKey = (a: { key: string | null }, b: { key: string | null }) => byText(a.key ?? "", b.key ?? "");
