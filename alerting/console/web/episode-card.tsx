import type { EpisodeView } from "../api.ts";
import { isAlarm } from "./board-state.ts";
import { useServerNow } from "./clock-hook.ts";
import { EpisodeActions } from "./episode-actions.tsx";
import {
  activeOf,
  aliasOf,
  deadlineOf,
  latestPages,
  lengthOf,
  longLieOf,
  placeOf,
  reasonOf,
  statusOf,
} from "./episode-words.ts";
import { useWords } from "./language.ts";
import { Timed } from "./timed.tsx";

interface Props {
  view: EpisodeView;
  /** Its detail is open beside the board. */
  shown: boolean;
  onChanged(episode: EpisodeView): void;
}

/** An open episode as large as it is urgent. */
export function EpisodeCard({ view, shown, onChanged }: Props) {
  return (
    <article
      class={`card ${view.status}${isAlarm(view) ? "" : " lower"}${shown ? " shown" : ""}`}
      data-episode={view.id}
      aria-labelledby={`a-${view.id}`}
    >
      <EpisodeHead view={view} headingId={`a-${view.id}`} />
      <EpisodeActions view={view} onChanged={onChanged} link={!shown} />
    </article>
  );
}

/** Who, where, why, since when, and how far it has come: the same on the card and in the detail. */
export function EpisodeHead({ view, headingId }: { view: EpisodeView; headingId: string }) {
  const words = useWords();
  // For dates; what goes on by the second is timed by itself.
  const now = useServerNow(15 * 60_000);
  const since = words.say(`since.${view.kind}`, { time: words.time(view.impactAt, now) });
  const hasDeadline = deadlineOf(words, view, now) !== null;
  const longLie = longLieOf(words, view, now);
  const active = activeOf(words, view, now);
  return (
    <>
      <div class="badges">
        <span class={`kind ${view.kind}`}>{words.say(`kind.${view.kind}`)}</span>
        {view.test && view.kind !== "sign-on" && view.kind !== "test" && (
          <span class="badge test">{words.say("badge.test")}</span>
        )}
        {longLie && <span class="badge urgent">{words.say("badge.urgent")}</span>}
        {view.notInOperation && <span class="badge urgent">{words.say("badge.not-in-operation")}</span>}
        {view.late && <span class="badge late">{words.say("badge.late")}</span>}
        {view.repeats > 0 && <span class="badge">{words.say("badge.repeats", { count: view.repeats })}</span>}
        <span class="code">{words.say("code.label", { code: view.code })}</span>
      </div>
      <div class="head">
        <div class="where">
          <h2 id={headingId}>{aliasOf(words, view)}</h2>
          <p class="place">{placeOf(view)}</p>
        </div>
        {view.status !== "closed" && (
          <p class="since">
            <strong>
              <Timed text={(at) => lengthOf(words, at - view.impactAt)} />
            </strong>
            <span>{since}</span>
          </p>
        )}
      </div>
      <p class="reason">{reasonOf(words, view, now)}</p>
      {view.notInOperation && <p class="reason urgent">{words.say(`reason.${view.notInOperation}`)}</p>}
      {longLie && <p class="reason urgent">{longLie}</p>}
      {active && <p class="reason">{active}</p>}
      <p class={`status ${view.status}`}>
        <strong>{statusOf(words, view, now)}</strong>
        {hasDeadline && (
          <span class="deadline">
            <Timed text={(at) => deadlineOf(words, view, at) ?? ""} />
          </span>
        )}
      </p>
      <Pages view={view} now={now} />
    </>
  );
}

function Pages({ view, now }: { view: EpisodeView; now: number }) {
  const words = useWords();
  const pages = latestPages(view);
  // Once somebody is there, who was asked is part of the story.
  if (view.status === "arrived" || view.status === "closed") return null;
  return (
    <ul class="pages" aria-label={words.say("pages.title")}>
      {pages.length === 0 && <li>{words.say("pages.none")}</li>}
      {pages.map((page) => (
        <li key={page.id} class={page.status}>
          <span>
            <b>{page.responder}</b> · {words.time(page.at, now)}
          </span>
          <span class="word">{words.say(`page.${page.status}`)}</span>
        </li>
      ))}
    </ul>
  );
}
