import "./episode.css";
import type { TargetedSubmitEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PastEpisode, PastEpisodes } from "../../episode/api.ts";
import { aliasOf, placeOf } from "../episode-words.ts";
import { useWords, type Words } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { hrefOf } from "../route.ts";
import { asCallFailed, type CallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";

interface Wanted {
  alias: string;
  /** As the browser's date field has it; empty: the latest. */
  day: string;
  technical: boolean;
}

const perAnswer = 30;

function pathOf({ alias, day, technical }: Wanted, before: number | null): string {
  const query = new URLSearchParams({ limit: String(perAnswer) });
  const until = before ?? (day ? endOf(day) : null);
  if (until !== null) query.set("before", String(until));
  if (alias) query.set("alias", alias);
  if (!technical) query.set("only", "alarms");
  return `/episodes/history?${query}`;
}

/** Midnight after that day, by this machine's zone. */
function endOf(day: string): number {
  const [year = 1970, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + 1).getTime();
}

/** Closed alarms as far back as they are kept, by day and key number: `#/history/38` is those of key 38. */
export default function HistoryPage({ rest: [alias = ""] }: PageProps) {
  return <History key={alias} alias={alias} />;
}

function History({ alias: first }: { alias: string }) {
  const words = useWords();
  const [wanted, setWanted] = useState<Wanted>({ alias: first, day: "", technical: false });
  const [found, setFound] = useState<PastEpisodes | null>(null);
  const [failure, setFailure] = useState<CallFailed | null>(null);
  const [fetching, setFetching] = useState(false);
  const asked = useRef(0);

  async function fetchFrom(to: Wanted, before: number | null): Promise<void> {
    const turn = ++asked.current;
    setFetching(true);
    setFailure(null);
    try {
      const answer = await call<PastEpisodes>(pathOf(to, before));
      if (turn !== asked.current) return;
      setFound((known) => ({
        episodes: before === null ? answer.episodes : [...(known?.episodes ?? []), ...answer.episodes],
        before: answer.before,
      }));
    } catch (error) {
      if (turn === asked.current) setFailure(asCallFailed(error));
    } finally {
      if (turn === asked.current) setFetching(false);
    }
  }

  useEffect(() => void fetchFrom(wanted, null), [wanted]);

  function search(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const alias = String(form.get("alias") ?? "").replace(/^\s*(nyckel|key)\s+/i, "");
    setFound(null);
    setWanted({ alias: alias.trim(), day: String(form.get("day") ?? ""), technical: form.has("technical") });
  }

  return (
    <div class="episode-history">
      <h1>{words.say("episode.history.title")}</h1>
      <form class="episode-search" onSubmit={search}>
        <label>
          {words.say("episode.history.alias")}
          <input name="alias" defaultValue={wanted.alias} maxLength={60} autocomplete="off" />
        </label>
        <label>
          {words.say("episode.history.day")}
          <input name="day" type="date" />
        </label>
        <label class="choice">
          <input name="technical" type="checkbox" />
          {words.say("episode.history.technical")}
        </label>
        <button type="submit" class="primary">
          {words.say("episode.history.show")}
        </button>
      </form>
      {failure && (
        <p role="alert" class="failure">
          {words.say("frame.failed", { why: problemText(words, failure) })}
        </p>
      )}
      <div aria-live="polite">
        {found && <Found words={words} episodes={found.episodes} />}
        {fetching && <p class="waiting">{words.say("frame.loading")}</p>}
      </div>
      {found && found.before !== null && !fetching && (
        <button type="button" class="secondary episode-older" onClick={() => void fetchFrom(wanted, found.before)}>
          {words.say("episode.history.older")}
        </button>
      )}
      {failure && (
        <button
          type="button"
          class="secondary"
          onClick={() => void fetchFrom(wanted, found === null ? null : found.before)}
        >
          {words.say("frame.again")}
        </button>
      )}
    </div>
  );
}

function Found({ words, episodes }: { words: Words; episodes: readonly PastEpisode[] }) {
  if (episodes.length === 0) return <p class="calm">{words.say("episode.history.none")}</p>;
  const days = Map.groupBy(episodes, ({ openedAt }) => words.longDate(openedAt));
  return [...days].map(([day, ofDay]) => (
    <section key={day} aria-label={day}>
      <h2>{day}</h2>
      <ul class="episode-past">
        {ofDay.map((past) => (
          <li key={past.id}>
            <a href={hrefOf("episodes", past.id)}>
              <strong>{aliasOf(words, past)}</strong> <span>{placeOf(past)}</span>
            </a>
            <span>
              {words.say(`kind.${past.kind}`)} {words.time(past.impactAt, past.openedAt)}
              {past.test && past.kind !== "test" && past.kind !== "sign-on" && ` · ${words.say("badge.test")}`}
              {past.late && ` · ${words.say("badge.late")}`}
            </span>
            <span>
              <b>{past.outcome && words.say(`outcome.${past.outcome}`)}</b>
              {past.done && ` · ${words.say(`did.${past.done}`)}`}
            </span>
            <span class="small">{waysOf(words, past)}</span>
          </li>
        ))}
      </ul>
    </section>
  ));
}

/** How long until somebody had it, and was there. */
function waysOf(words: Words, { openedAt, takenAt, arrivedAt }: PastEpisode): string {
  const minutes = (at: number | null) =>
    at === null
      ? words.say("episode.history.never")
      : words.say("time.minutes", { minutes: Math.round((at - openedAt) / 60_000) });
  return words.say("episode.history.ways", { taken: minutes(takenAt), there: minutes(arrivedAt) });
}
