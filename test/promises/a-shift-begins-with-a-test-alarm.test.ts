import { afterEach, expect, test } from "vitest";
import { createRotas, type Rotas } from "../../alerting/rota/duty-rota.ts";
import { Night, type NightOptions } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;
/** A Tuesday in November; Stockholm is an hour before UTC. */
const local = (hours: number, minutes: number) => Date.UTC(2026, 10, 24, hours - 1, minutes);

const settings: NightOptions["settings"] = (change) => {
  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  change.rotas = [
    {
      id: "syd",
      name: "Syd",
      shifts: [
        { id: "day", days, from: "07:00", to: "21:30", responders: ["patrol-3"] },
        { id: "night", days, from: "21:30", to: "07:00", responders: ["patrol-1", "patrol-2"] },
      ],
    },
  ];
  change.policy.steps = [{ rotas: ["syd"], waitSeconds: 120 }];
};

/** The rotas as a command of `fallvakt` has them, beside the running service. */
function rotas<T>(work: (rotas: Rotas) => Promise<T> | T): Promise<T> {
  return night.store(async (store) => {
    const rotas = createRotas({ config: night.config, store, clock: night.clock });
    await rotas.load();
    rotas.stop();
    return work(rotas);
  });
}
const pagingOrder = () => rotas((all) => all.onCall("syd", night.clock.wallNow()));

test("at the start of a shift its phones get a PROVLARM; T signs on, no answer in 10 min is told and paged last", async () => {
  night = await Night.open({ settings, startAt: local(21, 29) });
  const asked = await night.text(
    "patrol-1",
    /^PROVLARM T\d{3}\. Den här telefonen är larmtelefon från 21\.30/,
    2 * minute,
  );
  const other = await night.text("patrol-2", /^PROVLARM/);
  expect(other.code).not.toBe(asked.code);
  expect(await pagingOrder()).toEqual(["patrol-1", "patrol-2"]);

  await night.reply("patrol-2", `${other.code} t`);
  await night.text("patrol-2", /tack, telefonen är larmtelefon/);
  await night.until("the sign-on in the rota", () => night.episode(other.code).status === "closed");
  const told = await night.text("leader", /^PROVLARM T\d{3} EJ BESVARAT\. Patrull 1/, 11 * minute);
  expect(told.at - asked.at).toBeGreaterThan(9 * minute);
  expect(told.at - asked.at).toBeLessThan(10.3 * minute);
  expect(await pagingOrder()).toEqual(["patrol-2", "patrol-1"]);

  // A fall pages both all the same, who has signed on before who has not.
  await night.fall("38");
  await night.text("patrol-1", /^LARM FALL/);
  const paged = night.events.flatMap((event) =>
    event.type === "page-queued" && event.purpose === "alarm" ? [event.responderId] : [],
  );
  expect(paged).toEqual(["patrol-2", "patrol-1"]);

  // It signs on after all: among the first again.
  await night.reply("patrol-1", `${asked.code} T`);
  await night.text("patrol-1", /tack, telefonen är larmtelefon/);
  await night.pass(1_000);
  expect(await pagingOrder()).toEqual(["patrol-1", "patrol-2"]);
});

test("a hand-over in mid-shift asks the new phone, and only that", async () => {
  night = await Night.open({ settings, startAt: local(21, 29) });
  for (const id of ["patrol-1", "patrol-2"] as const) {
    const { code } = await night.text(id, /^PROVLARM/, 2 * minute);
    await night.reply(id, `${code} T`);
    await night.text(id, /tack/);
  }
  await rotas((all) => all.handOver("syd", { from: "patrol-1", to: "keys" }, "Eva"));
  // The service reads what commands have changed every minute.
  const { code } = await night.text("keys", /^PROVLARM/, 2 * minute);
  await night.reply("keys", `${code} T`);
  await night.text("keys", /tack/);
  expect((await pagingOrder()).sort()).toEqual(["keys", "patrol-2"]);
  for (const id of ["patrol-1", "patrol-2"] as const)
    expect(night.texts(id, /^PROVLARM.*larmtelefon från/)).toHaveLength(1);
});

test("whoever is handed over because their phone does not answer need not answer it any more, and nobody is told that they do not", async () => {
  night = await Night.open({ settings, startAt: local(21, 29) });
  const { code } = await night.text("patrol-1", /^PROVLARM/, 2 * minute);
  await rotas((all) => all.handOver("syd", { from: "patrol-1", to: "keys" }, "Eva"));
  await night.text("keys", /^PROVLARM/, 2 * minute);
  await night.until("the test alarm to the other ended", () => night.episode(code).status === "closed");
  await night.pass(7 * minute);
  expect(night.texts("leader", /Patrull 1/)).toEqual([]);
  // It is told nothing more: least of all that it is the alarm phone.
  expect(night.texts("patrol-1", /larmtelefon/)).toHaveLength(1);
});

test("the end of a shift ends its test alarm, and the next shift's phone is asked", async () => {
  night = await Night.open({ settings, startAt: local(6, 58) });
  const { code } = await night.text("patrol-1", /^PROVLARM/);
  await night.text("patrol-3", /^PROVLARM.*från 07\.00/, 3 * minute);
  await night.until("the old one ended", () => night.episode(code).status === "closed");
  // Nobody is told that a phone which is off duty does not answer.
  await night.pass(9 * minute);
  expect(night.texts("leader", /Patrull [12]/)).toEqual([]);
  expect(night.texts("patrol-1", /tack, telefonen är larmtelefon/)).toEqual([]);
});
