import { expect, test } from "vitest";
import type { EvidenceScores, EvidenceWindow } from "../../../../firmware-contracts/detection.ts";
import { generatedEvidence } from "../../../../test/console/generated-board.ts";
import { highestScore, scoresBySecond, secondsOf, spansOf } from "./movement.ts";

const picture = generatedEvidence().window!;
const of = (what: string, window: EvidenceWindow) => spansOf(window).filter((span) => span.what === what);

test("nearly weightless on the way down, still once the rebound is over", () => {
  const [dip, another] = of("weightless", picture);
  expect(another).toBeUndefined();
  // The recording falls freely from −0.35 s.
  expect(dip!.from).toBeCloseTo(-0.34, 1);
  expect(dip!.to).toBeCloseTo(0, 1);
  expect(of("still", picture)).toEqual([{ what: "still", from: 2.5, to: 6 }]);
  expect(of("gap", picture)).toEqual([]);
});

test("whoever moves is not still, and a gap is neither still nor weightless", () => {
  const at = (seconds: number) => Math.round(((seconds * 1000 - picture.startMs) * picture.rateHz) / 1000);
  const moving = {
    ...picture,
    x: picture.x.map((value, index) => (index >= at(4) && index < at(4.5) ? index * 40 : value)),
  };
  expect(of("still", moving)).toEqual([
    { what: "still", from: 2.5, to: 4 },
    { what: "still", from: 4.5, to: 6 },
  ]);
  const gone = { ...picture, y: picture.y.map((value, index) => (index >= at(3) && index < at(5) ? null : value)) };
  expect(of("gap", gone)).toEqual([{ what: "gap", from: 3, to: 5 }]);
  expect(of("still", gone)).toEqual([
    { what: "still", from: 2.5, to: 3 },
    { what: "still", from: 5, to: 6 },
  ]);
});

test("a table for whoever cannot see the picture: each second, with what is not known", () => {
  const cut = { ...picture, z: picture.z.map((value, index) => (index >= 450 ? null : value)) };
  const rows = secondsOf(cut);
  expect(rows.map(({ second }) => second)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4, 5]);
  expect(rows.at(-1)).toEqual({ second: 5, least: null, most: null });
  const [most] = rows.toSorted((a, b) => (b.most ?? 0) - (a.most ?? 0));
  expect(most!.second).toBe(0);
  expect(rows[3]!.least).toBeLessThan(0.5);
});

test("each second of the table has its highest score, and the highest of all is told with its moment; what is unknown is none", () => {
  const values = [null, 0.1, 0.7, 0.2, 0.9, 0.4];
  const scores: EvidenceScores = { startMs: -500, stepMs: 250, values, judgedMs: 0, medium: 0.4, strong: 0.8 };
  expect(highestScore(scores)).toEqual({ score: 0.9, at: 0.5 });
  expect(scoresBySecond(scores)).toEqual([
    { second: -1, score: 0.1 },
    { second: 0, score: 0.9 },
  ]);
  expect(scoresBySecond({ ...scores, values: [null, null, 0.2] })[0]).toEqual({ second: -1, score: null });
  expect(highestScore({ ...scores, values: [null] })).toEqual({ score: 0, at: 0 });
});
