import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pointOf } from "./points.ts";
import { sampleEvents } from "./sample-events.ts";

const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
const points = sampleEvents.map(pointOf);

const namesIn = (cell: string) => [...cell.replaceAll(/\([^)]*\)/g, "").matchAll(/`([^`]+)`/g)].map(([, name]) => name);
const sorted = (names: Iterable<string | undefined>) => [...new Set(names)].sort();

test("the README's table has every measurement, tag and field that there can be, and no other", () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)];
  const documented = Object.fromEntries(
    rows.map(([, name = "", , tags = "", fields = ""]) => [
      name,
      { tags: sorted(namesIn(tags)), fields: sorted(namesIn(fields)) },
    ]),
  );
  const made = Object.fromEntries(
    Object.entries(Object.groupBy(points, ({ measurement }) => measurement)).map(([name, same = []]) => [
      name,
      {
        tags: sorted(same.flatMap(({ tags }) => Object.keys(tags))),
        fields: sorted(same.flatMap(({ fields }) => Object.keys(fields))),
      },
    ]),
  );
  expect(documented).toEqual(made);
});

test("the README names what can happen to an episode", () => {
  const [, list = ""] = /^`what` of `episode` is one of: (.*)\.$/m.exec(readme) ?? [];
  const made = points.filter(({ measurement }) => measurement === "episode").map(({ tags }) => tags.what);
  expect(sorted(namesIn(list))).toEqual(sorted(made));
});

test("a sample leaves nothing out: each event has a value for whatever can be null", () => {
  for (const event of sampleEvents) expect(Object.values(event), event.type).not.toContain(null);
});

test("a point holds no name, no number to call and no text", () => {
  const sent = points.find(({ measurement }) => measurement === "attempt");
  expect(sent).toMatchObject({
    tags: { responder: "patrol-1", purpose: "alarm", result: "permanent", reason: "21614" },
    fields: { page: "e1.1", episode: "e1", tries: 1, waited_ms: 20 },
  });
  expect(JSON.stringify(points)).not.toMatch(/\+46|Patrull|LARM|Gustavsberg/);
});
