import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "fallvakt-adapters-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fallvakt(...args: string[]): string {
  return execFileSync(process.execPath, [join(root, "fallvakt.ts"), "adapters", ...args], { encoding: "utf8" });
}
function captured(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

test("`adapters try` shows what a captured payload becomes, and why nothing where nothing does", () => {
  const radar = captured("radar.json", '{"fall_status":"fall_warning","occupancy":true}\n');
  const topic = ["--topic", "zigbee2mqtt/bad/rum"];
  const text = fallvakt("try", "zigbee2mqtt", radar, ...topic);
  expect(text).toContain("device-1: presence: sensor radar, state on");
  expect(text).toContain("after 60 s\n  device-1: FALL: strength medium, state fall_warning");
  expect(JSON.parse(fallvakt("try", "zigbee2mqtt", radar, ...topic, "--retained", "--json"))).toMatchObject({
    became: [{ becomes: null, nothing: "retained" }],
  });
  expect(fallvakt("try", "zigbee2mqtt", captured("cut.json", '{"occ'), ...topic)).toMatch(
    /nothing: the payload is not/,
  );
  expect(fallvakt("try", "zigbee2mqtt", captured("other.json", '{"state":"ON"}'), ...topic)).toMatch(/nothing else/);
});

test("it takes an example of gateway/adapters as it is, and devices from a configuration; without a topic it says what is missing", () => {
  const example = join(root, "gateway/adapters/chirpstack/examples/vs373-fall.json");
  expect(fallvakt("try", "chirpstack", example)).toContain("radar-38: FALL: strength strong, state alarm_triggered");
  const config = captured(
    "fallvakt.yaml",
    "gateway: { adapters: [{ kind: esphome, url: 'mqtt://127.0.0.1', devices: [{ name: node-1, entity: binary_sensor/sos, device: button-7, as: help }] }] }\n",
  );
  const on = captured("on.txt", "ON\n");
  const args = ["try", "esphome", on, "--config", config, "--topic"];
  expect(fallvakt(...args, "node-1/binary_sensor/sos/state")).toContain("button-7: CALL FOR HELP");
  expect(fallvakt(...args, "node-2/binary_sensor/sos/state")).toContain("of no device that the configuration names");
  const refused = spawnSync(process.execPath, [join(root, "fallvakt.ts"), "adapters", "try", "esphome", on], {
    encoding: "utf8",
  });
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("say which by --topic");
});

test("`adapters list` names each with its topics", () => {
  const rows = JSON.parse(fallvakt("list", "--json")) as { kind: string; topics: string[] }[];
  expect(rows.map(({ kind }) => kind)).toEqual(["zigbee2mqtt", "esphome", "chirpstack", "shelly"]);
  for (const { topics } of rows) expect(topics.length).toBeGreaterThan(1);
});
