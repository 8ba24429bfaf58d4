import { expect, test } from "vitest";
import { matching } from "./search.ts";

test("the very key first, then keys that begin so, then those that hold it", () => {
  const keys = ["138", "380", "38", "57", "A38"];
  const found = (typed: string) =>
    matching(
      keys.map((key) => ({ key })),
      typed,
    ).map(({ key }) => key);
  expect(found(" 38 ")).toEqual(["38", "380", "138", "A38"]);
  expect(found("a3")).toEqual(["A38"]);
  expect(found("")).toEqual(keys);
  expect(found("9")).toEqual([]);
});
