import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { facts, minute, Play, second, start } from "../test/alerting/episode-play.ts";
import type { EpisodeFacts, EpisodeInput } from "./episode-state.ts";
import { openSqliteStore } from "./store/sqlite.ts";

const welfare: Partial<EpisodeFacts> = {
  id: "e2",
  code: "295",
  kind: "welfare",
  dwelling: "welfare:d38",
  detection: null,
  since: start - 90 * minute,
  limitMinutes: 60,
};
const movement = (at: number): EpisodeInput => ({ type: "movement", at });
const said = (play: Play) => play.commands.flatMap((c) => (c.do === "page" ? [c.message.kind] : []));

describe("nobody has moved at home", () => {
  test("is asked about like an alarm, and never among the pages that go before all others", () => {
    const play = new Play(welfare);
    expect(play.paged).toEqual(["welfare:p1"]);
    expect(play.due("next-page").paged).toEqual(["welfare:p2", "welfare:p3"]);
    expect(play.due("next-page").paged).toEqual(["welfare:leader", "welfare:p1"]);
    expect(said(play)).toEqual(["welfare-not-taken", "welfare"]);
    play.reply("p1", "T").due("set-off");
    play.due("set-off");
    expect(play.paged).toContain("welfare:leader");
    expect(play.pages.every(({ purpose }) => purpose !== "alarm" && purpose !== "not-arrived")).toBe(true);
  });

  test("is taken, gone to, and ended by whoever was there", () => {
    const play = new Play(welfare).reply("p1", "T");
    expect(play.reply("p1", "X").answer).toBe("ask-arrived");
    play.reply("p1", "F").reply("p1", "X");
    expect(play.state).toMatchObject({
      status: "closed",
      outcome: "no-fall",
      closedBy: { kind: "responder", id: "p1" },
    });
  });

  test("a page of it waits for a fall's, however much older it is", async () => {
    const folder = mkdtempSync(join(tmpdir(), "alerting-welfare-"));
    const store = openSqliteStore(folder);
    const page = (id: string, purpose: "welfare" | "alarm") =>
      ({ id, responderId: "p1", purpose, step: 0, language: "sv", body: "" }) as const;
    const [first, fall] = [new Play(welfare), new Play()];
    for (const [play, at, pages] of [
      [first, start, [page("e2.1", "welfare")]],
      [fall, start + minute, [page("e1.1", "alarm")]],
    ] as const) {
      const input: EpisodeInput = { type: "opened", facts: play.state.facts };
      await store.episodes.commitStep({
        state: play.state,
        input,
        at,
        pages: [...pages],
        withdraw: false,
        retries: [],
      });
    }
    expect((await store.pages.sendable(start + 2 * minute, 10)).map(({ id }) => id)).toEqual(["e1.1", "e2.1"]);
    await store.close();
    rmSync(folder, { recursive: true });
  });
});

describe("movement again", () => {
  test("nobody has it: it is over, and whoever was paged is told", () => {
    const play = new Play(welfare).due("next-page").put(movement(start + 3 * minute));
    expect(play.state).toMatchObject({ status: "closed", closedBy: { kind: "system" }, due: {} });
    expect(play.paged).toEqual(["closed:p1", "closed:p2", "closed:p3"]);
    expect(new Set(said(play))).toEqual(new Set(["welfare-over"]));
  });

  test("somebody has it: they are told, keep it, and are told when there is none again; no deadline moves", () => {
    const play = new Play(welfare).reply("p1", "T");
    const { due } = play.state;
    expect(play.put(movement(play.now)).paged).toEqual(["reminder:p1"]);
    expect(said(play)).toEqual(["welfare-active"]);
    expect(play.put(movement(play.now)).paged).toEqual([]);
    expect(play.put({ type: "inactive", since: play.now }).paged).toEqual(["reminder:p1"]);
    expect(said(play)).toEqual(["welfare-still"]);
    expect(play.state).toMatchObject({ status: "taken", due });
    expect(play.state.activeAt).toBeUndefined();
  });

  test("somebody is there: nobody is paged, and it is theirs to end", () => {
    const play = new Play(welfare)
      .reply("p1", "T")
      .reply("p1", "F")
      .put(movement(start + minute));
    expect(play.paged).toEqual([]);
    expect(play.state.status).toBe("arrived");
  });

  test("it ends no fall, and no help call", () => {
    for (const kind of ["fall", "help"] as const) {
      const play = new Play({ ...facts, kind }).put(movement(start + second));
      expect(play.commands).toEqual([]);
      expect(play.state.status).toBe("open");
    }
  });
});
