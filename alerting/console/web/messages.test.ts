import { describe, expect, test } from "vitest";
import { DetectionReason } from "../../../firmware-contracts/detection.ts";
import { forbiddenIn, medicalWords } from "../../messages/forbidden-words.ts";
import { EpisodeView, OutcomeWhat, PageView } from "../api.ts";
import { outcomes } from "./close-dialog.tsx";
import { en } from "./en.ts";
import { sv } from "./sv.ts";

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

test("both languages say the same things with the same figures", () => {
  expect(Object.keys(en).sort()).toEqual(Object.keys(sv).sort());
  for (const [key, text] of Object.entries(sv)) {
    expect(placeholders(en[key as keyof typeof sv]), key).toEqual(placeholders(text));
  }
});

test.each([
  ["sv", sv],
  ["en", en],
])("%s has no empty text and none of the words that a social alarm must not use", (_language, messages) => {
  for (const [key, text] of Object.entries(messages)) {
    expect(text.trim(), key).not.toBe("");
    expect(forbiddenIn(text, medicalWords), key).toEqual([]);
  }
});

describe("every word of the contract has a text", () => {
  test.each([
    ["reason", DetectionReason.options],
    ["outcome", OutcomeWhat.options],
    ["status", EpisodeView.shape.status.options],
    ["kind", EpisodeView.shape.kind.options],
    ["page", PageView.shape.status.options],
  ])("%s", (prefix, words) => {
    for (const word of words) expect(Object.keys(sv)).toContain(`${prefix}.${word}`);
  });

  test("the closing dialog offers every outcome", () => {
    expect([...outcomes].sort()).toEqual([...OutcomeWhat.options].sort());
  });
});
