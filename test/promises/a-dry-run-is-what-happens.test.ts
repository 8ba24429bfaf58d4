import { afterEach, expect, test } from "vitest";
import { type DryRun, type DryRunQuestion, dryRun } from "../../alerting/dry-run.ts";
import { createPolicies } from "../../alerting/policies.ts";
import { createRotas } from "../../alerting/rota/duty-rota.ts";
import { createStaff } from "../../alerting/staff.ts";
import { Night, type PersonId, type Settings } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;
const everyDay = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const shift = (id: string, from: string, to: string, responders: string[]) => ({
  id,
  days: everyDay,
  from,
  to,
  responders,
});

/** What `dryRun` says of now, from what the service has in its store. */
async function foretold(change: Partial<DryRunQuestion> = {}): Promise<DryRun> {
  const { config, clock } = night;
  return night.store(async (store) => {
    const rotas = createRotas({ config, store, clock });
    await rotas.load();
    rotas.stop();
    const staff = createStaff(config, store, rotas.onCall);
    await staff.load();
    const question: DryRunQuestion = {
      ...{ at: clock.wallNow(), kind: "fall", unit: null, strength: "strong", trouble: "gateway-lost" },
      ...{ newResident: false, answers: "nobody", busy: [] },
      ...change,
    };
    const around = { policies: createPolicies(config), technical: config.technical, timeZone: config.timeZone };
    return dryRun(question, { ...around, staffing: staff.at, lost: new Set(staff.lost.keys()) });
  });
}

const pagesOf = ({ moments, question }: DryRun) =>
  moments.flatMap(({ at, pages }) =>
    pages.map(({ responderId, purpose }) => ({ who: `${purpose} ${responderId}`, after: at - question.at })),
  );

/** The pages of the true service about an episode, in the order in which they were made. */
async function happened(code: string, count: number): Promise<{ who: string; after: number }[]> {
  const { id } = night.episode(code);
  const pages = () =>
    night.events.flatMap((event) =>
      event.type === "page-queued" && event.episodeId === id
        ? [{ who: `${event.purpose} ${event.responderId}`, at: event.at }]
        : [],
    );
  await night.until(`${count} pages`, () => pages().length >= count, 20 * minute);
  const begins = night.events.find((event) => event.type === "episode-opened" && event.episodeId === id)?.at ?? 0;
  return pages()
    .slice(0, count)
    .map(({ who, at }) => ({ who, after: at - begins }));
}

async function holds(key: string, told: DryRun): Promise<void> {
  const expected = pagesOf(told);
  expect(expected.length).toBeGreaterThan(2);
  const known = new Set(night.alerting.episodes().map(({ code }) => code));
  await night.fall(key);
  await night.until("the episode", () => night.alerting.episodes().some(({ code }) => !known.has(code)));
  const code = night.alerting.episodes().find((one) => !known.has(one.code))?.code ?? "";
  const seen = await happened(code, expected.length);
  expect(seen.map(({ who }) => who)).toEqual(expected.map(({ who }) => who));
  // A deadline is taken up within a second, and the next is counted from there.
  for (const [i, { after }] of expected.entries()) expect(Math.abs((seen[i]?.after ?? 0) - after)).toBeLessThan(5_000);
}

test("nobody answers: the same people in the same order at the same times, until it begins again", async () => {
  night = await Night.open();
  await holds("38", await foretold());
});

test("with rotas: the shift that ends meanwhile, a gap in another, and whoever leads", async () => {
  const staffed = (settings: Settings) => {
    settings.rotas = [
      {
        id: "syd",
        name: "Syd",
        shifts: [
          shift("night", "21:00", "02:32", ["patrol-1", "patrol-2"]),
          shift("late", "02:32", "07:00", ["patrol-3"]),
        ],
      },
      { id: "nord", name: "Nord", shifts: [shift("day", "07:00", "21:00", ["keys"])] },
    ];
    settings.policy.steps = [
      { rotas: ["nord"], waitSeconds: 60 },
      { rotas: ["syd"], waitSeconds: 90 },
      { rotas: ["syd"], responders: ["keys"], waitSeconds: 45 },
    ];
  };
  // 02:31:30 in Sweden: half a minute before the shift ends.
  night = await Night.open({ settings: staffed, startAt: Date.UTC(2026, 10, 24, 1, 31, 10) });
  const told = await foretold();
  expect(told.moments.flatMap(({ gaps }) => gaps)).toContainEqual({ step: 0, rotaId: "nord" });
  expect(pagesOf(told).map(({ who }) => who)).toContain("alarm patrol-3");
  await holds("38", told);
});

test("a phone that gets no texts is passed over, and tried when it begins again", async () => {
  const lost: PersonId = "patrol-1";
  night = await Night.open({ landlines: [lost] });
  // The first fall finds out.
  await night.fall("54");
  const { code } = await night.text("patrol-2", /^LARM FALL/);
  await night.reply("patrol-2", `${code} T`);
  await night.text("patrol-2", /DU HAR LARMET/);
  await night.reply("patrol-2", `${code} F`);
  await night.reply("patrol-2", `${code} U`);
  await night.until("it is closed", () => night.episode(code).status === "closed");
  const told = await foretold();
  expect(told.moments[0]?.passedOver).toEqual([{ step: 0, responderId: lost, why: "no-texts" }]);
  await holds("38", told);
});
