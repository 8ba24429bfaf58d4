import type { Placement } from "../../../../firmware-contracts/detection.ts";
import type { DeviceItem, TroubleView } from "../../devices/api.ts";
import type { Words } from "../language.ts";

/** What is wrong with a device, in words, and since when. */
export function troubleOf(
  words: Words,
  { trouble, since, daysLeft, battery }: Omit<TroubleView, "missed">,
  now: number,
): string {
  const time = words.time(since, now);
  const known = words.sayKnown("devices.trouble", trouble, words.say("devices.trouble.unknown", { time }), { time });
  if (trouble !== "battery-low") return known;
  return [known, battery === null ? null : `${words.number(battery)} %`, daysOf(words, daysLeft)]
    .filter(Boolean)
    .join(", ");
}

/** How long a battery lasts, as it is going; null where nobody can tell. */
export function daysOf(words: Words, daysLeft: number | null): string | null {
  return daysLeft === null ? null : words.say("devices.days-left", { days: Math.floor(daysLeft) });
}

/** What a device is: worn where, or what else. */
export function kindOf(words: Words, { kind, placement }: Pick<DeviceItem, "kind" | "placement">): string {
  return words.say(`devices.kind.${kind}`, { place: placeWord(words, placement) });
}

export const placements: readonly Placement[] = ["wrist", "waist", "chest", "hip", "pocket"];

export const placeWord = (words: Words, placement: Placement) => words.say(`devices.place.${placement}`);

/** The dwelling by its key, and why none is told. */
export function dwellingOf(words: Words, { key, isKeyHidden }: Pick<DeviceItem, "key" | "isKeyHidden">): string {
  if (isKeyHidden) return words.say("devices.key-hidden");
  return key === null ? words.say("devices.no-dwelling") : words.say("devices.key", { key });
}

/** Where in the dwelling's surroundings; empty where nothing is known. */
export function surroundingsOf({ area, room, unit }: Pick<DeviceItem, "area" | "room" | "unit">): string {
  return [area, room, unit].filter(Boolean).join(" · ");
}

/** What is to be known of a device at a glance, beside its troubles. */
export function marksOf(words: Words, item: DeviceItem, now: number): string[] {
  if (item.revoked) return [words.say("devices.short.revoked")];
  if (item.operation === "in-store") return item.kind === "self-test" ? [] : [words.say("devices.short.in-store")];
  return [
    ...(item.testUntil !== null ? [words.say("devices.short.testing")] : []),
    ...(item.needsTest && item.testUntil === null ? [words.say("devices.short.awaiting-test")] : []),
    ...(item.consent === "given" || item.kind === "self-test" ? [] : [words.say("devices.short.no-consent")]),
    ...(item.pausedUntil === null
      ? []
      : [words.say("devices.short.paused", { time: words.time(item.pausedUntil, now) })]),
    ...(item.isGatewayLost ? [words.say("devices.short.gateway-lost")] : []),
  ];
}

/** Whether a device's alarms call staff, in a few words. */
export function operationOf(words: Words, item: DeviceItem): string {
  if (item.revoked) return words.say("devices.operation.revoked");
  const raisesAlarms = item.kind === "wearable" || item.kind === "button";
  if (item.operation === "awaiting-test" && !raisesAlarms) return words.say("devices.operation.none");
  return words.say(`devices.operation.${item.operation}`);
}
