import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AlertingConfig } from "./config.ts";
import { type DryRun, type DryRunQuestion, dryRun } from "./dry-run.ts";
import { createPolicies } from "./policies.ts";
import { dayOfDate, zoneOf } from "./rota/local-time.ts";
import { createPlan } from "./rota/shifts.ts";
import { staffingOf } from "./staff.ts";

const people = ["day-car", "patrol-2", "patrol-3", "leader", "keys"];
const settings = {
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: people.map((id, i) => ({ id, name: id, phone: `+4670174060${i + 1}` })),
  policy: {
    steps: [
      { rotas: ["syd"], waitSeconds: 120 },
      { groups: ["nearby"], waitSeconds: 60 },
    ] as unknown[],
  },
  policies: [] as unknown[],
  groups: [{ id: "nearby", members: ["day-car", "keys"] }],
  operators: ["leader"],
  keyHolders: ["keys"],
  technical: { quietHours: { from: "22:00", to: "06:00" }, gatherSeconds: 60 },
  intake: { token: "t".repeat(27) },
  rotas: [
    {
      id: "syd",
      name: "Syd",
      shifts: [
        {
          id: "day",
          days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
          from: "07:00",
          to: "21:30",
          responders: ["day-car"],
        },
        // Nobody in the night to Monday.
        {
          id: "night",
          days: ["mon", "tue", "wed", "thu", "fri", "sat"],
          from: "21:30",
          to: "07:00",
          responders: ["patrol-2", "patrol-3"],
        },
      ],
    },
  ],
};

const zone = zoneOf("Europe/Stockholm");
const moment = (date: string, minute: number) => zone.at(dayOfDate(date), minute);
const sunday = moment("2026-11-29", 3 * 60 + 10);

const question: DryRunQuestion = {
  ...{ at: sunday, kind: "fall", unit: null, strength: "strong", trouble: "gateway-lost", newResident: false },
  ...{ answers: "nobody", busy: [] },
};

function ask(change: Partial<DryRunQuestion> = {}, raw: Partial<typeof settings> = {}, lost: string[] = []): DryRun {
  const config = AlertingConfig.parse({ ...settings, ...raw });
  const { holidays, timeZone, technical } = config;
  const plans = new Map(config.rotas.map((rota) => [rota.id, createPlan({ rota, holidays, changes: [], timeZone })]));
  return dryRun(
    { ...question, ...change },
    {
      ...{ policies: createPolicies(config), technical, timeZone, lost: new Set(lost) },
      staffing: staffingOf(config, (id, at) => plans.get(id)?.onCallAt(at) ?? []),
    },
  );
}

/** `0 raised patrol-2 patrol-3`: seconds, why, who. */
const told = ({ moments, question: { at } }: DryRun) =>
  moments.map((one) =>
    [(one.at - at) / 1000, one.cause, ...one.pages.map(({ responderId, purpose }) => `${purpose}:${responderId}`)].join(
      " ",
    ),
  );

test("a fall at 03:10 on Sunday: the night's patrols, the neighbours, whoever leads, and again", () => {
  const answer = ask();
  expect(told(answer)).toEqual([
    "0 raised alarm:patrol-2 alarm:patrol-3",
    "120 no-answer alarm:day-car alarm:keys",
    "180 no-answer not-taken:leader alarm:patrol-2 alarm:patrol-3",
  ]);
  expect(answer.ends).toBe("again");
  expect(answer.moments[0]?.pages[0]?.ways).toEqual([{ by: "rota", rotaId: "syd" }]);
  expect(answer.moments[1]?.pages[0]?.ways).toEqual([{ by: "group", groupId: "nearby" }]);
  expect(answer.moments[2]?.pages[0]?.ways).toEqual([{ by: "operator" }]);
});

test("the rota is asked when a step is paged: a shift that begins meanwhile has its phones", () => {
  const steps = [
    { groups: ["nearby"], waitSeconds: 120 },
    { rotas: ["syd"], waitSeconds: 120 },
  ];
  const answer = ask({ at: moment("2026-11-27", 7 * 60 - 1) }, { policy: { steps } });
  expect(told(answer)[1]).toBe("120 no-answer alarm:day-car");
});

test("in a gap the next step is paged at once, and the gap is told", () => {
  const answer = ask({ at: moment("2026-11-30", 3 * 60 + 10) });
  expect(told(answer)[0]).toBe("0 raised alarm:day-car alarm:keys");
  expect(answer.moments[0]).toMatchObject({ step: 1, gaps: [{ step: 0, rotaId: "syd" }] });
  const alone = ask(
    { at: moment("2026-11-30", 3 * 60 + 10) },
    { policy: { steps: [{ rotas: ["syd"], waitSeconds: 120 }] } },
  );
  expect(told(alone)).toEqual(["0 raised not-taken:leader", "60 again not-taken:leader"]);
  expect(alone.moments[0]).toMatchObject({ step: null, gaps: [{ step: 0, rotaId: "syd" }] });
});

test("a phone that gets no texts, and whoever has another alarm, are passed over and said to be; later they are tried", () => {
  const answer = ask({ busy: ["patrol-2"] }, {}, ["patrol-3", "keys"]);
  expect(told(answer).slice(0, 3)).toEqual([
    "0 raised alarm:day-car",
    "60 no-answer not-taken:leader alarm:patrol-2 alarm:patrol-3",
  ]);
  expect(answer.moments[0]?.passedOver).toEqual([
    { step: 0, responderId: "patrol-2", why: "busy" },
    { step: 0, responderId: "patrol-3", why: "no-texts" },
    { step: 1, responderId: "keys", why: "no-texts" },
  ]);
  expect(answer.moments[1]?.pages.at(-1)).toMatchObject({ responderId: "patrol-3", getsTexts: false });
});

describe("what may come instead of silence", () => {
  test("whoever is paged says that they cannot: the next at once, with the first that says so", () => {
    expect(told(ask({ answers: "declined" })).slice(0, 3)).toEqual([
      "0 raised alarm:patrol-2 alarm:patrol-3",
      "30 declined alarm:day-car alarm:keys answer:patrol-2",
      "30 declined answer:patrol-3",
    ]);
  });

  test("taken, and nobody sets off: reminded, and then the others", () => {
    expect(told(ask({ answers: "not-set-off" }))).toEqual([
      "0 raised alarm:patrol-2 alarm:patrol-3",
      "30 taken taken:patrol-2 to-others:patrol-3",
      "330 not-set-off reminder:patrol-2",
      "450 still-not-set-off not-arrived:leader alarm:patrol-3",
    ]);
  });
});

test("policies by unit and kind, the silent period of a new resident, and a welfare alarm with a policy of its own", () => {
  const policies = [
    { id: "nord", unit: "Norr", operatorsFirstDays: 14, steps: [{ responders: ["keys"], waitSeconds: 30 }] },
    { id: "look-in", kinds: ["welfare"], steps: [{ responders: ["day-car"], waitSeconds: 600 }] },
  ];
  const medium = ask({ unit: "Norr", strength: "medium", newResident: true }, { policies });
  expect(medium.policyId).toBe("nord");
  expect(told(medium).slice(0, 2)).toEqual(["0 raised alarm:leader", "60 operators-did-not alarm:keys"]);
  expect(told(ask({ unit: "Norr", newResident: true }, { policies }))[0]).toBe("0 raised alarm:keys");
  expect(told(ask({ unit: "Norr", kind: "help", strength: "medium", newResident: true }, { policies }))[0]).toBe(
    "0 raised alarm:keys",
  );
  const welfare = ask({ unit: "Norr", kind: "welfare" }, { policies });
  expect([welfare.policyId, told(welfare)[0]]).toEqual(["look-in", "0 raised welfare:day-car"]);
  expect(ask({ unit: "Syd" }, { policies }).policyId).toBe(null);
});

describe("technical alarms", () => {
  test("wait for the end of quiet hours, and then for others to the same phone", () => {
    const answer = ask({ kind: "technical", trouble: "battery-low" });
    expect(answer.moments[0]).toMatchObject({ cause: "raised", pages: [], heldUntil: moment("2026-11-29", 360) });
    expect(answer.moments[1]).toMatchObject({ at: moment("2026-11-29", 360) });
    expect(answer.moments[1]?.pages).toMatchObject([{ responderId: "leader", leavesAt: moment("2026-11-29", 361) }]);
  });

  test("do not where falls raise no alarm", () => {
    expect(ask({ kind: "technical", trouble: "gateway-lost" }).moments[0]?.pages).toMatchObject([
      { responderId: "leader" },
    ]);
  });
});

test("whatever the policy, it comes to an end: somebody is paged, or it says why nobody is", () => {
  const someone = fc.constantFrom(...people);
  const aStep = fc
    .record({
      responders: fc.uniqueArray(someone, { maxLength: 2 }),
      rotas: fc.constantFrom([], ["syd"]),
      groups: fc.constantFrom([], ["nearby"]),
      waitSeconds: fc.integer({ min: 1, max: 3600 }),
    })
    .filter(({ responders, rotas, groups }) => responders.length + rotas.length + groups.length > 0);
  const asked = fc.record({
    at: fc.integer({ min: 0, max: 8 * 1440 }).map((minute) => moment("2026-11-23", 0) + minute * 60_000),
    kind: fc.constantFrom("fall" as const, "help" as const, "welfare" as const, "technical" as const),
    strength: fc.constantFrom("strong" as const, "medium" as const),
    trouble: fc.constantFrom("battery-low" as const, "gateway-lost" as const),
    newResident: fc.boolean(),
    answers: fc.constantFrom("nobody" as const, "declined" as const, "not-set-off" as const),
    busy: fc.uniqueArray(someone, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(
      asked,
      fc.array(aStep, { minLength: 1, maxLength: 5 }),
      fc.uniqueArray(someone),
      (change, steps, lost) => {
        const answer = ask(change, { policy: { steps } }, lost);
        // A technical alarm that somebody has is theirs: nobody is called out to it.
        const isTheirs = change.kind === "technical" && change.answers === "not-set-off";
        if (!isTheirs) expect(answer.ends).toBe("again");
        expect(answer.moments[0]?.at).toBe(change.at);
        for (const one of answer.moments) {
          expect(one.pages.length + one.gaps.length + one.passedOver.length > 0 || one.heldUntil !== null).toBe(true);
          for (const { getsTexts, responderId } of one.pages) expect(getsTexts).toBe(!lost.includes(responderId));
        }
        // Whoever leads is told before it begins again.
        if (!isTheirs)
          expect(answer.moments.some(({ pages }) => pages.some(({ responderId }) => responderId === "leader"))).toBe(
            true,
          );
      },
    ),
    { numRuns: 300 },
  );
});
