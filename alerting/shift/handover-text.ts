import type { Handover } from "./handover-list.ts";
import type { ShiftWords } from "./words.ts";

/** In the order in which a shift hands over. */
export const handoverSections = [
  "alarms",
  "followUps",
  "nurse",
  "charge",
  "pauses",
  "blind",
  "awaitingTest",
] as const satisfies readonly (keyof Handover)[];
const ticked: readonly string[] = ["followUps", "nurse"];

/** The list as plain text, to print, to copy and to paste. */
export function handoverText(list: Handover, words: ShiftWords): string {
  const { title, span, written, sections, none, allUnits } = words.list;
  const lines = [
    title(list.unit ?? allUnits),
    span(words.moment(list.from), words.moment(list.until)),
    written(words.moment(list.at)),
  ];
  for (const section of handoverSections) {
    const items = list[section];
    lines.push("");
    if (items.length === 0) {
      lines.push(`${sections[section].toUpperCase()}: ${none}`);
      continue;
    }
    lines.push(`${sections[section].toUpperCase()} (${items.length})`);
    for (const item of items) {
      const isDone = "done" in item && item.done !== null;
      lines.push(`${ticked.includes(section) ? (isDone ? "[x]" : "[ ]") : "-"} ${item.says}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
