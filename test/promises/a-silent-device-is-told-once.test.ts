import mqtt from "mqtt";
import { afterEach, expect, test } from "vitest";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";
import { uplinkTopic } from "../../firmware-contracts/topics.ts";
import { hardFall, Town } from "./town.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

let town: Town;
afterEach(() => town.close());
const words = () =>
  town.events.flatMap((event) =>
    event.type === "supervision" ? [`${event.deviceId} ${event.trouble} ${event.event}`] : [],
  );
// At this speed a restart takes longer than a gateway may be silent: that is an alarm of its own.
const alarms = () => town.alerting.episodes().filter(({ kind, alias }) => kind === "technical" && alias !== null);

test("a wearable that is not heard any more is one technical alarm, whatever is restarted; it is over when it is heard again", async () => {
  town = await Town.open({ speed: 60, gateway: { supervision: { wearableMinutes: 2 } } });
  const belt = await town.device("belt-1", "38");
  await town.device("belt-2", "54");
  // What is played ends before the impact.
  const recording = hardFall(3);
  await town.fall(belt, { ...recording, samples: recording.samples.slice(0, 300) });
  await belt.disconnect();
  const text = await town.text("leader", /^TEKNISKT LARM .*Nyckel 38/);
  expect(text).toMatch(
    /^TEKNISKT LARM T\d+, inte ett fall\. Nyckel 38: ingen kontakt med sensorn sedan \d\d\.\d\d\. Fall larmas inte nu\. Svara T\d+ T = tar det\.$/,
  );
  await town.restart();
  await town.pass(3.5 * minute);
  expect(words()).toEqual(["belt-1 overdue began"]);
  await belt.connect();
  await town.text("leader", /^TEKNISKT LARM T\d+ är över .*Nyckel 38/);
  expect(words()).toEqual(["belt-1 overdue began", "belt-1 overdue ended"]);
  expect(alarms()).toMatchObject([{ alias: "38", status: "closed" }]);
});

test("a motion sensor that hangs is found within a day, while it still says so every hour", async () => {
  town = await Town.open({ speed: 60 });
  const sensors = { "hall-1": "hall", "kitchen-1": "kök" } as const;
  type Sensor = keyof typeof sensors;
  const clients = new Map<Sensor, mqtt.MqttClient>();
  for (const deviceId of Object.keys(sensors) as Sensor[]) {
    const password = await town.register(deviceId, "38");
    const options = { clientId: deviceId, username: deviceId, password, protocolVersion: 4 as const };
    clients.set(deviceId, await mqtt.connectAsync(town.devicesUrl, options));
  }
  // Eight days as they were kept for want of a network: each report says how long ago it was.
  const seqs = { "hall-1": 0, "kitchen-1": 0 };
  async function say(deviceId: Sensor, state: PresenceReport["state"], age: number): Promise<void> {
    const identity = { v: 1, boot: 7, seq: ++seqs[deviceId], t: 0, age };
    const report = { ...identity, sensor: "motion", state, room: sensors[deviceId] };
    await clients.get(deviceId)?.publishAsync(uplinkTopic(deviceId, "presence"), JSON.stringify(report), { qos: 1 });
  }
  const hung = 18 * hour;
  for (let age = 8 * day; age >= 0; age -= 30 * minute) {
    const isAwake = (age / hour) % 24 < 15;
    for (const deviceId of Object.keys(sensors) as Sensor[]) {
      if (isAwake && !(deviceId === "hall-1" && age < hung)) await say(deviceId, "on", age + 60_000);
      await say(deviceId, "off", age);
    }
  }
  await town.until("it is found", () => words().includes("hall-1 stuck began"));
  // A busy machine, at sixty times real time, may have let a sensor be overdue for a moment before.
  await town.text("leader", /^TEKNISKT LARM .*Nyckel 38: rörelsesensor har hängt sig sedan \d\d\.\d\d: hall-1\./);
  expect(words().filter((word) => word.includes("stuck"))).toEqual(["hall-1 stuck began"]);
  await say("hall-1", "on", 0);
  await town.until("it is well", () => words().includes("hall-1 stuck ended"));
  for (const client of clients.values()) client.end(true);
});
