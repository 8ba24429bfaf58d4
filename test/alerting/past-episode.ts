import { step } from "../../alerting/episode.ts";
import type { EpisodeFacts, EpisodeInput, EpisodeState } from "../../alerting/episode-state.ts";
import type { EpisodeChange, Store } from "../../alerting/store/store.ts";
import { generatedEvidence } from "../console/generated-board.ts";
import { aFall } from "./a-fall.ts";
import { facts } from "./episode-play.ts";

interface PastFall {
  id: string;
  /** Wall ms; somebody is there a minute later, and ends it two minutes later. */
  openedAt: number;
  /** Who is paged, and goes. */
  responderId?: string;
  about?: Partial<EpisodeFacts>;
}

/** Keeps a fall that was paged, delivered, gone to and closed, step by step as it would have been at the time. */
export async function keepPastFall(store: Store, { id, openedAt, responderId = "p1", about = {} }: PastFall) {
  const detection = { ...aFall(`watch-${id}`, openedAt, 1), evidence: generatedEvidence() };
  const { evidence: _evidence, model: _model, ...kept } = detection;
  const place = { alias: "38", area: "Gustavsberg syd", areaInTexts: true, room: "badrum", unit: "Gustavsberg" };
  const policy = { ...facts.policy, steps: [{ responders: [responderId], waitMs: 120_000 }] };
  const own = {
    ...facts,
    id,
    dwelling: `d-${id}`,
    place,
    since: detection.impactAt,
    detection: kept,
    policy,
    ...about,
  };
  let state: EpisodeState | null = null;

  async function put(input: EpisodeInput, at: number, also: Partial<EpisodeChange> = {}): Promise<void> {
    const [next, commands] = step(state, input, at);
    state = next;
    const pages = commands.flatMap((command) => {
      if (command.do !== "page") return [];
      const { pageId, responderId: to, purpose, step: policyStep } = command;
      const body = `${purpose.toUpperCase()} ${next.facts.code} till ${to}`;
      return [{ id: pageId, responderId: to, purpose, step: policyStep, language: "sv" as const, body }];
    });
    const withdraw = commands.some((command) => command.do === "withdraw");
    await store.episodes.commitStep({ state: next, input, at, pages, withdraw, retries: [], ...also });
    for (const page of pages) await sent(page, at);
  }

  async function sent(
    { id: pageId, responderId: to, purpose }: EpisodeChange["pages"][number],
    at: number,
  ): Promise<void> {
    const result = { outcome: "accepted", providerId: `SM-${pageId}` } as const;
    const of = { pageId, responderId: to, purpose };
    await store.pages.beginAttempt(pageId, at + 100);
    await put({ type: "page-result", ...of, tries: 1, result }, at + 300, {
      attemptEnd: { pageId, endedAt: at + 300, result },
    });
    const receipt = { pageId, providerId: result.providerId, status: "delivered", errorCode: null } as const;
    await put({ type: "receipt", ...receipt, responderId: to, purpose }, at + 900, { receipt });
  }

  await put({ type: "opened", facts: own }, openedAt, own.detection ? { detection } : {});
  await put({ type: "reply", responderId, letter: "F" }, openedAt + 60_000);
  await put({ type: "reply", responderId, letter: "U" }, openedAt + 120_000);
}
