import { openInMemory } from "../../alerting/store/database.ts";

/** What one round cost on two idle cores of the machine on which the limit was set, with Node 24, ms. */
const atRestMs = 15;
const rounds = 15;

/**
 * How much slower this machine is now than the one on which the limit was set, at least 1: the median of some rounds of what a simulation mostly does,
 * rows in and out of SQLite and copies of a state.
 */
export function slowdown(): number {
  const times = Array.from({ length: rounds }, round).sort((a, b) => a - b);
  return Math.max(1, (times[Math.floor(rounds / 2)] ?? 0) / atRestMs);
}

function round(): number {
  const db = openInMemory();
  const state = {
    due: { "next-page": 1 },
    paged: ["p1", "p2", "p3"],
    steps: Array.from({ length: 20 }, (_, at) => ({ at })),
  };
  db.run("CREATE TABLE yardstick (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  const began = performance.now();
  for (let i = 0; i < 500; i++) {
    db.transaction(() => {
      db.run("INSERT INTO yardstick VALUES (?, ?)", i, JSON.stringify(structuredClone(state)));
    });
    JSON.parse(db.get<{ text: string }>("SELECT text FROM yardstick WHERE id = ?", i)?.text ?? "");
  }
  const tookMs = performance.now() - began;
  db.close();
  return tookMs;
}
