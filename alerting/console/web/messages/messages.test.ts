/// <reference types="vite/client" />
import { type MessageFormatElement, TYPE } from "@formatjs/icu-messageformat-parser";
import { IntlMessageFormat } from "intl-messageformat";
import { describe, expect, test } from "vitest";
import { DetectionReason } from "../../../../firmware-contracts/detection.ts";
import { forbiddenIn, medicalWords } from "../../../messages/forbidden-words.ts";
import { EpisodeView, OutcomeWhat, PageView } from "../../api.ts";
import { outcomes } from "../close-dialog.tsx";
import { en } from "./en/index.ts";
import { sv } from "./sv/index.ts";

const areas = import.meta.glob<Record<string, Record<string, string>>>("./{sv,en}/*.ts", { eager: true });

/** Names and kinds of what is filled in, also within a plural's or a choice's branches. */
function argumentsOf(elements: readonly MessageFormatElement[]): string[] {
  const found = elements.flatMap((element): string[] => {
    if (element.type === TYPE.literal || element.type === TYPE.pound) return [];
    if (element.type === TYPE.tag) return argumentsOf(element.children);
    const own = `${element.value} ${TYPE[element.type]}`;
    if (element.type !== TYPE.plural && element.type !== TYPE.select) return [own];
    return [own, ...Object.values(element.options).flatMap(({ value }) => argumentsOf(value))];
  });
  return [...new Set(found)].sort();
}
const filledIn = (text: string, locale: string) =>
  argumentsOf(new IntlMessageFormat(text, locale, undefined, { ignoreTag: true }).getAst());

test("both languages say the same things with the same figures", () => {
  expect(Object.keys(en).sort()).toEqual(Object.keys(sv).sort());
  for (const [key, text] of Object.entries(sv)) {
    expect(filledIn(en[key as keyof typeof sv], "en"), key).toEqual(filledIn(text, "sv"));
  }
});

test.each([
  ["sv", sv],
  ["en", en],
])("%s: no key stands in two files, and every file is read", (language, all) => {
  const keys = Object.entries(areas)
    .filter(([path]) => path.startsWith(`./${language}/`) && !path.endsWith("/index.ts"))
    .flatMap(([, module]) => Object.values(module).flatMap((messages) => Object.keys(messages)));
  expect(keys.toSorted()).toEqual(Object.keys(all).toSorted());
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
