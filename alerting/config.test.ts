import { describe, expect, test } from "vitest";
import { z } from "zod";
import { AlertingConfig } from "./config.ts";

const good = {
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: [
    { id: "patrol-1", name: "Patrull 1", phone: "+46701740601" },
    { id: "leader", name: "Gruppchef", phone: "+46701740603", language: "en" },
  ],
  policy: { steps: [{ responders: ["patrol-1"], waitSeconds: 120 }] },
  operators: ["leader"],
  intake: { token: "t".repeat(27) },
};

const shift = { id: "night", days: ["mon"], from: "21:30", to: "07:00", responders: ["patrol-1"] };
const rota = { id: "north", name: "Norr", shifts: [shift] };
const christmas = { date: "2026-12-24", name: "Julafton" };
const rotaIn = (raw: object, ofRota: object, ofShift: object = {}) =>
  Object.assign(raw, { rotas: [{ ...rota, shifts: [{ ...shift, ...ofShift }], ...ofRota }] });

function problemsOf(change: (raw: typeof good) => unknown): string[] {
  const raw = structuredClone(good);
  change(raw);
  const checked = AlertingConfig.safeParse(raw);
  return checked.success ? [] : checked.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
}

test("a good one, with its defaults", () => {
  expect(AlertingConfig.parse(good)).toMatchObject({
    http: { host: "127.0.0.1", port: 8080 },
    language: "sv",
    timeZone: "Europe/Stockholm",
    policy: { arriveWithinMinutes: 30 },
    spool: { maxBytes: 67_108_864 },
  });
});

describe("each problem is told where it is and with its mend", () => {
  test.each<[string, (raw: typeof good) => unknown, RegExp]>([
    ["a policy without steps", (raw) => (raw.policy.steps = []), /^policy\.steps: .*at least one step, such as/],
    [
      "a step without responders",
      (raw) => (raw.policy.steps[0]!.responders = []),
      /^policy\.steps\.0\.responders: name at least one/,
    ],
    [
      "an unknown responder",
      (raw) => (raw.policy.steps[0]!.responders = ["patrol-9"]),
      /^policy\.steps\.0\.responders\.0: .*known are patrol-1, leader/,
    ],
    ["an unknown operator", (raw) => (raw.operators = ["nobody"]), /^operators\.0: no responder has the id nobody/],
    ["no operator", (raw) => (raw.operators = []), /^operators: .*somebody must be told/],
    ["112", (raw) => (raw.responders[0]!.phone = "112"), /^responders\.0\.phone: .*never texted by machine/],
    ["113", (raw) => (raw.responders[0]!.phone = "113 00"), /never texted by machine/],
    ["1177", (raw) => (raw.responders[0]!.phone = "1177"), /never texted by machine/],
    ["112 from abroad", (raw) => (raw.responders[0]!.phone = "+46112"), /never texted by machine/],
    ["a national number", (raw) => (raw.responders[0]!.phone = "070-1740601"), /international form/],
    ["the example number", (raw) => (raw.responders[0]!.phone = "+46700000000"), /fill in the real one/],
    [
      "one phone twice",
      (raw) => (raw.responders[1]!.phone = raw.responders[0]!.phone),
      /^responders\.1\.phone: the same phone as patrol-1/,
    ],
    ["one id twice", (raw) => (raw.responders[1]!.id = "patrol-1"), /stands twice/],
    ["a name as sender", (raw) => (raw.twilio.from = "Fallvakt"), /^twilio\.from: a name cannot be answered/],
    ["our own number paged", (raw) => (raw.responders[0]!.phone = raw.twilio.from), /number that pages come from/],
    ["a name that no SMS holds", (raw) => (raw.responders[0]!.name = "Patrull ☎"), /letters an SMS can hold/],
    [
      "a public address that nobody outside reaches",
      (raw) => (raw.http.publicUrl = "http://192.168.1.5:8080"),
      /^http\.publicUrl: .*cannot reach this address/,
    ],
    [
      "a proxy by a name",
      (raw) => Object.assign(raw.http, { trustedProxies: ["10.0.3.0/24", "proxy.example.se"] }),
      /^http\.trustedProxies\.1: write a proxy's address or network/,
    ],
    [
      "everybody as a proxy",
      (raw) => Object.assign(raw.http, { trustedProxies: ["0.0.0.0/0"] }),
      /^http\.trustedProxies\.0: .*everybody/,
    ],
    ["a public address with a query", (raw) => (raw.http.publicUrl = "https://larm.example.se/?a=1"), /leave out/],
    [
      "a time zone that is none",
      (raw) => Object.assign(raw, { timeZone: "Stockholm" }),
      /^timeZone: .*Europe\/Stockholm/,
    ],
    [
      "no way in for gateways",
      (raw) => ((raw as { intake: object }).intake = {}),
      /^intake\.token: missing: give a token .*or alerting\.intake\.tls/,
    ],
    ["a short token", (raw) => (raw.intake.token = "x"), /^intake\.token: .*20 characters/],
    [
      "a rota with an unknown person",
      (raw) => rotaIn(raw, {}, { responders: ["patrol-1", "patrol-9"] }),
      /^rotas\.0\.shifts\.0\.responders\.1: no responder has the id patrol-9; known are patrol-1, leader/,
    ],
    [
      "somebody twice in a shift",
      (raw) => rotaIn(raw, {}, { responders: ["leader", "leader"] }),
      /^rotas\.0\.shifts\.0\.responders\.1: leader stands twice/,
    ],
    [
      "a shift without people",
      (raw) => rotaIn(raw, {}, { responders: [] }),
      /^rotas\.0\.shifts\.0\.responders: name at least one/,
    ],
    [
      "a shift name twice",
      (raw) => rotaIn(raw, { shifts: [shift, shift] }),
      /^rotas\.0\.shifts\.1\.id: night stands twice/,
    ],
    ["a rota twice", (raw) => Object.assign(raw, { rotas: [rota, rota] }), /^rotas\.1\.id: north stands twice/],
    [
      "a rota without shifts",
      (raw) => rotaIn(raw, { shifts: [] }),
      /^rotas\.0\.shifts: a rota needs at least one shift/,
    ],
    ["a shift without days", (raw) => rotaIn(raw, {}, { days: [] }), /^rotas\.0\.shifts\.0\.days: name the days/],
    [
      "a time that is none",
      (raw) => rotaIn(raw, {}, { to: "24:00" }),
      /^rotas\.0\.shifts\.0\.to: .*midnight at the end is "00:00"/,
    ],
    [
      "a week that never comes",
      (raw) => rotaIn(raw, { weeks: 2, anchor: "2026-01-05" }, { weeks: [1, 3] }),
      /^rotas\.0\.shifts\.0\.weeks: week 3 never comes.*after 2/,
    ],
    ["weeks without a beginning", (raw) => rotaIn(raw, { weeks: 4 }), /^rotas\.0\.weeks: .*which Monday week 1 begins/],
    [
      "weeks that begin on a Tuesday",
      (raw) => rotaIn(raw, { weeks: 4, anchor: "2026-01-06" }),
      /^rotas\.0\.anchor: 2026-01-06 is no Monday/,
    ],
    [
      "a date that is none",
      (raw) => rotaIn(raw, { weeks: 4, anchor: "2026-02-30" }),
      /^rotas\.0\.anchor: write a date/,
    ],
    [
      "a shift on holidays, of which there are none",
      (raw) => rotaIn(raw, {}, { days: ["day-before-holiday", "holiday"] }),
      /^rotas\.0\.shifts\.0\.days: never applies.*alerting\.holidays/,
    ],
    [
      "a holiday twice",
      (raw) => Object.assign(raw, { holidays: [christmas, christmas] }),
      /^holidays\.1\.date: 2026-12-24 stands twice/,
    ],
    ["a key that is none", (raw) => Object.assign(raw, { polcy: {} }), /polcy/],
  ])("%s", (_, change, expected) => {
    expect(problemsOf(change).join("\n")).toMatch(expected);
  });

  test("gaps in a rota are not refused, nor shifts of a holiday that is listed", () => {
    expect(problemsOf((raw) => rotaIn(raw, {}))).toEqual([]);
    const onHolidays = (raw: object) =>
      rotaIn(Object.assign(raw, { holidays: [christmas] }), {}, { days: ["holiday"] });
    expect(problemsOf(onHolidays)).toEqual([]);
  });

  test("a private address will do where the provider is simulated, and Norrköping is not 112", () => {
    expect(
      problemsOf((raw) => {
        Object.assign(raw.twilio, { baseUrl: "http://127.0.0.1:8690" });
        raw.http.publicUrl = "http://127.0.0.1:8080";
      }),
    ).toEqual([]);
    expect(problemsOf((raw) => (raw.responders[0]!.phone = "+46112345678"))).toEqual([]);
  });
});

test("every key is described", () => {
  const undescribed: string[] = [];
  const walk = (node: { description?: string; properties?: Record<string, object>; items?: object }, key: string) => {
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const path = key ? `${key}.${name}` : name;
      if (!("description" in child)) undescribed.push(path);
      walk(child, path);
    }
    if (node.items) walk(node.items, `${key}[]`);
  };
  walk(z.toJSONSchema(AlertingConfig, { io: "input" }) as Parameters<typeof walk>[0], "");
  expect(undescribed).toEqual([]);
});
