import type { Adapter, Setup } from "./adapter.ts";
import { chirpstack } from "./chirpstack/adapter.ts";
import type { AdapterKind, MappedDevice } from "./config.ts";
import { esphome } from "./esphome/adapter.ts";
import { shelly } from "./shelly/adapter.ts";
import { zigbee2mqtt } from "./zigbee2mqtt/adapter.ts";

/** The adapters, by the name that a configuration gives them. What each remembers is its own business. */
export const adapters: Readonly<Record<AdapterKind, Adapter>> = {
  zigbee2mqtt: zigbee2mqtt as Adapter,
  esphome: esphome as Adapter,
  chirpstack: chirpstack as Adapter,
  shelly: shelly as Adapter,
};

/** Where an adapter reads, by its configuration. */
export function setupOf(where: {
  kind: AdapterKind;
  base?: string | undefined;
  devices: readonly MappedDevice[];
}): Setup {
  const { kind, base, devices } = where;
  return { base: base ?? adapters[kind].base, devices };
}
