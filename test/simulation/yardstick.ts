import { openInMemory } from "../../alerting/store/database.ts";

/** What a round took between the seeds of two threads on a machine of two idle cores with Node 24, ms: there 2,000 seeds have a minute. */
const atRestMs = 4;

/** Times what a simulation mostly does, rows in and out of SQLite and copies of a state, in ms. */
export function yardstick(): number {
  const db = openInMemory();
  const steps = Array.from({ length: 20 }, (_, at) => ({ at }));
  const state = { due: { "next-page": 1 }, paged: ["p1", "p2", "p3"], steps };
  db.run("CREATE TABLE yardstick (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  const began = performance.now();
  for (let i = 0; i < 100; i++) {
    db.transaction(() => {
      db.run("INSERT INTO yardstick VALUES (?, ?)", i, JSON.stringify(structuredClone(state)));
    });
    JSON.parse(db.get<{ text: string }>("SELECT text FROM yardstick WHERE id = ?", i)?.text ?? "");
  }
  const tookMs = performance.now() - began;
  db.close();
  return tookMs;
}

/** How much slower a machine is than the one at rest, by what the yardstick took on it; at least 1. */
export function slowdown(timesMs: readonly number[]): number {
  const mean = timesMs.reduce((sum, ms) => sum + ms, 0) / timesMs.length;
  return Math.max(1, mean / atRestMs);
}
