import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRotaDesk } from "../../../test/console/rota-desk.ts";
import type { RotaView, RotaWeek } from "./api.ts";

const hourMs = 3_600_000;
const at = (time: string, day = "27") => Date.parse(`2026-11-${day}T${time}+01:00`);
const people = ["patrol-2", "patrol-3", "patrol-4", "leader"];
const everyDay = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const settings = {
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: people.map((id, i) => ({ id, name: `Telefon ${id}`, phone: `+4670174060${i + 1}` })),
  policy: { steps: [{ rotas: ["syd"], waitSeconds: 120 }] },
  operators: ["leader"],
  intake: { token: "t".repeat(27) },
  rotas: [
    {
      id: "syd",
      name: "Syd",
      unit: "Gustavsberg",
      shifts: [
        { id: "day", name: "Dag", days: [...everyDay], from: "07:00", to: "21:30", responders: ["patrol-2"] },
        // Nobody from Saturday evening to Sunday morning.
        {
          id: "night",
          name: "Natt",
          days: [...everyDay.slice(0, 5), "sun" as const],
          from: "21:30",
          to: "07:00",
          responders: ["patrol-2", "patrol-3"],
        },
      ],
    },
    {
      id: "nord",
      name: "Nord",
      unit: "Hemmesta",
      shifts: [{ id: "all", days: [...everyDay], from: "00:00", to: "00:00", responders: ["patrol-4"] }],
    },
    {
      id: "all",
      name: "Alla",
      shifts: [{ id: "all", days: [...everyDay], from: "00:00", to: "00:00", responders: ["leader"] }],
    },
  ],
};

let desk: Awaited<ReturnType<typeof openRotaDesk>>;
beforeEach(async () => {
  // Friday night, half an hour into the shift.
  desk = await openRotaDesk(settings, at("22:00"));
  await desk.logIn();
});
afterEach(() => desk.close());

const week = async (query = "") => (await desk.get(`rotas${query}`)).body as RotaWeek;
const syd = async (query = "") => (await week(query)).rotas.find(({ id }) => id === "syd") as RotaView;

test("a week by day, with who is on call, where nobody is, the hours of the clock on the wall, and what is wrong", async () => {
  const all = await week();
  expect(all).toMatchObject({ week: "2026-W48", previous: "2026-W47", next: "2026-W49", current: "2026-W48" });
  expect(all.now).toEqual({ at: at("22:00"), date: "2026-11-27", time: "22:00", twice: null });
  expect(all.days.map(({ date, hours }) => [date, hours.length])[6]).toEqual(["2026-11-29", 24]);
  const { days, faults, onCall } = await syd();
  const saturday = days[5]!.filter(({ continues }) => !continues);
  expect(saturday.map((row) => [row.from.time, row.until.time, row.shift?.name ?? null, row.responders])).toEqual([
    ["07:00", "21:30", "Dag", ["patrol-2"]],
    ["21:30", "00:00", null, []],
  ]);
  expect(faults.map(({ kind }) => kind)).toEqual(["gap", "pattern-gap"]);
  expect(faults[0]).toMatchObject({
    from: { date: "2026-11-28", time: "21:30" },
    until: { date: "2026-11-29", time: "07:00" },
  });
  expect(onCall).toMatchObject([
    { responderId: "patrol-2", signOn: "not-asked", until: { time: "07:00" } },
    { responderId: "patrol-3", signOn: "not-asked" },
  ]);
});

test("the night on which the clock is put back has 25 hours, and says which of the two hours is meant", async () => {
  desk.setClock(Date.parse("2027-10-25T12:00+02:00"));
  const sunday = (await week("?week=2027-W43")).days[6]!;
  expect([sunday.clock, sunday.hours.length]).toEqual(["back", 25]);
  expect(sunday.hours.slice(1, 5).map(({ time, twice }) => [time, twice])).toEqual([
    ["01:00", null],
    ["02:00", "first"],
    ["02:00", "second"],
    ["03:00", null],
  ]);
});

describe("a phone that is not there", () => {
  test("that gets no texts turns the rota red, wherever it is on call within a week", async () => {
    desk.staff.contact({ responderId: "patrol-3", lost: "21610", phone: "x" }, at("21:50"));
    expect((await week()).people.find(({ id }) => id === "patrol-3")?.getsTexts).toBe(false);
    expect((await syd()).faults).toContainEqual(
      expect.objectContaining({
        kind: "no-texts",
        responderId: "patrol-3",
        since: expect.objectContaining({ time: "21:50" }),
      }),
    );
    const instead = { kind: "override", mode: "instead", until: at("23:00"), responders: ["patrol-3"] };
    const { warnings } = (await desk.post("rotas/syd/preview", { change: instead })).body;
    // Was on call before the change too.
    expect(warnings).toEqual([]);
    const over = {
      kind: "override",
      mode: "instead",
      until: at("08:00", "30"),
      from: at("07:30", "30"),
      responders: ["patrol-3"],
    };
    expect((await desk.post("rotas/syd/preview", { change: over })).body.warnings).toEqual([
      { kind: "no-texts", responderId: "patrol-3" },
    ]);
  });

  test("whose test alarm was not answered is told, until it signs on", async () => {
    const stint = { rotaIds: ["syd"], responderId: "patrol-3", startsAt: at("21:30") };
    await desk.rotas.missed(stint);
    expect((await syd()).faults.map(({ kind }) => kind)).toContain("not-answered");
    expect((await syd()).onCall.at(-1)).toMatchObject({ responderId: "patrol-3", signOn: "not-answered" });
    await desk.rotas.signedOn(stint, "sms");
    expect((await syd()).faults.map(({ kind }) => kind)).not.toContain("not-answered");
  });
});

describe("changes", () => {
  const takeOver = {
    kind: "hand-over",
    from: "patrol-2",
    to: "patrol-4",
    at: "2026-11-27T23:00",
    until: "2026-11-28T02:00",
  };

  test("a part of a shift is taken over: first shown, then made, marked with who made it, and in the audit log by account", async () => {
    const before = desk.kept();
    const preview = await desk.post("rotas/syd/preview", { change: takeOver });
    expect(preview.body).toMatchObject({
      from: { time: "23:00" },
      until: { date: "2026-11-28", time: "02:00" },
      before: [{ responders: ["patrol-2", "patrol-3"] }],
      after: [{ responders: ["patrol-4", "patrol-3"] }],
      gaps: [],
      warnings: [{ kind: "also-on-call", responderId: "patrol-4", rota: "Nord" }],
    });
    expect(desk.kept()).toBe(before);
    const made = await desk.post("rotas/syd/changes", { change: takeOver });
    expect(made).toMatchObject({ status: 200, body: { change: 1 } });
    const { days, changes } = await syd();
    expect(days[4]!.filter(({ changes: of }) => of.includes(1))).toMatchObject([
      { from: { time: "23:00" }, until: { time: "02:00" }, responders: ["patrol-4", "patrol-3"] },
    ]);
    expect(changes).toMatchObject([
      {
        id: 1,
        madeBy: "eva",
        state: "ahead",
        what: { kind: "hand-over", shift: "Natt", out: "patrol-2", in: "patrol-4" },
      },
    ]);
    expect(desk.rotas.onCall("syd", at("01:00", "28"))).toEqual(["patrol-4", "patrol-3"]);
    // Taken back before it begins, it never was.
    expect((await desk.post("rotas/syd/changes/1/withdraw", {})).status).toBe(200);
    expect((await syd()).changes).toMatchObject([{ id: 1, state: "withdrawn" }]);
    expect(desk.rotas.onCall("syd", at("01:00", "28"))).toEqual(["patrol-2", "patrol-3"]);
    const acts = (await desk.store.audit.entries("acts", 0, 10)).map(({ act }) => [act?.act, act?.by, act?.via]);
    expect(acts).toEqual([
      ["rota-changed", "eva", "console"],
      ["rota-change-withdrawn", "eva", "console"],
    ]);
  });

  test("two shifts are swapped, and both say so", async () => {
    const shifts = [
      { shiftId: "night", startsAt: at("21:30", "29") },
      { shiftId: "day", startsAt: at("07:00", "28") },
    ];
    expect((await desk.post("rotas/syd/changes", { change: { kind: "swap", shifts } })).status).toBe(200);
    const swapped = (await syd()).days.flat().filter(({ changes, continues }) => changes.length > 0 && !continues);
    expect(swapped.map(({ shift, responders }) => [shift?.name, responders])).toEqual([
      ["Dag", ["patrol-2", "patrol-3"]],
      ["Natt", ["patrol-2"]],
    ]);
    const begun = [{ shiftId: "night", startsAt: at("21:30") }, shifts[1]];
    expect(await desk.post("rotas/syd/changes", { change: { kind: "swap", shifts: begun } })).toMatchObject({
      status: 422,
      body: { code: "refused", detail: expect.stringMatching(/has begun/) },
    });
  });

  test("what would leave nobody on call is refused until it is said that this is meant", async () => {
    const fill = {
      kind: "override",
      mode: "also",
      from: "2026-11-28 21:30",
      until: "2026-11-29 07:00",
      responders: ["leader"],
    };
    expect((await desk.post("rotas/syd/changes", { change: fill })).status).toBe(200);
    expect((await syd()).faults.map(({ kind }) => kind)).toEqual(["pattern-gap"]);
    const preview = await desk.post("rotas/syd/preview", { change: { kind: "withdrawal", withdraws: 1 } });
    expect(preview.body.gaps).toMatchObject([{ from: { time: "21:30" }, until: { time: "07:00" } }]);
    expect(await desk.post("rotas/syd/changes/1/withdraw", {})).toMatchObject({
      status: 409,
      body: { code: "makes-gap" },
    });
    expect((await syd()).changes).toMatchObject([{ state: "ahead" }]);
    expect((await desk.post("rotas/syd/changes/1/withdraw", { acceptGaps: true })).status).toBe(200);
    expect((await syd()).faults.map(({ kind }) => kind)).toEqual(["gap", "pattern-gap"]);
  });

  test("one that runs is ended from now on, and what has been stays", async () => {
    await desk.post("rotas/syd/changes", {
      change: { kind: "override", mode: "instead", until: at("06:00", "28"), responders: ["leader"] },
    });
    desk.setClock(at("22:00") + hourMs);
    expect((await syd()).changes).toMatchObject([{ state: "running" }]);
    await desk.post("rotas/syd/changes/1/withdraw", {});
    expect((await syd()).changes).toMatchObject([{ state: "over", until: { time: "23:00" } }]);
    expect(desk.rotas.plan("syd").onCallAt(at("22:30"))).toEqual(["leader"]);
    // A number of another rota is none of this one's.
    expect((await desk.post("rotas/all/changes/1/withdraw", {})).body).toMatchObject({ code: "refused" });
  });
});

describe("who may", () => {
  const change = { kind: "override", mode: "also", until: at("06:00", "28"), responders: ["leader"] };

  test("a responder sees the rotas of their units and those for all, looks at a change, and makes none", async () => {
    await desk.logIn({ name: "Rut", role: "responder", units: ["Gustavsberg"] });
    const { rotas } = await week();
    expect(rotas.map(({ id, mayChange }) => [id, mayChange])).toEqual([
      ["syd", false],
      ["all", false],
    ]);
    expect((await desk.post("rotas/syd/preview", { change })).status).toBe(200);
    expect(await desk.post("rotas/syd/changes", { change })).toMatchObject({
      status: 403,
      body: { code: "not-allowed" },
    });
    expect((await desk.post("rotas/syd/changes/1/withdraw", {})).status).toBe(403);
  });

  test("another unit's rota answers as one that is not there, whatever is asked of it", async () => {
    await desk.logIn({ name: "Bo", role: "manager", units: ["Hemmesta"] });
    const answers = async (id: string) => [
      await desk.post(`rotas/${id}/preview`, { change }),
      await desk.post(`rotas/${id}/changes`, { change }),
      await desk.post(`rotas/${id}/changes/1/withdraw`, {}),
      await desk.get(`rotas/${id}/calendar`).then(({ status, body }) => ({ status, body })),
    ];
    expect(await answers("syd")).toEqual(await answers("no-such-rota"));
    expect((await answers("syd")).map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect((await week()).rotas.map(({ id, mayChange }) => [id, mayChange])).toEqual([
      ["nord", true],
      ["all", false],
    ]);
    // It would change every unit's.
    expect((await desk.post("rotas/all/changes", { change })).status).toBe(403);
    expect((await desk.post("rotas/nord/changes", { change })).status).toBe(200);
  });

  test("an installer and an auditor see none, and nobody does without a login", async () => {
    for (const role of ["installer", "auditor"] as const) {
      await desk.logIn({ role });
      expect((await desk.get("rotas")).status).toBe(403);
      expect((await desk.post("rotas/syd/preview", { change })).status).toBe(403);
    }
    desk.logOut();
    expect((await desk.get("rotas")).status).toBe(401);
    expect((await desk.get("rotas/syd/calendar")).status).toBe(401);
    expect((await desk.post("rotas/syd/changes", { change })).status).toBe(401);
  });
});

test("the calendar is a file for whoever is logged in, of one rota or one person, with names and no phone numbers", async () => {
  const { status, type, text } = await desk.get("rotas/syd/calendar?language=sv");
  expect([status, type]).toEqual([200, "text/calendar; charset=utf-8"]);
  expect(text).toContain("SUMMARY:Natt: Telefon patrol-2\\, Telefon patrol-3");
  expect(text).not.toMatch(/\+467/);
  const own = (await desk.get("rotas/syd/calendar?person=patrol-3")).text;
  expect(own).toContain("SUMMARY:Natt: Syd");
  expect(own).not.toContain("Dag");
  expect((await desk.get("rotas/syd/calendar?person=nobody")).status).toBe(404);
});

test("a week that is none, and one too far away, are refused in words", async () => {
  expect((await desk.get("rotas?week=2026-W99")).body).toMatchObject({
    code: "invalid",
    detail: expect.stringMatching(/no week/),
  });
  expect((await desk.get("rotas?week=2031-W01")).status).toBe(400);
});
