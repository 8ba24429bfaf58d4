import { z } from "zod";
import type { EpisodeRecords } from "../../episode-records.ts";
import { notFound } from "../problems.ts";
import { maySeeEpisode } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import { EpisodeRecord, PastEpisodes, PastQuery } from "./api.ts";

const tag = "Episodes";
const needs = "episodes.read";

/** What an episode's own page shows beside its story, and episodes that the board holds no more. Nothing is changed here. */
export function episodeRecordsArea(records: EpisodeRecords): ConsoleArea {
  return (api) => {
    api.route(
      {
        ...{ method: "GET", url: "/episodes/history", tag, needs },
        summary: "Closed episodes, the latest first",
        query: PastQuery,
        answer: PastEpisodes,
      },
      ({ account, query }) => records.past({ ...query, maySee: (view) => maySeeEpisode(account, view) }),
    );
    api.route(
      {
        ...{ method: "GET", url: "/episodes/:id/record", tag, needs },
        summary: "The texts that were sent, each detection, the threshold and blind time of an episode",
        params: z.object({ id: z.string() }),
        answer: EpisodeRecord,
      },
      async ({ account, params: { id } }) => {
        const detail = await records.detail(id);
        if (!detail || !maySeeEpisode(account, detail)) throw notFound("episode");
        const record = await records.record(id);
        if (!record) throw notFound("episode");
        return record;
      },
    );
  };
}
