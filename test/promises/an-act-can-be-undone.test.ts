import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

/** Patrol 1 takes it, patrol 2 is there first and closes it by mistake; whoever leads was told that nobody took it at first. */
async function closedByMistake(): Promise<string> {
  await night.fall("38");
  const { code } = await night.text("leader", /EJ TAGET/, 2 * minute);
  await night.reply("patrol-1", `${code} T`);
  await night.text("patrol-1", /DU HAR LARMET/);
  await night.reply("patrol-2", `${code} F`);
  await night.text("patrol-2", /Hur gick det/);
  await night.reply("patrol-2", `${code} X`);
  for (const id of ["patrol-1", "patrol-2", "leader"] as const) await night.text(id, /avslutat.*inget fall/);
  return code;
}

const settings: NonNullable<Parameters<typeof Night.open>[0]>["settings"] = ({ policy }) => {
  policy.steps = ["patrol-1", "patrol-2"].map((id) => ({ responders: [id], waitSeconds: 20 }));
};

test("Z takes a closing back within 10 min, and everybody who was told of it is told", async () => {
  night = await Night.open({ settings });
  const code = await closedByMistake();
  await night.pass(9 * minute);
  await night.reply("patrol-2", `${code} Z`);
  expect((await night.text("patrol-2", /X är ångrat/)).body).toContain("Larmet är öppet, du är framme");
  for (const id of ["patrol-1", "leader"] as const) {
    expect((await night.text(id, /är öppet igen/)).body).toContain("Patrull 2 har ångrat avslutet");
  }
  expect(night.episode(code)).toMatchObject({ status: "arrived", closedAt: null });

  // It is seen through to its end like any other.
  await night.reply("patrol-2", `${code} U`);
  await night.text("patrol-2", /avslutat.*oskadd/);
  expect(night.alerting.backend.board()[0]).toMatchObject({ status: "closed", outcome: "unhurt" });
});

test("after 10 min there is nothing to undo, nor for anybody else", async () => {
  night = await Night.open({ settings });
  const code = await closedByMistake();
  await night.reply("patrol-1", `${code} Z`);
  await night.text("patrol-1", /inget att ångra/);
  await night.pass(10.2 * minute);
  await night.reply("patrol-2", `${code} Z`);
  await night.text("patrol-2", /inget att ångra/);
  expect(night.episode(code).status).toBe("closed");
});

test("where the dwelling has a new alarm the old one stays closed", async () => {
  night = await Night.open({ settings });
  const code = await closedByMistake();
  await night.fall("38");
  const fresh = await night.text("patrol-1", new RegExp(`^LARM FALL (?!${code})`));
  await night.reply("patrol-2", `${code} Z`);
  await night.text("patrol-2", new RegExp(`${code}.*inget att ångra`));
  expect(night.episode(code).status).toBe("closed");
  expect(night.episode(fresh.code).status).toBe("open");
});

test("a taking that is undone pages the next at once", async () => {
  night = await Night.open({ speed: 2 });
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  await night.reply("patrol-1", `${code} T`);
  await night.text("patrol-1", /DU HAR LARMET/);
  const said = night.now;
  await night.reply("patrol-1", `${code} Z`);
  expect((await night.text("patrol-2", /^LARM FALL/)).at - said).toBeLessThan(2_000);
  expect((await night.text("patrol-1", /T är ångrat/)).body).toContain("andra larmas");
});
