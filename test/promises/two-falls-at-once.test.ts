import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

test("whoever is busy is passed over, and with all of them busy whoever leads is paged at once", async () => {
  night = await Night.open({ speed: 2 });
  const codes: string[] = [];
  for (const [key, id] of [
    ["38", "patrol-1"],
    ["54", "patrol-2"],
    ["61", "patrol-3"],
  ] as const) {
    const fell = night.now;
    await night.fall(key);
    const page = await night.text(id, new RegExp(`^LARM FALL.*Nyckel ${key}`));
    // Not after the waits of those before.
    expect(page.at - fell).toBeLessThan(2_000);
    await night.reply(id, `${page.code} T`);
    await night.text(id, /DU HAR LARMET/);
    codes.push(page.code);
  }
  expect(night.texts("patrol-1", /^LARM/)).toHaveLength(1);

  const fell = night.now;
  await night.fall("72");
  const told = await night.text("leader", /INGEN LEDIG.*Nyckel 72.*Alla har andra larm/);
  expect(told.at - fell).toBeLessThan(2_000);

  // One reply touches its own episode and no other.
  await night.reply("patrol-2", `${codes[1]} F`);
  await night.text("patrol-2", /Hur gick det/);
  expect(codes.map((code) => night.episode(code).status)).toEqual(["taken", "arrived", "taken"]);
  await night.reply("patrol-2", `${codes[1]} U`);
  await night.text("patrol-2", /avslutat/);
  expect(codes.map((code) => night.episode(code).status)).toEqual(["taken", "closed", "taken"]);
  expect(night.episode(told.code).status).toBe("open");
});

test("without a code nobody knows which: a reply changes nothing while two are open, nor soon after", async () => {
  night = await Night.open();
  await night.fall("38");
  await night.fall("54");
  const [one, other] = [await night.text("patrol-1", /^LARM FALL/), await night.text("patrol-1", /^LARM FALL/)];
  await night.reply("patrol-1", "tar larmet");
  expect((await night.text("patrol-1", /Skriv larmets kod först/)).body).toMatch(
    new RegExp(`${one.code}|${other.code}`),
  );
  expect([one, other].map(({ code }) => night.episode(code).status)).toEqual(["open", "open"]);

  // One is over, but it was open to this phone a moment ago: "framme" could mean either still.
  await night.reply("patrol-1", `${one.code} F`);
  await night.reply("patrol-1", `${one.code} U`);
  await night.text("patrol-1", /avslutat/);
  await night.reply("patrol-1", "framme");
  await night.text("patrol-1", /Skriv larmets kod först/);
  expect(night.episode(other.code).status).toBe("open");
});
