import { expect, test } from "vitest";
import { PresenceSign, SensorTrouble } from "../../../../firmware-contracts/presence.ts";
import { createWords } from "../language.ts";
import { sv } from "../messages/sv/index.ts";
import { presenceIn } from "./presence-words.ts";

const since = new Date(2026, 10, 25, 3, 12).getTime();

test("what was seen is said in words, with when and where; sensors that were not counted with why", () => {
  const words = createWords("sv");
  const evidence = {
    shift: -0.7,
    items: [
      { what: "two-rooms" as const, since, weight: -0.7, rooms: ["hall", "kök"] },
      { what: "bed-occupied" as const, since, weight: -0.5, rooms: [] },
    ],
    unheard: [{ deviceId: "bad-3", why: "stuck" as const }],
  };
  expect(presenceIn(words, evidence)).toEqual([
    "Efter stöten rörde sig någon i hall och sedan kök, från 03:12. Det talar emot ett fall.",
    "Någon ligger i sängen sedan 03:12, okänt rum. Det talar emot ett fall.",
    "Sensorer som inte räknades: bad-3 (har hängt sig)",
  ]);
  expect(presenceIn(createWords("en"), { shift: 0, items: [], unheard: [] })).toEqual([
    "Nothing for or against a fall.",
  ]);
});

test("every sign and every trouble of the contract has words", () => {
  for (const word of [...PresenceSign.options, ...SensorTrouble.options]) {
    expect(Object.keys(sv)).toContain(`presence.${word}`);
  }
});
