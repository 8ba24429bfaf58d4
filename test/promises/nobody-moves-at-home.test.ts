import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

test("nobody has moved for unusually long: a patrol is asked to look in; a fall there is an alarm of its own, and pages at once", async () => {
  night = await Night.open();
  await night.welfare("38", "inactive", "w1");
  const welfare = await night.text("patrol-1", /^OMSORGSLARM/);
  expect(welfare.body).toMatch(
    /^OMSORGSLARM \d+\. Nyckel 38, Gustavsberg syd, kök\. Ingen rörelse uppmätt sedan \d\d\.\d\d\. Titta till\. Svara/,
  );
  // The same dwelling's next word joins.
  await night.welfare("38", "inactive", "w2");
  await night.reply("patrol-1", `${welfare.code} T`);
  await night.text("patrol-1", /DU HAR LARMET/);

  await night.fall("38");
  const fall = await night.text("patrol-1", /^LARM FALL/);
  expect(fall.code).not.toBe(welfare.code);
  expect(
    night.alerting
      .episodes()
      .map(({ kind, status }) => `${kind} ${status}`)
      .sort(),
  ).toEqual(["fall open", "welfare taken"]);
  // An act for the one is none for the other.
  await night.reply("patrol-1", `${fall.code} T`);
  await night.text("patrol-1", new RegExp(`${fall.code} .*DU HAR LARMET`));
  await night.reply("patrol-1", `${welfare.code} F`);
  expect((await night.text("patrol-1", /Hur gick det/)).body).toContain("X = allt väl");
  await night.reply("patrol-1", `${welfare.code} X`);
  await night.text("patrol-1", /avslutat.*allt väl/);
  expect(night.episode(fall.code).status).toBe("taken");
});

test("movement again: untaken it is over and everybody is told; taken it stays theirs; the same word again opens nothing", async () => {
  night = await Night.open();
  await night.welfare("38", "inactive", "w1");
  const first = await night.text("patrol-1", /^OMSORGSLARM/);
  await night.text("patrol-2", /^OMSORGSLARM/, 3 * minute);
  await night.welfare("38", "active", "w2");
  await night.text("patrol-1", /är över.*rörelse uppmätt igen/);
  await night.text("patrol-2", /är över.*rörelse uppmätt igen/);
  expect(night.episode(first.code).status).toBe("closed");
  await night.welfare("38", "inactive", "w1");
  expect(night.alerting.episodes()).toHaveLength(1);

  await night.welfare("38", "inactive", "w3");
  const second = await night.text("patrol-1", /^OMSORGSLARM/);
  await night.reply("patrol-1", `${second.code} T`);
  await night.text("patrol-1", /DU HAR LARMET/);
  await night.welfare("38", "active", "w4");
  expect((await night.text("patrol-1", /rörelse uppmätt igen/)).body).toContain("Larmet är öppet");
  expect(night.episode(second.code).status).toBe("taken");
  const view = night.alerting.backend.board().find(({ code }) => code === second.code);
  expect(view).toMatchObject({ kind: "welfare", alias: "38", activeAt: expect.any(Number) });
});

test("too few sensors are heard: one technical alarm, which waits for the quiet hours' end, and is over when they are heard; an unknown dwelling opens nothing", async () => {
  night = await Night.open({
    settings: ({ technical }) => {
      technical.quietHours = { from: "22:00", to: "06:00" };
    },
  });
  await night.welfare("38", "unheard", "w1");
  await night.welfare("38", "unheard", "w2");
  const [alarm, ...others] = night.alerting.episodes();
  expect(others).toEqual([]);
  expect(alarm).toMatchObject({ kind: "technical", status: "open" });
  await night.pass(10 * minute);
  expect(night.texts("leader")).toEqual([]);
  await night.welfare("38", "heard", "w3");
  expect(night.episode(alarm!.code).status).toBe("closed");
  const submit = night.alerting.intake.submit({
    type: "welfare-event",
    event: { v: 1, id: "w4", dwelling: "no-such-dwelling", at: night.clock.wallNow(), event: "inactive" },
  });
  await submit;
  expect(night.alerting.episodes()).toHaveLength(1);
  expect(night.alerting.counters()).toMatchObject({ "intake.welfare-event.unknown": 1 });
});
