import { describe, expect, test } from "vitest";
import { zoneOf } from "./rota/local-time.ts";
import { judge, linksOf, nothingSeen, type Seen } from "./self-test.ts";
import { nextOf } from "./set-times.ts";

const limits = { connect: 15, acknowledged: 15, detected: 8, intake: 30, paged: 30, delivered: 60 };
const begunAt = Date.UTC(2026, 10, 24, 9, 5);
const secondsOn = (seconds: number) => begunAt + seconds * 1000;
const seen = (more: Partial<Seen>): Seen => ({ begunAt, ...nothingSeen, ...more });
const held = { links: { connect: 20, acknowledged: 30, detected: 400 } };

describe("which link it was", () => {
  const all = seen({
    report: held,
    reportAt: secondsOn(2),
    detectedAt: secondsOn(2),
    intakeAt: secondsOn(3),
    pagedAt: secondsOn(4),
    deliveredAt: secondsOn(6),
  });

  test("all held, each with its time", () => {
    expect(judge({ limits }, all, secondsOn(6))).toEqual({ failed: null, detail: null });
    expect(linksOf(all)).toEqual({
      connect: 20,
      acknowledged: 30,
      detected: 400,
      intake: 1000,
      paged: 1000,
      delivered: 2000,
    });
  });

  test.each([
    ["nothing at all", seen({}), 83, "intake"],
    ["the gateway's own", seen({ report: { links: {}, failed: "connect" }, reportAt: secondsOn(5) }), 0, "connect"],
    ["detected, and it does not come", seen({ report: held, reportAt: secondsOn(5) }), 35, "intake"],
    [
      "it comes too late",
      seen({ report: held, reportAt: secondsOn(2), detectedAt: secondsOn(2), intakeAt: secondsOn(40) }),
      0,
      "intake",
    ],
    ["the provider says nothing", seen({ detectedAt: secondsOn(2), intakeAt: secondsOn(3) }), 33, "paged"],
    ["the provider refuses", seen({ intakeAt: secondsOn(3), refusal: { link: "paged", detail: "21211" } }), 3, "paged"],
    ["no receipt", seen({ intakeAt: secondsOn(3), pagedAt: secondsOn(4) }), 64, "delivered"],
    [
      "slow at the gateway, and all else well",
      { ...all, report: { links: {}, failed: "detected" as const } },
      6,
      "detected",
    ],
  ])("%s: not before its limit, and named", (_, state, seconds, link) => {
    expect(judge({ limits }, state, secondsOn(seconds + 1))?.failed).toBe(link);
    if (seconds > 10) expect(judge({ limits }, state, secondsOn(seconds - 1))).toBeNull();
  });

  test("the report may be the last to come", () => {
    const without = { ...all, report: null, reportAt: null };
    expect(judge({ limits }, without, secondsOn(7))).toBeNull();
    expect(judge({ limits }, without, secondsOn(37))).toEqual({ failed: null, detail: null });
  });
});

describe("set times", () => {
  const zone = zoneOf("Europe/Stockholm");
  const at = (text: string) => Date.parse(text);

  test("the next of a day, and of the day after; across the nights on which clocks are put", () => {
    expect(nextOf(["10:05", "21:40"], zone, at("2026-11-24T08:00Z"))).toBe(at("2026-11-24T09:05Z"));
    expect(nextOf(["10:05", "21:40"], zone, at("2026-11-24T09:05Z"))).toBe(at("2026-11-24T20:40Z"));
    expect(nextOf(["10:05"], zone, at("2026-11-24T09:05Z"))).toBe(at("2026-11-25T09:05Z"));
    expect(nextOf(["10:00"], zone, at("2026-10-24T12:00Z"))).toBe(at("2026-10-25T09:00Z"));
    expect(nextOf(["10:00"], zone, at("2027-03-27T12:00Z"))).toBe(at("2027-03-28T08:00Z"));
    expect(nextOf([], zone, 0)).toBeNull();
  });
});
