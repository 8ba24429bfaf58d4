import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

async function atTheDoor(): Promise<string> {
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  await night.reply("patrol-1", `${code} V`);
  await night.text("patrol-1", /på väg/);
  return code;
}

test("K calls key holder, leader and a second person at once, again every 5 min until one answers, and closes nothing", async () => {
  night = await Night.open();
  const code = await atTheDoor();
  const said = night.now;
  await night.reply("patrol-1", `${code} K`);
  const called = ["keys", "leader", "patrol-2"] as const;
  for (const id of called) {
    const call = await night.text(id, new RegExp(`^LARM ${code} KOMMER INTE IN.*Patrull 1 står utanför`));
    expect(call.at - said).toBeLessThan(5_000);
  }
  await night.text("patrol-1", /Larmet är öppet\. Stanna kvar/);

  for (const id of called) {
    const again = await night.text(id, /KOMMER INTE IN/, 6 * minute);
    expect(again.at - said).toBeGreaterThan(4.9 * minute);
    expect(again.at - said).toBeLessThan(5.4 * minute);
  }
  await night.reply("keys", `${code} T`);
  await night.text("keys", /noterat att du hjälper Patrull 1/);
  await night.text("patrol-1", /Nyckelpatrull har svarat och hjälper dig/);
  await night.pass(6 * minute);
  for (const id of called) expect(night.texts(id, /KOMMER INTE IN/)).toHaveLength(2);
  expect(night.texts("patrol-3")).toEqual([]);
  expect(night.episode(code).status).toBe("taken");

  // Only a person ends it, from the place.
  await night.reply("keys", `${code} F`);
  await night.text("patrol-1", /Nyckelpatrull är framme/);
  await night.reply("keys", `${code} U`);
  await night.text("patrol-1", /avslutat/);
  expect(night.episode(code).status).toBe("closed");
});

test("whoever had answered and then cannot: the call goes out again at once", async () => {
  night = await Night.open();
  const code = await atTheDoor();
  await night.reply("patrol-1", `${code} K`);
  await night.text("keys", /KOMMER INTE IN/);
  await night.reply("keys", `${code} T`);
  await night.text("keys", /noterat att du hjälper/);
  const said = night.now;
  await night.reply("keys", `${code} N`);
  for (const id of ["leader", "patrol-2"] as const) {
    await night.text(id, /KOMMER INTE IN/);
    expect((await night.text(id, /KOMMER INTE IN/)).at - said).toBeLessThan(5_000);
  }
});

test("D calls leader and a second person, not who holds keys; the alarm stays open", async () => {
  night = await Night.open();
  const code = await atTheDoor();
  await night.reply("patrol-1", `${code} F`);
  await night.text("patrol-1", /Hur gick det/);
  await night.reply("patrol-1", `${code} D`);
  await night.text("leader", new RegExp(`^LARM ${code} TVÅ BEHÖVS.*Patrull 1 behöver en till`));
  await night.text("patrol-2", /TVÅ BEHÖVS/);
  await night.reply("patrol-2", `${code} T`);
  await night.text("patrol-1", /Patrull 2 har svarat och hjälper dig/);
  expect(night.texts("keys")).toEqual([]);
  expect(night.episode(code).status).toBe("arrived");
});
