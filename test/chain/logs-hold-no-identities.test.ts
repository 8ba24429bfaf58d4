import mqtt from "mqtt";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accountSid, authToken, codeIn, serviceNumber, Town } from "../promises/town.ts";

let town: Town;
const lines: string[] = [];
beforeAll(async () => {
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  town = await Town.open({ waitSeconds: 20, log });
});
afterAll(() => town?.close());

test("a night with a fall, strangers at every door and a restart: the log at its finest has no secret, no name, no number, no place and no payload", async () => {
  const secret = await town.register("belt-2", "EK73");
  const watch = await town.device("belt-1", "AL55");
  const connect = (password: string, more: mqtt.IClientOptions = {}) =>
    mqtt.connectAsync(town.devicesUrl, {
      clientId: "belt-2",
      username: "belt-2",
      password,
      reconnectPeriod: 0,
      ...more,
    });
  await expect(connect("guessed-Astrid-1931")).rejects.toThrow();
  await expect(connect(secret, { clientId: "Astrid Svensson" })).rejects.toThrow();
  const other = await connect(secret);
  for (const topic of ["help", "accel-json", "status", "presence", "Astrid"]) {
    await other.publishAsync(`fallvakt/v1/belt-2/${topic}`, '{"v":1,"Astrid Svensson":"19310412-1234"}', { qos: 1 });
  }
  await other.publishAsync("fallvakt/v1/belt-2/accel", Buffer.from("Astrid Svensson, Ekvägen 3"), { qos: 1 });
  await other.endAsync();

  await town.fall(watch);
  const code = codeIn(await town.text("patrol-1", /^LARM FALL/));
  await town.phone("patrol-1").reply("Astrid Svensson har ramlat igen");
  await town.phone("patrol-1").reply(`${code} T`);
  await town.text("patrol-1", /DU HAR LARMET/);
  const stranger = town.network.addPhone("+46701740699");
  await stranger.reply("Jag heter Astrid Svensson", serviceNumber);
  for (const path of ["/webhooks/twilio/inbound", "/intake/v1/items", "/api/v1/session"]) {
    const body = JSON.stringify({ name: "Astrid Svensson", password: "guessed-Astrid-1931" });
    const headers = { "Content-Type": "application/json", Authorization: "Bearer guessed-Astrid-1931" };
    await fetch(`http://127.0.0.1:${town.port}${path}`, { method: "POST", body, headers });
  }
  await town.restart();
  await town.until("the belt is back", () => watch.connected);

  const text = lines.join("");
  expect(lines.length).toBeGreaterThan(10);
  expect(text).toContain("payload refused");
  expect(text).toContain("device refused");
  const secrets = [secret, authToken, "a-token-of-more-than-twenty-characters", "secretHash", "$scrypt"];
  const identities = [
    "Astrid",
    "Svensson",
    "Ekvägen",
    "19310412-1234",
    "Patrull",
    "Gruppchef",
    "+46",
    "EK73",
    "AL55",
    "Gustavsberg",
  ];
  for (const word of [...secrets, ...identities, accountSid, "LARM", `${code} T`, "Nyckel", "ramlat"]) {
    expect(lines.filter((line) => line.includes(word))).toEqual([]);
  }
});
