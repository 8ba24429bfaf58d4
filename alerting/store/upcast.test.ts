import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { step } from "../episode.ts";
import type { EpisodeState } from "../episode-state.ts";
import { readInput, readState } from "./upcast.ts";

interface Stored {
  state: unknown;
  log: { at: number; input: unknown }[];
}

/** An episode in mid-escalation, its state and its log, as release 0.1 stored it. */
const stored = JSON.parse(readFileSync(new URL("./fixtures/episode-of-0.1.json", import.meta.url), "utf8")) as Stored;

test("an open episode of the first release goes on: taken, and closed", () => {
  let state = readState(JSON.stringify(stored.state));
  expect(state).toMatchObject({ status: "open", facts: { kind: "fall", test: false, trouble: null, signOn: null } });
  const now = stored.log.at(-1)?.at ?? 0;
  const [next, commands] = step(state, { type: "due", purpose: "next-page" }, now + 120_000);
  expect(commands.flatMap((c) => (c.do === "page" ? [`${c.purpose}:${c.responderId}`] : []))).toEqual([
    "not-taken:leader",
    "alarm:patrol-1",
  ]);
  state = next;
  for (const letter of ["T", "F", "U"] as const) {
    [state] = step(state, { type: "reply", responderId: "patrol-2", letter }, now + 130_000);
  }
  expect(state).toMatchObject({ status: "closed", outcome: "unhurt", due: {} });
});

test("its log is read, and replays to where it stood", () => {
  let state: EpisodeState | null = null;
  for (const { at, input } of stored.log) [state] = step(state, readInput(JSON.stringify(input)), at);
  const { status, step: policyStep, round, paged, openedAt } = readState(JSON.stringify(stored.state));
  expect(state).toMatchObject({ status, step: policyStep, round, paged, openedAt });
});

test("what this release has stored is read as it is", () => {
  const state = readState(JSON.stringify(stored.state));
  expect(readState(JSON.stringify(state))).toEqual(state);
});
