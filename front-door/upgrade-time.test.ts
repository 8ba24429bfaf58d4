import { expect, test } from "vitest";
import { whyNotNow } from "./upgrade-time.ts";

const zone = "Europe/Stockholm";
const at = (text: string) => whyNotNow(Date.parse(text), zone, ["2026-12-24"]);

test("an upgrade begins on weekdays from 07 until 16, in local time, summer and winter", () => {
  expect(at("2026-11-27T06:59:59+01:00")).toMatch(/between 16 and 07 \(Fri 06:59/);
  expect(at("2026-11-27T07:00:00+01:00")).toBeNull();
  expect(at("2026-11-27T15:59:59+01:00")).toBeNull();
  expect(at("2026-11-27T16:00:00+01:00")).toMatch(/between 16 and 07/);
  expect(at("2026-11-27T00:00:00+01:00")).toMatch(/between 16 and 07 \(Fri 00:00/);
  expect(at("2026-07-01T05:00:00Z")).toBeNull();
  expect(at("2026-07-01T14:00:00Z")).toMatch(/between 16 and 07/);
});

test("not on weekends, which begin and end at local midnight, and not on holidays", () => {
  expect(at("2026-11-28T10:00:00+01:00")).toMatch(/weekend \(Sat 10:00/);
  expect(at("2026-11-29T10:00:00+01:00")).toMatch(/weekend/);
  expect(at("2026-11-27T23:30:00Z")).toMatch(/weekend/);
  expect(at("2026-11-30T10:00:00+01:00")).toBeNull();
  expect(at("2026-12-24T10:00:00+01:00")).toMatch(/2026-12-24 is a holiday/);
});
