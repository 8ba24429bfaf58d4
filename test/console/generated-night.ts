import { setTimeout as wait } from "node:timers/promises";
import { createResidents } from "../../alerting/registry/residents.ts";
import { weekdays } from "../../alerting/rota/rota-config.ts";
import { masterKeySource } from "../../alerting/store/master-key-file.ts";
import { openThreadedStore } from "../../alerting/store/threaded.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type { DeviceEvent, SupervisionEvent } from "../../firmware-contracts/intake.ts";
import { NightClock } from "../promises/night-clock.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { type NightShift, startNightShift } from "./night-shift.ts";

type Configuration = NonNullable<Parameters<typeof startNightShift>[0]>;

/** The dwellings of the story, by key. Everything in them is made up. */
const homes = [
  { key: "7", area: "Charlottendal", room: "sovrum", name: "Sven Åkerblom", street: "Skärgårdsvägen 4", battery: 81 },
  {
    key: "12",
    area: "Charlottendal",
    room: "vardagsrum",
    name: "Ulla-Britt Hedman",
    street: "Skärgårdsvägen 9",
    battery: 44,
  },
  { key: "21", area: "Charlottendal", room: "kök", name: "Karl-Erik Nyström", street: "Chamottevägen 2", battery: 67 },
  {
    key: "46",
    area: "Gustavsberg norr",
    room: "hall",
    name: "Margareta Söderqvist",
    street: "Odelbergs väg 11",
    battery: 92,
  },
  { key: "54", area: "Gustavsberg norr", room: "hall", name: "Göran Wik", street: "Odelbergs väg 15", battery: 73 },
  { key: "63", area: "Gustavsberg norr", room: "badrum", name: "Birgit Alm", street: "Fabriksvägen 3", battery: 12 },
  { key: "79", area: "Gustavsberg syd", room: "sovrum", name: "Inga-Lill Fors", street: "Höjdvägen 20", battery: 58 },
  { key: "85", area: "Gustavsberg syd", room: "kök", name: "Arne Bergdahl", street: "Höjdvägen 22", battery: 36 },
] as const;
/** In the register of every night shift, from the start. */
const firstHomes = [
  { key: "38", name: "Gunvor Ekström", street: "Tallvägen 5, 2 tr", battery: 78 },
  { key: "57", name: "Bertil Sandh", street: "Tallvägen 7, 1 tr", battery: 64 },
  { key: "826", name: "Maj-Britt Lindqvist", street: "Tallvägen 9", battery: 55 },
] as const;

const unit = "Gustavsberg";
const everyDay = [...weekdays];
const patrols = ["patrol-2", "patrol-1", "patrol-3"];
const responders = [
  { id: "patrol-1", name: "Patrull 1", phone: "+46701740601" },
  { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
  { id: "patrol-3", name: "Patrull 3", phone: "+46701740603" },
  { id: "leader", name: "Gruppchef", phone: "+46701740604" },
];

/** A rota with a gap on Sunday mornings, and policies by unit. */
const nightConfiguration: Configuration = {
  responders,
  rotas: [
    {
      id: "gustavsberg",
      name: "Gustavsberg",
      unit,
      shifts: [
        {
          id: "day",
          name: "Dag",
          days: ["mon", "tue", "wed", "thu", "fri", "sat"],
          from: "07:00",
          to: "16:00",
          responders: ["patrol-2"],
        },
        { id: "evening", name: "Kväll", days: everyDay, from: "16:00", to: "21:30", responders: ["patrol-3"] },
        { id: "night", name: "Natt", days: everyDay, from: "21:30", to: "07:00", responders: patrols },
      ],
    },
  ],
  policy: {
    steps: [
      { rotas: ["gustavsberg"], waitSeconds: 180 },
      { responders: ["leader"], waitSeconds: 180 },
    ],
    receiptSeconds: 120,
  },
};

export interface GeneratedNight {
  shift: NightShift;
  clock: NightClock;
  close(): Promise<void>;
}

// From Tuesday evening to a quarter past three: a fall that nobody has taken, one on its way, one where somebody is, and those that are over.
const startsAt = Date.parse("2026-01-13T21:20:00+01:00");
const hurried = 4000;

/**
 * The true service after the first half of a night: residents, devices, consents, pauses, a rota that is signed on to, and alarms as far as they have come at 03:16.
 * From then on its clock runs as clocks do.
 */
export async function playNight(change: Configuration = {}): Promise<GeneratedNight> {
  const clock = new NightClock(1, startsAt);
  const shift = await startNightShift({ ...nightConfiguration, ...change }, clock);
  try {
    for (const { phone } of responders) if (!shift.network.phones.has(phone)) shift.network.addPhone(phone);
    await settle(shift);
    await tell(shift, clock);
    return { shift, clock, close: shift.close };
  } catch (error) {
    await shift.close();
    throw error;
  }
}

async function settle(shift: NightShift): Promise<void> {
  const { registry, dwellings, operations } = shift.alerting();
  await registry.addDevices(
    homes.map(({ key, area, room }) => ({
      deviceId: `watch-${key}`,
      placement: "wrist",
      key,
      unit,
      area,
      room,
      consentBy: "Maria",
    })),
    { ...simulatedFleet, allowSimilarAliases: true },
  );
  // One whose consent is not on record, one that awaits its test alarm, one in store.
  await registry.addDevice(
    { deviceId: "watch-91", placement: "wrist", key: "91", unit, area: "Gustavsberg syd" },
    { allowSimilarAliases: true },
  );
  await registry.addDevice({
    deviceId: "pendant-85",
    placement: "chest",
    key: "85",
    unit,
    area: "Gustavsberg syd",
    room: "kök",
  });
  await operations.store("pendant-85", "Ivar");
  const givenAt = startsAt - 40 * 86_400_000;
  for (const [index, { key, name }] of [...homes, ...firstHomes].entries()) {
    const reviewAt = startsAt + (index === 0 ? 3 : 200 + index) * 86_400_000;
    await dwellings.recordConsent(
      { key, unit },
      { person: "resident", giver: name, how: "Muntligt och skriftligt vid hembesök", givenAt, reviewAt },
      "Maria",
    );
    if (index % 3 === 0) await dwellings.setHousehold({ key, unit }, "alone", "Maria");
  }
  await dwellings.pause({ key: "79", unit }, { minutes: 2880, reason: "hospital", by: "Maria" });

  // As `fallvakt resident add` does it beside a running service.
  const store = await openThreadedStore(shift.dataDir, masterKeySource(shift.config, shift.dataDir));
  try {
    await store.keys.open();
    const residents = createResidents(() => store, shift.clock, "cli");
    for (const [index, { key, name, street }] of [...homes, ...firstHomes].entries()) {
      await residents.add(
        { key, unit },
        {
          name,
          address: `${street}, 134 30 Gustavsberg`,
          keyCode: `${4100 + index * 37}`,
          route: "In på gården, andra porten till vänster. Nyckelskåpet sitter till höger om dörren.",
          contacts: [{ name: `${name.split(" ").at(-1)}, dotter`, phone: `+467017406${20 + index}` }],
        },
        "Maria",
      );
    }
  } finally {
    await store.close();
  }
  for (const { key, battery } of [...homes, ...firstHomes]) await hear(shift, `watch-${key}`, battery);
}

/** A device's sign of life. */
async function hear(shift: NightShift, deviceId: string, battery: number): Promise<void> {
  const at = shift.clock.wallNow();
  const event: DeviceEvent = {
    v: 1,
    id: `${deviceId}.${at}`,
    deviceId,
    gatewayId: "stairwell-1",
    at,
    event: "heartbeat",
    battery,
  };
  await shift.alerting().intake.submit({ type: "device-event", event });
}

async function tell(shift: NightShift, clock: NightClock): Promise<void> {
  const [first, second, third] = responders.map(({ phone }) => shift.network.phones.get(phone));
  if (!first || !second || !third) throw new Error("the patrols have no phones");

  /** Goes on to a moment of the night, and lets what is due by then be done. */
  async function goTo(time: string, speed = hurried): Promise<void> {
    const day = time > "12:00" ? "2026-01-13" : "2026-01-14";
    const left = Date.parse(`${day}T${time}+01:00`) - clock.wallNow();
    clock.hurry(speed, clock.monotonicNow() + left);
    await wait(left / speed);
    await settled();
  }
  /** Texts and their receipts come through, at a pace that the machine keeps up with. */
  async function settled(): Promise<void> {
    clock.calm(30);
    await wait(250);
    clock.calm(1);
  }
  const episode = (key: string) => {
    const found = shift.episode(key);
    if (!found) throw new Error(`there is no alarm of key ${key}`);
    return found;
  };
  async function says(phone: typeof second, key: string, letter: string): Promise<void> {
    await phone?.reply(`${episode(key).code} ${letter}`);
    await settled();
  }
  async function falls(key: string, change: Partial<Detection> = {}): Promise<void> {
    await shift.fall(key, change);
    await settled();
  }
  /** Answers the test alarm of the shift that has just begun. */
  async function signOn(phone: typeof second): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const code = phone?.inbox.map(({ body }) => /PROVLARM (T?\d+)\..* 21[.:]30/.exec(body)?.[1]).findLast(Boolean);
      if (code) return void (await phone?.reply(`${code} T`));
      await settled();
    }
    throw new Error("nobody was asked to sign on");
  }
  const acts = (key: string, action: Parameters<ReturnType<NightShift["alerting"]>["backend"]["act"]>[1]) =>
    shift.alerting().backend.act(episode(key).id, action, { name: "Maria", role: "operator" });

  await goTo("21:30:20", 600);
  for (const phone of [first, second, third]) await signOn(phone);
  await settled();

  await goTo("23:18:00");
  await falls("54", { reason: "silent" });
  await acts("54", { action: "take" });
  await acts("54", { action: "close", outcome: "no-fall", reason: "Klockan låg på handfatet, pratade med dottern" });

  await goTo("01:38:00");
  await falls("21", { reason: "at-once" });
  await says(second, "21", "T");
  await goTo("01:41:00", 600);
  await says(second, "21", "V");
  await goTo("01:52:00", 600);
  await says(second, "21", "F");
  await goTo("02:06:00", 600);
  await says(second, "21", "U");

  await goTo("02:40:00");
  await supervise(shift, "63", "battery-low", { battery: 12, daysLeft: 2 });
  await falls("7", { reason: "soft", strength: "medium" });
  await says(third, "7", "T");
  await goTo("02:44:00", 600);
  await says(third, "7", "V");
  await goTo("02:59:00", 600);
  await says(third, "7", "F");
  await supervise(shift, "12", "overdue");

  await goTo("03:04:00", 600);
  await falls("46", { kind: "help", reason: "help-button", strength: "strong", evidence: null, model: null });
  await says(first, "46", "T");
  await goTo("03:07:00", 600);
  await says(first, "46", "V");

  await goTo("03:12:00", 600);
  second.behave({ outcome: { undelivered: 30003 } });
  await falls("38", { reason: "still" });
  for (const { key, battery } of [...homes, ...firstHomes])
    if (key !== "12") await hear(shift, `watch-${key}`, battery);
  await goTo("03:16:05", 300);
}

async function supervise(
  shift: NightShift,
  key: string,
  trouble: SupervisionEvent["trouble"],
  more: Partial<SupervisionEvent> = {},
): Promise<void> {
  const deviceId = `watch-${key}`;
  const at = shift.clock.wallNow();
  const since = at - 40 * 60_000;
  const id = `${deviceId}.${trouble}.${since}.began`;
  const event: SupervisionEvent = {
    v: 1,
    id,
    deviceId,
    deviceClass: "wearable",
    gatewayId: "stairwell-1",
    at,
    event: "began",
    trouble,
    since,
    ...more,
  };
  await shift.alerting().intake.submit({ type: "supervision-event", event });
}
