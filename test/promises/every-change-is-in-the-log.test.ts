import { afterEach, expect, test } from "vitest";
import { step } from "../../alerting/episode.ts";
import type { EpisodeState } from "../../alerting/episode-state.ts";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

/** Replays the log of every episode and compares with what is stored. Returns the states. */
async function replayed(): Promise<EpisodeState[]> {
  return night.store(async (store) => {
    const states = await store.episodes.episodesSince(0);
    const { entries, brokenAt } = await store.episodes.verifyLog();
    expect(brokenAt).toBeNull();
    let read = 0;
    for (const stored of states) {
      const log = await store.episodes.log(stored.facts.id);
      let state: EpisodeState | null = null;
      for (const { input, at } of log) [state] = step(state, input, at);
      expect(state).toEqual(stored);
      read += log.length;
    }
    expect(read).toBe(entries);
    return states;
  });
}

test("a lively night: the chain is whole and a replay gives every episode, also after a restart in the middle", async () => {
  night = await Night.open();
  night.phone("patrol-1").behaveOnce({ api: "accept-then-reset", receipts: "none" });
  await night.fall("38");
  const { code } = await night.text("patrol-2", /^LARM FALL/);
  await night.fall("38", { reason: "at-once" });
  await night.fall("54", { strength: "medium", reason: "soft" });
  await night.reply("patrol-2", `${code} N`);
  await night.text("patrol-3", new RegExp(`^LARM FALL ${code}`));
  await night.reply("patrol-3", `${code} T`);
  await night.text("patrol-3", /DU HAR LARMET/);
  await night.reply("patrol-1", "STOP");
  await night.text("leader", /^TEKNISKT LARM/);
  await night.text("patrol-3", /PÅMINNELSE/, 6 * 60_000);
  await night.reply("patrol-3", `${code} V`);
  await night.reply("patrol-3", `${code} K`);
  await night.text("keys", /KOMMER INTE IN/);
  const before = await replayed();
  expect(before.map(({ facts, status }) => `${facts.kind} ${status}`).sort()).toEqual([
    "fall open",
    "fall taken",
    "technical open",
  ]);

  await night.restart(undefined, () => night.setClock(-600_000));
  await night.reply("keys", `${code} T`);
  await night.text("patrol-3", /har svarat och hjälper dig/);
  await night.reply("patrol-3", `${code} F`);
  await night.reply("patrol-3", `${code} 25 min`);
  await night.reply("patrol-3", `${code} X`);
  await night.reply("patrol-3", `${code} Z`);
  await night.reply("patrol-3", `${code} S`);
  await night.text("patrol-3", /avslutat.*skada/);
  await night.reply("patrol-1", "START");
  const { id } = night.alerting.episodes().find((episode) => episode.alias === "54") ?? { id: "" };
  const operator = { name: "Op", role: "operator" } as const;
  const close = { action: "close", outcome: "no-fall", reason: "Ringde upp, satt i stolen" } as const;
  expect(await night.alerting.backend.act(id, close, operator)).toEqual({ ok: true });
  expect(await night.alerting.backend.act(id, close, operator)).toEqual({ ok: false, problem: "already-closed" });

  await night.pass(5_000);
  const after = await replayed();
  expect(after.every(({ status }) => status === "closed")).toBe(true);
  const fall = after.find(({ facts }) => facts.code === code);
  expect(fall).toMatchObject({
    outcome: "injury",
    floorMinutes: 25,
    repeats: 1,
    closedBy: { kind: "responder", id: "patrol-3" },
  });

  // Who, when and what: each reply stands there, as a letter, and nothing of what was written.
  await night.store(async (store) => {
    const log = await store.episodes.log(fall?.facts.id ?? "");
    const letters = log.flatMap(({ input }) =>
      input.type === "reply" ? [`${input.responderId} ${input.letter ?? input.minutes}`] : [],
    );
    expect(letters).toEqual([
      "patrol-2 N",
      "patrol-3 T",
      "patrol-3 V",
      "patrol-3 K",
      "keys T",
      "patrol-3 F",
      "patrol-3 25",
      "patrol-3 X",
      "patrol-3 Z",
      "patrol-3 S",
    ]);
    expect(JSON.stringify(log)).not.toMatch(/\+46|Svara|Patrull/);
  });
});
