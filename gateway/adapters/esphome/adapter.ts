import {
  type Adapter,
  availabilityIn,
  type ForeignMessage,
  nothing,
  percent,
  type Reading,
  type Said,
  type Setup,
  said,
  textOf,
} from "../adapter.ts";
import type { MappedDevice } from "../config.ts";

/** ESPHome: a text for each value on `<prefix>/<component>/<id>/state`, and `<prefix>/status` with its last will. */
export const esphome: Adapter<null> = {
  what: "ESPHome: binary sensors (presence, contacts, buttons, falls), a sensor's battery",
  base: "",
  open: () => null,
  filters: ({ devices }) => [
    ...new Set(devices.flatMap(({ name, entity }) => [`${name}/${entity ?? ""}/state`, `${name}/status`])),
  ],
  read: (message, setup) => [null, read(message, setup)],
};

function read(message: ForeignMessage, { devices }: Setup): Reading {
  const { topic, payload } = message;
  const named = devices.filter(({ name }) => topic === `${name}/status`);
  if (named.length > 0) {
    const online = availabilityIn(payload);
    if (online === null) return nothing("bad-payload");
    return said(
      [...new Set(named.map(({ device }) => device))].map((device) => ({
        kind: "availability",
        device,
        online,
        isLive: true,
      })),
    );
  }
  const own = devices.filter(({ name, entity }) => topic === `${name}/${entity}/state`);
  if (own.length === 0) return nothing(topic.endsWith("/state") ? "not-mapped" : "other-topic");
  const text = textOf(payload).trim();
  const list = own.flatMap((mapped) => meaningOf(mapped, text, message));
  return list.length > 0 ? said(list) : nothing("bad-payload");
}

function meaningOf({ device, as, room, sensor }: MappedDevice, text: string, { heldAtMostMs }: ForeignMessage): Said[] {
  // It sends no time with a state.
  const age = heldAtMostMs > 0 ? null : 0;
  if (as === "battery") {
    const battery = text === "" ? undefined : percent(Number(text));
    return battery ? [{ kind: "alive", device, ...battery }] : [];
  }
  if (text !== "ON" && text !== "OFF") return [];
  const alive: Said = { kind: "alive", device };
  if (as === "help") return text === "ON" ? [alive, { kind: "help", device, age }] : [alive];
  if (as === "fall") {
    const says = text === "ON" ? "alarm" : "over";
    return [alive, { kind: "fall", device, says, state: text, sensor: sensor ?? "ESPHome sensor", age }];
  }
  return as ? [alive, { kind: "presence", device, sensor: as, state: text === "ON" ? "on" : "off", room, age }] : [];
}
