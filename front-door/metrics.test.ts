import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { alertingCounters } from "../alerting/counter-list.ts";
import { gatewayCounters } from "../gateway/counter-list.ts";
import { metricsPage } from "./metrics.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

test("docs/metrics.md describes every metric, as the lists have it", () => {
  expect(readFileSync(new URL("../docs/metrics.md", import.meta.url), "utf8")).toBe(metricsPage());
});

/** The product's own code of a folder, its list of counters and the console's page left out. */
function sourceOf(folder: string): string {
  return execFileSync("git", ["ls-files", "-co", "--exclude-standard", `${folder}/*.ts`], {
    cwd: root,
    encoding: "utf8",
  })
    .split("\n")
    .filter((path) => path && !/\.test\.ts$|counter-list\.ts$|console\/web\//.test(path))
    .map((path) => readFileSync(`${root}/${path}`, "utf8"))
    .join("\n");
}

const name = /^[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)+$/;

describe.each([
  { part: "gateway", list: gatewayCounters, others: ["detector", "firmware-contracts"] },
  { part: "alerting", list: alertingCounters, others: ["firmware-contracts"] },
])("$part's counters", ({ part, list, others }) => {
  const source = sourceOf(part);
  const words = new Set([source, ...others.map(sourceOf)].flatMap((text) => text.match(/(?<=")[^"\n]*(?=")/g) ?? []));
  /** What is handed to a counter: texts, and the beginnings of those that are put together. */
  const counted = [...source.matchAll(/\.(?:add|count)\(([^;]*?)\)/g)].map(([, handed]) => handed ?? "");
  const families = new Set(Object.keys(list).map((counter) => counter.split(".")[0]));
  const isCounter = (text: string) => name.test(text) && families.has(text.split(".")[0]);
  // Names that stand alone, to be counted later, are counters too where their first word says so.
  const whole = [...new Set(source.match(/(?<=")[^"\n]*(?=")/g))].filter(isCounter);
  const begun = counted.flatMap((handed) => [...handed.matchAll(/`([a-z.-]+\.)\$\{/g)].map(([, text]) => text ?? ""));

  test("whatever is counted is in the list", () => {
    expect(whole.length).toBeGreaterThan(10);
    expect(begun.length).toBeGreaterThan(3);
    expect(whole.filter((text) => !(text in list))).toEqual([]);
    const known = Object.keys(list);
    expect(begun.filter((text) => !known.some((one) => one.startsWith(text)))).toEqual([]);
  });

  test("whatever is in the list can be counted", () => {
    const isCounted = (counter: string) => {
      const rest = begun.filter((text) => counter.startsWith(text)).map((text) => counter.slice(text.length));
      return words.has(counter) || rest.some((text) => words.has(text));
    };
    expect(Object.keys(list).filter((counter) => !isCounted(counter))).toEqual([]);
  });
});
