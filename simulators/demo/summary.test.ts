import { expect, test } from "vitest";
import type { Trial } from "../../firmware-contracts/recordings/format.ts";
import { impactInTrial, type PlayedTrial, quantile, type SeenDetection, summarise } from "./summary.ts";

const trial = (label: "fall" | "adl", extra: Partial<Trial> = {}): Trial => ({
  part: "wrist",
  offset: 0,
  samples: 500,
  rateHz: 50,
  id: "t",
  subject: "s",
  activity: "a",
  label,
  peakS: 5.5,
  ...extra,
});

function played(deviceId: string, of: Trial): PlayedTrial {
  const frames = Array.from({ length: 10 }, (_, i) => ({
    bootId: 1,
    sequence: i,
    startSample: i * 50,
    sampleCount: 50,
  }));
  return { deviceId, trial: of, startedAt: 100_000, frames };
}

const seen = (deviceId: string, sequence: number, impactAt: number, episodeId: string): SeenDetection => ({
  id: `${deviceId}.1.${sequence}.fall`,
  deviceId,
  bootId: 1,
  sequence,
  impactAt,
  episodeId,
});

test("an impact's time is kept inside the frame it lies in", () => {
  const one = played("d1", trial("fall"));
  expect(impactInTrial(one, seen("d1", 5, 105_500, "e"))).toBe(5.5);
  expect(impactInTrial(one, seen("d1", 5, 109_000, "e"))).toBe(6);
  expect(impactInTrial(one, seen("d1", 99, 105_500, "e"))).toBeNull();
});

test("counts falls found, false alarms, pages and what is lost", () => {
  const summary = summarise({
    played: [played("d1", trial("fall")), played("d2", trial("fall")), played("d3", trial("adl"))],
    detections: [seen("d1", 5, 105_500, "e1"), seen("d1", 9, 109_500, "e1"), seen("d3", 2, 102_000, "e3")],
    episodes: [
      { id: "e1", taken: true },
      { id: "e3", taken: false },
    ],
    pages: [
      { episodeId: "e1", at: 110_000 },
      { episodeId: "e1", at: 108_500 },
      { episodeId: "e3", at: 104_000 },
    ],
    expected: [
      { deviceId: "d1", impactAt: 105_500 },
      { deviceId: "d2", impactAt: 105_500 },
    ],
    eventsLogged: 7,
  });
  expect(summary).toEqual({
    falls: { labelled: 2, alarmed: 1 },
    falseAlarms: 2,
    pages: 3,
    acknowledged: 1,
    impactToSmsSeconds: { median: 3, p95: 3 },
    eventsLogged: 7,
    lost: 1,
  });
});

test("a second detection outside the labelled span is a false alarm", () => {
  const summary = summarise({
    played: [played("d1", trial("fall", { peakS: 1 }))],
    detections: [seen("d1", 1, 101_000, "e1"), seen("d1", 9, 109_500, "e1")],
    episodes: [],
    pages: [],
    expected: [],
    eventsLogged: 0,
  });
  expect(summary.falls.alarmed).toBe(1);
  expect(summary.falseAlarms).toBe(1);
});

test("quantiles by nearest rank, and none of nothing", () => {
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([1, 2, 3, 4], 0.95)).toBe(4);
});
