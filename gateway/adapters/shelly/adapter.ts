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
} from "../adapter.ts";
import type { MappedDevice } from "../config.ts";

/** What a push is called; the ends of one (`btn_up`) are none, nor is `btn_down`, which comes before each. */
const pushes = new Set(["single_push", "double_push", "triple_push", "long_push"]);

/** Earlier than any time that a clock which was set can show, s since 1970: 2020. */
const clockIsSet = 1_577_836_800;

type Component = Readonly<Record<string, unknown>>;
/** By topic prefix, then by component: what is known of their status. Only of mapped components and batteries. */
export type ShellyMemory = Readonly<Record<string, Readonly<Record<string, Component>>>>;

/** Shelly Gen2+: JSON-RPC notifications on `<prefix>/events/rpc`, of which each holds only what has changed, and `<prefix>/online`. */
export const shelly: Adapter<ShellyMemory> = {
  what: "Shelly Gen2+: inputs, presence zones, BLU sensors and buttons, batteries",
  base: "",
  open: () => ({}),
  filters: ({ devices }) => [...new Set(devices.flatMap(({ name }) => [`${name}/events/rpc`, `${name}/online`]))],
  read,
};

function read(message: ForeignMessage, { devices }: Setup, memory: ShellyMemory): [ShellyMemory, Reading] {
  const { topic, payload } = message;
  const named = devices.filter(({ name }) => topic === `${name}/online`);
  if (named.length > 0) {
    const online = availabilityIn(payload);
    if (online === null) return [memory, nothing("bad-payload")];
    const ids = [...new Set(named.map(({ device }) => device))];
    // What it says after that begins with nothing known.
    const next = online ? memory : without(memory, named[0]!.name);
    return [next, said(ids.map((device) => ({ kind: "availability", device, online, isLive: true })))];
  }
  const own = devices.filter(({ name }) => topic === `${name}/events/rpc`);
  if (own.length === 0) return [memory, nothing(topic.endsWith("/events/rpc") ? "not-mapped" : "other-topic")];
  const json = jsonObject(payload);
  const params = objectIn(field(json, "params"));
  if (!params) return [memory, nothing("bad-payload")];
  switch (field(json, "method")) {
    case "NotifyStatus":
    case "NotifyFullStatus":
      return status(message, own, params, memory, field(json, "method") === "NotifyFullStatus");
    case "NotifyEvent":
      return [memory, events(message, own, params)];
    default:
      return [memory, nothing("no-field")];
  }
}

function without(memory: ShellyMemory, name: string): ShellyMemory {
  const { [name]: _gone, ...rest } = memory;
  return rest;
}

const batteryComponent = "devicepower:0";

function status(
  message: ForeignMessage,
  own: MappedDevice[],
  params: Record<string, unknown>,
  memory: ShellyMemory,
  isFull: boolean,
): [ShellyMemory, Reading] {
  const name = own[0]!.name;
  const before = isFull || !Object.hasOwn(memory, name) ? {} : memory[name]!;
  const known: Record<string, Component> = { ...before };
  for (const component of new Set([batteryComponent, ...own.map(({ entity }) => entity ?? "")])) {
    const change = objectIn(field(params, component));
    if (change) known[component] = { ...(Object.hasOwn(before, component) ? before[component] : {}), ...change };
  }
  const age = ageOf(secondsAsMs(field(params, "ts")), message);
  const charge = percent(field(objectIn(field(known[batteryComponent] ?? null, "battery")), "percent"));
  const list: Said[] = [];
  for (const mapped of own) {
    const component = known[mapped.entity ?? ""] ?? null;
    const ownCharge = percent(field(component, "battery")) ?? charge;
    list.push({ kind: "alive", device: mapped.device, ...ownCharge });
    const isTold = objectIn(field(params, mapped.entity ?? "")) !== null;
    list.push(...meaningOf(mapped, component, isTold, age));
  }
  return [{ ...memory, [name]: known }, said(list)];
}

/** What a component's status, as far as it is known, says. Each message confirms all that came before, as each holds only changes. */
function meaningOf(mapped: MappedDevice, component: Component | null, isTold: boolean, age: number | null): Said[] {
  const { device, room, entity = "", sensor } = mapped;
  const as = mapped.as ?? (entity.startsWith("presencezone:") ? "radar" : undefined);
  const value = field(component, "state") ?? field(component, "value");
  if (typeof value !== "boolean" || as === undefined || as === "battery") return [];
  // An input that calls for help is a button: it comes as an event.
  if (as === "help") return [];
  if (as === "fall") {
    if (!isTold) return [];
    const says = value ? "alarm" : "over";
    return [{ kind: "fall", device, says, state: String(value), sensor: sensor ?? "Shelly sensor", age }];
  }
  return [{ kind: "presence", device, sensor: as, state: value ? "on" : "off", room, age }];
}

function events(message: ForeignMessage, own: MappedDevice[], params: Record<string, unknown>): Reading {
  const list = field(params, "events");
  if (!Array.isArray(list)) return nothing("bad-payload");
  const found: Said[] = own.map(({ device }) => ({ kind: "alive", device }));
  for (const item of list.slice(0, 50)) {
    const event = objectIn(item);
    const word = field(event, "event");
    for (const { entity, device, as } of own) {
      if (as !== "help" || field(event, "component") !== entity || typeof word !== "string" || !pushes.has(word))
        continue;
      const ts = field(event, "ts");
      // Before its clock is set the time may be the same for two pushes: then it tells neither apart.
      const key = typeof ts === "number" && ts > clockIsSet ? `${entity} ${ts}` : undefined;
      found.push({ kind: "help", device, age: ageOf(secondsAsMs(ts), message), ...(key ? { key } : {}) });
    }
  }
  return said(found);
}

const secondsAsMs = (value: unknown) => (typeof value === "number" ? value * 1000 : value);
