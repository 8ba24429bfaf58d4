import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { impact, lying, standing, switching, walking } from "../../synthetic-wearer.ts";
import { evaluate } from "../evaluate.ts";
import { judge, writeSet } from "../made-up-set.ts";
import { openAlbum } from "./album.ts";
import { escaped, ticks } from "./svg.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-album-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function draw(trials: Parameters<typeof writeSet>[1], score: number) {
  const album = join(await mkdtemp(join(folder, "album-")), "new");
  const set = await writeSet(folder, trials);
  const opened = await openAlbum(album);
  const classifier = judge(score);
  await evaluate([set, set], {
    classifier,
    onPart: (part, played) => opened.add(part, played, classifier.operatingPoints),
  });
  const { pictures } = await opened.close("<1>");
  const files = (await readdir(album)).filter((file) => file.endsWith(".svg")).sort();
  const read = (file: string) => readFile(join(album, file), "utf8");
  return { pictures, files, index: await read("index.html"), svg: (n: number) => read(files[n]!) };
}

/** Every element closed and every attribute quoted, as XML needs it. */
function wellFormed(xml: string): boolean {
  const open: string[] = [];
  for (const [, close, name, attributes, empty] of xml.matchAll(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi,
  )) {
    if (close) {
      if (open.pop() !== name) return false;
    } else if (!empty) open.push(name!);
    if (attributes?.includes("NaN")) return false;
  }
  const left = xml.replaceAll(/<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi, "");
  return open.length === 0 && !/[<>]|&(?!amp;|lt;|gt;|quot;|#39;)/.test(left);
}

describe("an album", () => {
  test("has one picture of each missed fall and each false alarm, and none of what went right", async () => {
    const fall = impact(10.3, 4, standing, lying);
    const { pictures, files, index, svg } = await draw(
      [
        { motion: fall, label: "fall", more: { id: "found" } },
        { motion: impact(20.3, 4, standing, lying), label: "fall", more: { id: "F1/elsewhere" } },
        { motion: standing, label: "adl", more: { id: "quiet" } },
        {
          motion: fall,
          label: "adl",
          more: { id: "wrong", activity: "D07", activityName: 'Sits down <hard> & "fast"' },
        },
      ],
      0.95,
    );
    // The set was given twice: files of the same name get a number.
    expect(pictures).toBe(6);
    expect(files).toEqual([
      "made-up_belt-F1_elsewhere-false_alarm-20s-2.svg",
      "made-up_belt-F1_elsewhere-false_alarm-20s.svg",
      "made-up_belt-F1_elsewhere-missed_fall-2.svg",
      "made-up_belt-F1_elsewhere-missed_fall.svg",
      "made-up_belt-wrong-false_alarm-10s-2.svg",
      "made-up_belt-wrong-false_alarm-10s.svg",
    ]);
    const wrong = await svg(5);
    expect(wellFormed(wrong)).toBe(true);
    for (const told of [
      "false alarm",
      "made-up/belt · wrong",
      "subject S1",
      "gate 1.45 g",
      "medium 0.50",
      "strong 0.90",
      ">0.95<",
      "alarm: strong",
    ])
      expect(wrong).toContain(told);
    expect(wrong).toContain("Sits down &lt;hard&gt; &amp; &quot;fast&quot;");
    const missed = await svg(3);
    expect(wellFormed(missed)).toBe(true);
    expect(missed).toContain("labelled fall");
    expect(missed).toContain("Nothing in the labelled span opened the gate");
    for (const file of files) expect(index).toContain(`src="${file}"`);
    expect(index).toContain("2 missed falls, 4 false alarms");
    expect(index).toContain("Model &lt;1&gt;");
    expect(index).toContain("D07 · Sits down &lt;hard&gt;");
    expect(index).not.toContain("found");
  });

  test("tells why a fall was missed, and where a recording ends before its alarm", async () => {
    const walked = switching(12, impact(10.3, 4, standing, lying), walking);
    const dismissed = await draw([{ motion: walked, label: "fall", more: { samples: 2000 } }], 0.6);
    expect(await dismissed.svg(0)).toContain("Score 0.60, dismissed: walking was seen afterwards");
    const low = await draw([{ motion: impact(10.3, 4, standing, lying), label: "fall" }], 0.3);
    expect(await low.svg(0)).toContain("Score 0.30, below medium (0.50)");
    const silent = await draw([{ motion: impact(28, 4, standing, lying), label: "adl" }], 0.6);
    expect(await silent.svg(0)).toContain("recording ends: silence");
  });

  test("of a long recording shows what lies around the alarm", async () => {
    const { svg } = await draw(
      [{ motion: impact(300, 4, standing, lying), label: "adl", more: { samples: 20_000 } }],
      0.95,
    );
    const picture = await svg(0);
    expect(wellFormed(picture)).toBe(true);
    expect(picture).toContain(">300<");
    expect(picture).not.toContain(">100<");
    expect(picture.length).toBeLessThan(80_000);
  });
});

test("ticks are round numbers within the range", () => {
  expect(ticks(0, 4, 5)).toEqual([0, 1, 2, 3, 4]);
  expect(ticks(281, 340, 12)).toEqual([285, 290, 295, 300, 305, 310, 315, 320, 325, 330, 335, 340]);
  expect(escaped(`<a b="1">'&`)).toBe("&lt;a b=&quot;1&quot;&gt;&#39;&amp;");
});
