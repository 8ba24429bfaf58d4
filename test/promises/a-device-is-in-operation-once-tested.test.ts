import { afterEach, expect, test } from "vitest";
import { createOperations, type Operations } from "../../alerting/registry/operations.ts";
import { createRegistry } from "../../alerting/registry/registry.ts";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

/** As a command of `fallvakt` does it, beside the running service. */
const operations = <T>(work: (operations: Operations) => Promise<T>): Promise<T> =>
  night.store((store) => work(createOperations(() => store, night.clock)));

/** A device that was just put up: nobody has tried whose it is. */
async function newDevice(key: string): Promise<void> {
  await night.store((store) =>
    createRegistry(() => store, night.clock).addDevice(
      { deviceId: `new-${key}`, placement: "wrist", key, consentBy: "eva" },
      { allowSimilarAliases: true },
    ),
  );
}
const stateOf = (deviceId: string) =>
  night.store(async (store) => (await store.registry.device(deviceId))?.device.operation);
/** What happened before that is no test: a while goes by. */
async function openTest(deviceId: string, to?: string): Promise<void> {
  await operations((all) => all.test(deviceId, { minutes: 15, to, by: "eva" }));
  await night.pass(30_000);
}

test("a new device's fall goes to the operators, in words that say so, and to staff where none takes it in a minute", async () => {
  night = await Night.open();
  await newDevice("91");
  await night.fall("91", { deviceId: "new-91", strength: "strong" });
  const first = await night.text("leader", /^LARM FALL \d{3} SENSOR EJ I DRIFT\. Nyckel 91\./);
  expect(night.texts("patrol-1")).toEqual([]);
  const staff = await night.text("patrol-1", new RegExp(`^LARM FALL ${first.code} SENSOR EJ I DRIFT`), 70_000);
  expect(staff.at - first.at).toBeGreaterThan(55_000);
  expect(staff.at - first.at).toBeLessThan(65_000);
});

test("taken by an operator: staff sleep on; a device in operation there calls them at once", async () => {
  night = await Night.open();
  await newDevice("38");
  await night.fall("38", { deviceId: "new-38" });
  const { code } = await night.text("leader", /SENSOR EJ I DRIFT/);
  await night.reply("leader", `${code} T`);
  await night.text("leader", /DU HAR LARMET/);
  await night.pass(2 * minute);
  expect(night.texts("patrol-1")).toEqual([]);

  await newDevice("54");
  await night.fall("54", { deviceId: "new-54" });
  await night.text("leader", /SENSOR EJ I DRIFT/);
  const at = night.now;
  await night.fall("54", { strength: "medium" });
  await night.text("patrol-1", /^LARM FALL/);
  expect(night.now - at).toBeLessThan(10_000);
});

test("its help button pages staff at once, and tells the operators beside them", async () => {
  night = await Night.open();
  await newDevice("91");
  await night.fall("91", { deviceId: "new-91", kind: "help", strength: "strong" });
  const { code } = await night.text("patrol-1", /^LARM HJÄLP \d{3} SENSOR EJ I DRIFT\. Nyckel 91/);
  await night.text("leader", new RegExp(`^LARM HJÄLP ${code} SENSOR EJ I DRIFT`));
});

test("a test alarm is answered with the key number: a wrong one changes nothing, the right one puts it into operation", async () => {
  night = await Night.open();
  await newDevice("91");
  await openTest("new-91");
  // An alarm of another device is none of it.
  await night.fall("38");
  const real = await night.text("patrol-1", /^LARM FALL/);
  await night.fall("91", { deviceId: "new-91", kind: "help", strength: "strong" });
  const asked = await night.text(
    "patrol-1",
    /^PROVLARM T\d{3}, inget fall: sensor new-91\. Svara T\d{3} och nyckelnumret/,
  );
  expect(asked.body).not.toMatch(/Nyckel 91|nyckelnumret 91/);
  await night.reply("patrol-1", `${asked.code} T`);
  await night.text("patrol-1", /^PROVLARM.*svara T\d{3} och nyckelnumret/);
  // The other alarm's code as a key number takes nothing.
  await night.reply("patrol-1", `${asked.code} T ${real.code}`);
  await night.text("patrol-1", /^PROVLARM.*inte inlagd på det nyckelnumret\. Inget har ändrats/);
  expect(night.episode(real.code).status).toBe("open");
  await night.reply("patrol-1", `${asked.code.slice(1)} 38`);
  await night.until("a second wrong one", () => night.texts("patrol-1", /inte inlagd/).length === 2);
  expect((await stateOf("new-91"))?.state).toBe("awaiting-test");

  await night.reply("patrol-1", `${asked.code.slice(1)} t: Nyckel 91`);
  await night.text("patrol-1", /^PROVLARM.*rätt\. Sensor new-91 på Nyckel 91 är i drift/);
  expect(await stateOf("new-91")).toMatchObject({ state: "in-operation", how: "test-alarm", by: "patrol-1" });
  expect(await operations((all) => all.lastTest("new-91"))).toMatchObject({ outcome: "passed", wrong: 2 });
  expect(night.alerting.counters()).toMatchObject({ "reply.read-back.right": 1, "reply.read-back.wrong": 2 });
  const changes = await night.store((store) => store.control.changes());
  expect(changes.at(-1)).toMatchObject({ deviceId: "new-91", by: "patrol-1", what: "in operation, by test-alarm" });
  expect(night.texts("leader", /SENSOR EJ I DRIFT/)).toEqual([]);

  await night.fall("91", { deviceId: "new-91" });
  await night.text("patrol-1", /^LARM FALL \d{3}\. Nyckel 91/);
});

test("a test alarm that nobody answers is an alarm of a device that is not in operation: never lost", async () => {
  night = await Night.open();
  await newDevice("91");
  await openTest("new-91", "patrol-2");
  const fall = await night.fall("91", { deviceId: "new-91" });
  const asked = await night.text("patrol-2", /^PROVLARM/);
  expect(night.texts("patrol-1")).toEqual([]);
  // A fall later in that time waits for nothing.
  await night.pass(2 * minute);
  await night.fall("91", { deviceId: "new-91" });
  const other = await night.text("leader", /SENSOR EJ I DRIFT/);
  await night.reply("leader", `${other.code} T`);
  await night.reply("leader", `${other.code} U`);
  await night.until("it is closed", () => night.episode(other.code).status === "closed");
  const handedOn = await night.text("leader", /^LARM FALL \d{3} SENSOR EJ I DRIFT\. Nyckel 91/, 14 * minute);
  expect(handedOn.code).not.toBe(other.code);
  await night.text("patrol-2", /^PROVLARM.*inget nyckelnummer i tid/);
  expect(night.episode(asked.code).status).toBe("closed");
  expect(night.episode(handedOn.code).detections.map(({ id }) => id)).toEqual([fall.id]);
  expect((await operations((all) => all.lastTest("new-91")))?.outcome).toBe("unanswered");
});

test("a restart in a test's time loses neither the test nor the alarm behind it", async () => {
  night = await Night.open();
  await newDevice("91");
  await openTest("new-91");
  await night.fall("91", { deviceId: "new-91" });
  await night.text("patrol-1", /^PROVLARM/);
  await night.restart();
  await night.text("leader", /^LARM FALL \d{3} SENSOR EJ I DRIFT/, 16 * minute);
});

test("no alarm comes in a test's time: whoever waits for it is told", async () => {
  night = await Night.open();
  await newDevice("91");
  await openTest("new-91", "patrol-2");
  await night.text("patrol-2", /^Sensor new-91: inget larm kom på 15 min\. Den är inte i drift/, 16 * minute);
  expect((await operations((all) => all.lastTest("new-91")))?.outcome).toBe("no-alarm");
});

test("a device back in store alarms as itself, to the operators, and never to its old address", async () => {
  night = await Night.open();
  await operations((all) => all.store("belt-38", "eva"));
  await night.fall("38", { strength: "strong" });
  const page = await night.text("leader", /^LARM FALL \d{3} SENSOR EJ I DRIFT\. Sensor i förrådet belt-38\./);
  await night.text("patrol-1", new RegExp(`^LARM FALL ${page.code} .*Sensor i förrådet belt-38`), 70_000);
  await night.fall("38", { kind: "help", strength: "strong" });
  await night.pass(2 * minute);
  for (const id of ["leader", "patrol-1", "patrol-2"] as const) expect(night.texts(id, /Nyckel 38/)).toEqual([]);

  // In another dwelling it is to be tried again; by a named person's word it need not be.
  await operations((all) => all.move("belt-38", { key: "77" }, "eva"));
  await expect(operations((all) => all.commission(["belt-38"], { by: " ", reason: "moved" }))).rejects.toThrow(/by:/);
  expect(await operations((all) => all.commission("all", { by: "maria", reason: "moved" }))).toEqual(["belt-38"]);
  expect(await stateOf("belt-38")).toMatchObject({ state: "in-operation", how: "bulk", by: "maria" });
  await night.fall("38");
  await night.text("patrol-2", /^LARM FALL \d{3}\. Nyckel 77/, 5 * minute);
  await expect(operations((all) => all.test("belt-38", { minutes: 15, by: "eva" }))).rejects.toThrow(/in operation/);
});
