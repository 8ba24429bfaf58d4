import { afterEach, beforeEach, expect, test } from "vitest";
import { openRotaDesk } from "../../../test/console/rota-desk.ts";
import type { DryRunView, PoliciesView } from "./api.ts";

const at = (time: string, day = "27") => Date.parse(`2026-11-${day}T${time}+01:00`);
const people = ["patrol-2", "patrol-3", "north", "leader"];
const everyDay = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const settings = {
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: people.map((id, i) => ({ id, name: `Telefon ${id}`, phone: `+4670174060${i + 1}` })),
  groups: [{ id: "nearby", members: ["patrol-3", "north"] }],
  policy: {
    steps: [
      { rotas: ["syd"], waitSeconds: 120 },
      { groups: ["nearby"], waitSeconds: 60 },
    ],
  },
  policies: [
    { id: "north", unit: "Hemmesta", operatorsFirstDays: 14, steps: [{ responders: ["north"], waitSeconds: 30 }] },
  ],
  operators: ["leader"],
  keyHolders: ["patrol-3"],
  intake: { token: "t".repeat(27) },
  rotas: [
    {
      id: "syd",
      name: "Syd",
      shifts: [{ id: "night", days: [...everyDay], from: "21:30", to: "07:00", responders: ["patrol-2"] }],
    },
  ],
};

let desk: Awaited<ReturnType<typeof openRotaDesk>>;
beforeEach(async () => {
  desk = await openRotaDesk(settings, at("22:00"));
  await desk.logIn();
});
afterEach(() => desk.close());

const told = ({ moments }: DryRunView) =>
  moments.map(({ afterSeconds, pages }) => [afterSeconds, ...pages.map(({ responderId }) => responderId)]);

test("each policy in its parts, with its fingerprint, who is on call in its rotas now, and whose phone gets no texts", async () => {
  desk.staff.contact({ responderId: "north", lost: "21610", phone: "x" }, at("21:00"));
  const { policies, technical, operators, keyHolders, units } = (await desk.get("policies")).body as PoliciesView;
  expect(policies.map(({ id, unit, kinds }) => [id, unit, kinds])).toEqual([
    ["north", "Hemmesta", ["fall", "help"]],
    [null, null, ["fall", "help", "welfare"]],
  ]);
  expect(policies[1]?.steps).toMatchObject([
    { waitSeconds: 120, rotas: [{ id: "syd", name: "Syd", onCall: [{ name: "Telefon patrol-2" }] }] },
    { waitSeconds: 60, groups: [{ id: "nearby", members: [{ id: "patrol-3" }, { id: "north", getsTexts: false }] }] },
  ]);
  expect(policies[0]).toMatchObject({
    operatorsFirstDays: 14,
    receiptSeconds: 20,
    setOffMinutes: 5,
    arriveMinutes: 30,
  });
  expect(new Set([...policies.map(({ version }) => version), technical.version]).size).toBe(3);
  expect([operators[0]?.id, keyHolders[0]?.id, units]).toEqual(["leader", "patrol-3", ["Hemmesta"]]);
});

test("a dry run by local time names who would be paged and why, and leaves the store as it is", async () => {
  const before = desk.kept();
  const { status, body } = await desk.post("policies/dry-run", { at: "2026-11-29 03:10", kind: "fall" });
  expect(status).toBe(200);
  expect(body.at).toMatchObject({ date: "2026-11-29", time: "03:10" });
  expect(told(body)).toEqual([
    [0, "patrol-2"],
    [120, "patrol-3", "north"],
    [180, "leader", "patrol-2"],
  ]);
  expect(body.moments[0].pages[0]).toMatchObject({ name: "Telefon patrol-2", ways: [{ by: "rota", name: "Syd" }] });
  expect(body).toMatchObject({ ends: "again", policy: { id: null } });
  const day = await desk.post("policies/dry-run", { at: "2026-11-29T12:00" });
  expect(told(day.body)[0]).toEqual([0, "patrol-3", "north"]);
  expect(day.body.moments[0].gaps).toEqual([{ step: 0, rotaId: "syd", name: "Syd" }]);
  expect(desk.kept()).toBe(before);
});

test("what is changed in the rota is in the next dry run", async () => {
  const change = {
    kind: "override",
    mode: "instead",
    from: "2026-11-29 03:00",
    until: "2026-11-29 04:00",
    responders: ["north"],
  };
  expect((await desk.post("rotas/syd/changes", { change })).status).toBe(200);
  expect(told((await desk.post("policies/dry-run", { at: "2026-11-29 03:10" })).body)[0]).toEqual([0, "north"]);
});

test("a manager of a unit sees its policies and the common one; another unit's answers as one that is not there", async () => {
  await desk.logIn({ role: "manager", units: ["Gustavsberg"] });
  const view = (await desk.get("policies")).body as PoliciesView;
  expect([view.policies.map(({ id }) => id), view.units]).toEqual([[null], ["Gustavsberg"]]);
  const asked = (unit: string) => desk.post("policies/dry-run", { at: "2026-11-29 03:10", unit });
  expect((await asked("Gustavsberg")).status).toBe(200);
  expect(await asked("Hemmesta")).toEqual(await asked("Nowhere"));
  expect((await asked("Hemmesta")).status).toBe(404);
});

test("only who reads policies may ask, and what cannot be asked is refused in words", async () => {
  const bad = [{ at: "soon" }, { at: at("03:10") + 800 * 86_400_000 }];
  for (const body of bad) expect((await desk.post("policies/dry-run", body)).body.code).toBe("refused");
  expect((await desk.post("policies/dry-run", { at: "03:10", busy: ["nobody"] })).status).toBe(404);
  for (const role of ["responder", "installer", "auditor"] as const) {
    await desk.logIn({ role });
    expect((await desk.get("policies")).status).toBe(403);
    expect((await desk.post("policies/dry-run", { at: "03:10" })).status).toBe(403);
  }
});
