import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { AlertingConfig } from "../config.ts";
import { createPlan } from "./shifts.ts";

test("the example of the README is a rota that covers everything: week, holidays, both switches of the clock", () => {
  const [, text = ""] =
    /```yaml\n([\s\S]*?)```/.exec(readFileSync(new URL("./README.md", import.meta.url), "utf8")) ?? [];
  const config = AlertingConfig.parse({
    http: { publicUrl: "https://larm.example.se" },
    twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
    policy: { steps: [{ responders: ["patrol-2"], waitSeconds: 120 }] },
    operators: ["day-car"],
    intake: { token: "t".repeat(27) },
    ...parse(text).alerting,
  });
  const [rota] = config.rotas;
  const plan = createPlan({ rota: rota!, holidays: config.holidays, changes: [], timeZone: config.timeZone });
  expect(plan.gapsBetween(Date.parse("2026-01-01T00:00Z"), Date.parse("2028-01-01T00:00Z"))).toEqual([]);
  expect(plan.onCallAt(Date.parse("2026-12-24T10:00+01:00"))).toEqual(["evening-car", "day-car"]);
  expect(plan.onCallAt(Date.parse("2026-12-25T02:00+01:00"))).toEqual(["patrol-2", "patrol-3"]);
});
