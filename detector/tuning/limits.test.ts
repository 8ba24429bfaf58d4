import { expect, test } from "vitest";
import { type ModelCard, readCard, ModelCard as Schema } from "../classifier/card.ts";
import { thresholdLimits } from "./limits.ts";

const shipped = await readCard();
const { medium } = shipped.operatingPoints.wrist.wide;
const withBank = (wide: [number, number][], more: Partial<ModelCard["operatingPoints"]> = {}): ModelCard => ({
  ...shipped,
  operatingPoints: { ...shipped.operatingPoints, ...more },
  bank: { wrist: { wide } },
});

test("without a bank nothing rises above the model's own medium", () => {
  expect(thresholdLimits({ ...shipped, bank: undefined }, "wrist", "wide")).toEqual({
    least: 0.02,
    most: medium,
    by: "medium-without-bank",
    keeps97: null,
  });
});

test("with one, up to where 97 % of the falls are kept: the quantile of 3 %, or the next smaller one that is there", () => {
  const bank: [number, number][] = [
    [0.01, 0.86],
    [0.03, 0.9],
    [0.05, 0.95],
  ];
  expect(thresholdLimits(withBank(bank), "wrist", "wide")).toMatchObject({ most: 0.9, by: "bank", keeps97: 0.9 });
  const without = bank.filter(([share]) => share !== 0.03);
  expect(thresholdLimits(withBank(without), "wrist", "wide")).toMatchObject({ most: 0.86, by: "bank" });
});

test("where the model's own medium is higher than that, no higher than the medium", () => {
  expect(thresholdLimits(withBank([[0.03, 0.4]]), "wrist", "wide")).toMatchObject({
    most: medium,
    by: "medium-above-bank",
    keeps97: 0.4,
  });
});

test("a bank that begins above 3 %, and another place or range, is none", () => {
  expect(thresholdLimits(withBank([[0.05, 0.95]]), "wrist", "wide").by).toBe("medium-without-bank");
  expect(thresholdLimits(withBank([[0.03, 0.95]]), "wrist", "2g").by).toBe("medium-without-bank");
  expect(thresholdLimits(withBank([[0.03, 0.95]]), "waist", "wide").by).toBe("medium-without-bank");
});

test("never above what any device may have", () => {
  const point = { medium: 0.99, strong: 0.995 };
  const card = withBank([[0.03, 0.985]], { wrist: { "2g": point, wide: point } });
  expect(thresholdLimits(card, "wrist", "wide")).toMatchObject({ most: 0.98, by: "most-of-all" });
});

test("a card holds a bank or none; one that is no list of shares and scores is refused", () => {
  const { bank: _, ...without } = shipped;
  expect(Schema.parse(without).bank).toBeUndefined();
  expect(Schema.parse(withBank([[0.03, 0.5]])).bank?.wrist?.wide).toEqual([[0.03, 0.5]]);
  for (const wrong of [[[0, 0.5]], [[0.03, 1.5]], [[0.03]], [], [0.4, 0.5]]) {
    expect(Schema.safeParse({ ...without, bank: { wrist: { wide: wrong } } }).success).toBe(false);
  }
});
