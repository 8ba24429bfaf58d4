import {
  type Adapter,
  ageOf,
  availabilityIn,
  type ForeignMessage,
  field,
  jsonObject,
  nothing,
  objectIn,
  percent,
  type Reading,
  type Said,
  type Setup,
  said,
  sensorAs,
} from "../adapter.ts";
import type { MappedDevice } from "../config.ts";

/** What SOS buttons publish as `action`; those of several endpoints have a number after it. */
const sosAction = /^(emergency|sos|panic)(_[A-Za-z0-9]+)?$/;

/** Radars that judge by themselves, by the field they tell it in. `sensor`: who makes it, where the payload does not say. */
const fallFields: { field: string; sensor: string; says: Record<string, "alarm" | "warning" | "over"> }[] = [
  {
    field: "fall_status",
    sensor: "Heiman HS2FD-EF1-3.0",
    says: { fall_alarm: "alarm", fall_warning: "warning", normal: "over" },
  },
  {
    field: "fall_down_status",
    sensor: "Tuya MIR-HE200-TY",
    says: { fall: "alarm", maybe_fall: "warning", none: "over" },
  },
];

/** Zigbee2MQTT: a device's whole state as one JSON object on `<base>/<friendly name>`, and its availability beside it. */
export const zigbee2mqtt: Adapter<null> = {
  what: "Zigbee2MQTT: presence, contacts, SOS buttons, radars that report falls",
  base: "zigbee2mqtt",
  open: () => null,
  filters: ({ base, devices }) => [
    `${base}/bridge/state`,
    ...new Set(devices.flatMap(({ name }) => [`${base}/${name}`, `${base}/${name}/availability`])),
  ],
  read: (message, setup) => [null, read(message, setup)],
};

function read(message: ForeignMessage, { base, devices }: Setup): Reading {
  const { topic, payload } = message;
  if (!topic.startsWith(`${base}/`)) return nothing("other-topic");
  const name = topic.slice(base.length + 1);
  if (name === "bridge/state") {
    // Nothing of any of its devices gets through while the bridge is down; that it is up says nothing of a device.
    return availabilityIn(payload) === false ? said(devices.map((one) => unavailable(one))) : nothing("no-field");
  }
  const own = devices.filter((one) => one.name === name);
  if (own.length > 0) return state(message, own);
  const suffix = "/availability";
  const named = name.endsWith(suffix) ? devices.filter((one) => `${one.name}${suffix}` === name) : [];
  if (named.length === 0) return nothing("not-mapped");
  const online = availabilityIn(payload);
  if (online === null) return nothing("bad-payload");
  return said(named.map(({ device }) => ({ kind: "availability", device, online, isLive: false })));
}

function unavailable({ device }: MappedDevice): Said {
  return { kind: "availability", device, online: false, isLive: false };
}

function state(message: ForeignMessage, own: MappedDevice[]): Reading {
  const json = jsonObject(message.payload);
  if (!json) return nothing("bad-payload");
  const age = ageOf(field(json, "last_seen"), message);
  const list: Said[] = [];
  for (const mapped of own) {
    const { device } = mapped;
    const tamper = field(json, "tamper");
    const opened = typeof tamper === "boolean" ? { tamper } : {};
    list.push({ kind: "alive", device, ...percent(field(json, "battery")), ...opened });
    const action = field(json, "action");
    const isPush = mapped.as === "help" ? /\S/ : sosAction;
    if (typeof action === "string" && isPush.test(action)) list.push({ kind: "help", device, age });
    list.push(...falls(json, mapped, age), ...presence(json, mapped, age));
  }
  return said(list);
}

function falls(json: Record<string, unknown>, { device, sensor }: MappedDevice, age: number | null): Said[] {
  const told = objectIn(field(json, "device"));
  const model = field(told, "model");
  return fallFields.flatMap((known) => {
    const value = field(json, known.field);
    if (typeof value !== "string" || !Object.hasOwn(known.says, value)) return [];
    const says = known.says[value]!;
    const name = sensor ?? (typeof model === "string" && model !== "" ? model.slice(0, 60) : known.sensor);
    return [{ kind: "fall", device, says, state: value, sensor: name, age }];
  });
}

function presence(json: Record<string, unknown>, { device, as, room }: MappedDevice, age: number | null): Said[] {
  const told = presenceField(json);
  const sensor = told && sensorAs(as, told.sensor);
  return sensor ? [{ kind: "presence", device, sensor, state: told.isOn ? "on" : "off", room, age }] : [];
}

function presenceField(
  json: Record<string, unknown>,
): { sensor: "contact" | "radar" | "motion"; isOn: boolean } | null {
  const contact = field(json, "contact");
  // `contact` is true while the two halves touch: closed. Ours is on while it is open.
  if (typeof contact === "boolean") return { sensor: "contact", isOn: !contact };
  const isRadar = fallFields.some((known) => Object.hasOwn(json, known.field)) || Object.hasOwn(json, "presence");
  const value = field(json, "presence") ?? field(json, "occupancy");
  return typeof value === "boolean" ? { sensor: isRadar ? "radar" : "motion", isOn: value } : null;
}
