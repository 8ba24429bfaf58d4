import { expect, test } from "vitest";
import { AdapterConfig } from "./config.ts";

const wrong = (change: Record<string, unknown>) => {
  const base = { kind: "zigbee2mqtt", url: "mqtt://127.0.0.1", devices: [{ name: "sos", device: "button-38" }] };
  const parsed = AdapterConfig.safeParse({ ...base, ...change });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

test("what cannot be meant is told, with where it stands", () => {
  expect(wrong({})).toEqual([]);
  expect(wrong({ devices: [] })).toHaveLength(1);
  const twice = [
    { name: "sos", device: "button-38" },
    { name: "sos", device: "button-39" },
  ];
  expect(wrong({ devices: twice })).toEqual(["devices.1.name: is mapped twice"]);
  expect(wrong({ devices: [{ name: "a/#", device: "button-38" }] })[0]).toMatch(
    /^devices\.0\.name: .*without \+ and #/,
  );
  expect(wrong({ devices: [{ name: "sos", device: "Button" }] })[0]).toMatch(/^devices\.0\.device/);
  expect(wrong({ password: "a-secret" })).toEqual(["username: missing: a password needs its name"]);
  expect(wrong({ url: "http://127.0.0.1" })).toHaveLength(1);
});

test("each kind says what it needs of a device", () => {
  const of = (kind: string, device: Record<string, unknown>) =>
    wrong({ kind, devices: [{ device: "button-38", ...device }] });
  expect(of("esphome", { name: "node-1" })).toEqual([
    "devices.0.entity: missing: esphome has several values",
    "devices.0.as: missing: say what the value stands for",
  ]);
  expect(of("esphome", { name: "node-1", entity: "binary_sensor/sos", as: "help" })).toEqual([]);
  expect(of("shelly", { name: "s1", entity: "input:0", as: "seat" })).toEqual([]);
  expect(of("shelly", { name: "s1", entity: "input/../x" })[0]).toMatch(/^devices\.0\.entity/);
  expect(of("zigbee2mqtt", { name: "sos", entity: "input:0" })).toEqual([
    "devices.0.entity: zigbee2mqtt has none; leave it out",
  ]);
  expect(of("chirpstack", { name: "radar" })).toEqual(["devices.0.name: a devEui has 16 hexadecimal digits"]);
  expect(of("chirpstack", { name: "24E124798D123456" })).toEqual([]);
});
