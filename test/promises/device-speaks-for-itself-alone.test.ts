import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { downlinkFilter, downlinkTopic, type Uplink, uplinks, uplinkTopic } from "../../firmware-contracts/topics.ts";
import { Town } from "./town.ts";

const victim = "watch-1";
const thief = "watch-2";
const allUplinks = Object.keys(uplinks) as Uplink[];
const press = (seq: number) => JSON.stringify({ v: 1, boot: 1, seq, t: 0 });

describe.each([
  { over: "plain MQTT", tls: false },
  { over: "TLS", tls: true },
])("over $over", ({ tls }) => {
  let town: Town;
  const secrets = new Map<string, string>();
  const clients: mqtt.MqttClient[] = [];
  beforeAll(async () => {
    town = await Town.open({ speed: 2, waitSeconds: 3600, tls });
    secrets.set(victim, await town.register(victim, "38"));
    secrets.set(thief, await town.register(thief, "54"));
  });
  afterAll(async () => {
    for (const client of clients) client.end(true);
    await town.close();
  });

  /** As any firmware would connect, with its own name and secret. */
  async function connect(deviceId: string, more: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> {
    const { url, ca } = tls ? town.devicesTls : { url: town.devicesUrl, ca: undefined };
    const names = { clientId: deviceId, username: deviceId, password: secrets.get(deviceId) ?? "" };
    const client = await mqtt.connectAsync(url, { ...names, ca, protocolVersion: 4, reconnectPeriod: 0, ...more });
    client.on("error", () => {});
    clients.push(client);
    return client;
  }

  /** What a client hears from now on. */
  function hearingOf(client: mqtt.MqttClient): string[] {
    const heard: string[] = [];
    client.on("message", (topic) => heard.push(topic));
    return heard;
  }

  /** One broker acknowledges what is forbidden and drops it, the other ends the connection. */
  function sendOrEnd(client: mqtt.MqttClient, topic: string, payload: string, retain: boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        client.off("close", done);
        resolve();
      };
      client.on("close", done);
      client.publish(topic, payload, { qos: 1, retain }, done);
    });
  }

  test("a device with a right secret of its own can neither speak for another, nor hear what is meant for it, nor leave a word behind in its name", async () => {
    const watch = await connect(victim);
    const heard = hearingOf(watch);
    await watch.subscribeAsync(downlinkFilter(victim), { qos: 1 });

    // It asks for everything; what it is granted of that is silence.
    let rogue = await connect(thief);
    const overheard = hearingOf(rogue);
    for (const filter of [downlinkFilter(victim), `fallvakt/v1/${victim}/#`, "fallvakt/v1/+/down/#", "#"]) {
      await rogue.subscribeAsync(filter, { qos: 1 }).catch(() => {});
    }
    await watch.publishAsync(uplinkTopic(victim, "status"), '{"v":1,"kind":"birth","boot":77}', { qos: 1 });
    await town.until("the watch is told the time", () => heard.length > 0);
    expect(new Set(heard)).toEqual(new Set([downlinkTopic(victim, "time")]));
    expect(overheard).toEqual([]);
    heard.length = 0;

    // It presses the other's button, cancels for it, tells it the time: retained and not.
    const targets = [...allUplinks.map((uplink) => uplinkTopic(victim, uplink)), downlinkTopic(victim, "time")];
    for (const [i, topic] of targets.entries()) {
      for (const retain of [false, true]) {
        if (!rogue.connected) rogue = await connect(thief);
        await sendOrEnd(rogue, topic, press(i), retain);
      }
    }
    // And as a last will, which the broker would publish for it.
    for (const retain of [false, true]) {
      const will = { topic: uplinkTopic(victim, "help"), payload: Buffer.from(press(90)), qos: 1 as const, retain };
      const dying = await connect(thief, { will }).catch(() => null);
      dying?.stream.destroy();
    }

    // Nothing lies in wait for the watch, or for a gateway that begins anew.
    await watch.unsubscribeAsync(downlinkFilter(victim));
    await watch.subscribeAsync(downlinkFilter(victim), { qos: 1 });
    await town.restart();
    await town.pass(2_000);
    expect(heard).toEqual([]);
    expect(town.gateway.counters()["outside.retained"] ?? 0).toBe(0);
    expect(town.alerting.episodes()).toEqual([]);

    // The watch itself is heard, and is the first that anybody hears of.
    const again = await connect(victim);
    await again.publishAsync(uplinkTopic(victim, "help"), press(1), { qos: 1 });
    await town.text("patrol-1", /^LARM HJÄLP .*Nyckel 38/);
    expect(town.alerting.episodes()).toHaveLength(1);
  });

  test("a device that was stolen is revoked: within 10 s it is shut out, and stays out", async () => {
    const rogue = await connect(thief);
    const followed = town.gateway.counters()["connections.open"] ?? 0;
    const revokedAt = town.clock.monotonicNow();
    await town.alerting.registry.revoke(thief);
    if (town.mosquitto) {
      await town.until("the gateway is deaf to it", () => town.gateway.counters()["connections.open"] === followed - 1);
      await rogue.publishAsync(uplinkTopic(thief, "help"), press(2), { qos: 1 });
      // Its name at an outside broker is its operator's to take away: that ends its connection.
      await town.mosquitto.removeUser(thief);
    }
    await town.until("shut out", () => !rogue.connected);
    expect(town.clock.monotonicNow() - revokedAt).toBeLessThan(10_000);

    await expect(connect(thief)).rejects.toThrow(/not authori[sz]ed|bad user/i);
    await town.pass(2_000);
    expect(town.alerting.episodes().filter((episode) => episode.alias === "54")).toEqual([]);
  });
});
