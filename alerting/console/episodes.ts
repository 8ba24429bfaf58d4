import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { VisitingList } from "../visiting-list.ts";
import {
  type ActionResult,
  BoardMessage,
  ConsoleAction,
  type ConsoleBackend,
  EpisodeDetail,
  EpisodeView,
  viewOf,
} from "./api.ts";
import { boardMessage } from "./event-streams.ts";
import { notFound, Refusal } from "./problems.ts";
import { type Account, maySeeEpisode, maySeeUnit } from "./roles.ts";
import type { ConsoleArea } from "./routes.ts";

const problemStatus: Record<Extract<ActionResult, { ok: false }>["problem"], number> = {
  "not-found": 404,
  "already-closed": 409,
  "already-taken": 409,
  "not-taken": 409,
  "reason-needed": 422,
  "nothing-to-undo": 409,
};

const tag = "Episodes";
const params = z.object({ id: z.string() });

/** The board, an episode with its story, and what may be done to it. */
export function episodesArea(backend: ConsoleBackend, clock: Clock): ConsoleArea {
  async function own(account: Account, id: string): Promise<EpisodeDetail> {
    const detail = backend.episode(id) ?? (await backend.pastEpisode?.(id));
    if (!detail || !maySeeEpisode(account, detail)) throw notFound("episode");
    return detail;
  }

  return (api) => {
    api.route(
      { method: "GET", url: "/episodes", tag, summary: "The board", needs: "episodes.read", answer: BoardMessage },
      ({ account }) => boardMessage(backend, clock, account),
    );
    api.route(
      {
        method: "GET",
        url: "/episodes/:id",
        tag,
        summary: "One episode with its story and movement",
        needs: "episodes.read",
        params,
        answer: EpisodeDetail,
      },
      ({ account, params: { id } }) => own(account, id),
    );
    api.route(
      {
        method: "POST",
        url: "/episodes/:id/actions",
        tag,
        summary: "Do something about an episode; answers it as it is now",
        needs: "episodes.act",
        params,
        body: ConsoleAction,
        answer: EpisodeView,
        problems: Object.keys(problemStatus),
      },
      async ({ account, params: { id }, body }) => {
        await own(account, id);
        const result = await backend.act(id, body, account);
        if (!result.ok) {
          throw new Refusal(problemStatus[result.problem], result.problem, `Nothing was changed: ${result.problem}`);
        }
        return viewOf(backend.episode(id)!);
      },
    );
    api.route(
      {
        method: "GET",
        url: "/visiting-list",
        tag,
        summary: "Whom to look in at while gateways are lost, by priority; with `all`, everybody",
        needs: "residents.read",
        query: z.object({ all: z.string().optional() }),
        answer: VisitingList,
      },
      async ({ account, query }) => {
        const list = await backend.visitingList?.(query.all !== undefined);
        if (!list) throw notFound("address");
        return { ...list, visits: list.visits.filter(({ unit }) => maySeeUnit(account, unit)) };
      },
    );
  };
}
