import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { forbiddenIn, medicalWords } from "../alerting/messages/forbidden-words.ts";
import { sampleTexts } from "../alerting/messages/samples.ts";

const run = promisify(execFile);
const script = new URL("../fallvakt.ts", import.meta.url).pathname;
const root = new URL("..", import.meta.url).pathname;
const preview = async (...flags: string[]) =>
  (await run(process.execPath, [script, "messages", "preview", ...flags], { env: { ...process.env, NO_COLOR: "1" } }))
    .stdout;

interface Row {
  kind: string;
  when: string;
  language: "sv" | "en";
  length: number;
  text: string;
}

describe("fallvakt messages preview", () => {
  test("shows each kind of text in both languages, in the order of an alarm, with its length", async () => {
    const rows = JSON.parse(await preview("--json")) as Row[];
    const kinds = new Set(sampleTexts("small").map(({ kind }) => kind));
    for (const language of ["sv", "en"] as const) {
      const own = rows.filter((row) => row.language === language);
      expect(new Set(own.map(({ kind }) => kind))).toEqual(kinds);
      const places = ["alarm", "taken", "arrived", "closed", "already-closed"].map((kind) =>
        own.findIndex((row) => row.kind === kind),
      );
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
    const text =
      "LARM FALL 274. Nyckel 38, Gustavsberg syd, badrum. Hårt fall 03.12, stilla sedan dess. Svara 274 T = tar larmet, 274 N = kan inte.";
    expect(rows.find((row) => row.text === text)).toMatchObject({ kind: "alarm", language: "sv", length: 130 });
  });

  test("with the longest of everything each still fits", async () => {
    const rows = JSON.parse(await preview("--json", "--longest")) as Row[];
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(160);
    // The worst of each: one line for each kind and language.
    expect(new Set(rows.map(({ kind, language }) => kind + language)).size).toBe(rows.length);
    const alarm = rows.find(({ kind, language }) => kind === "alarm" && language === "sv");
    expect(alarm?.length).toBeGreaterThan(140);
  });

  test("for a reader: the length before each text, of the language that was asked for", async () => {
    const shown = await preview("--language", "en");
    expect(shown).toMatch(/^alarm: to whoever is called out alarm\n {1}\d{3} {2}en {2}ALARM FALL 274\./);
    expect(shown).not.toContain("LARM FALL 274. Nyckel");
  });
});

test("what engineers read speaks of no patients either: help, errors, the installer's note, the console's pages", () => {
  const sources = globSync(
    ["fallvakt.ts", "front-door/*.ts", "*/**/command.ts", "alerting/console/**/*.{ts,tsx,html}"],
    {
      cwd: root,
      exclude: ["node_modules/**", "**/dist/**", "**/*.test.ts"],
    },
  );
  expect(sources.length).toBeGreaterThan(60);
  expect(sources).toContain("front-door/installer-note.ts");
  expect(sources.flatMap((path) => forbiddenIn(readFileSync(join(root, path), "utf8"), medicalWords))).toEqual([]);
});
