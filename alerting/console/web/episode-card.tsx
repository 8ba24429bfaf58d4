import { Component } from "preact";
import type { EpisodeView, LoggedIn } from "../api.ts";
import { isAlarm } from "./board-state.ts";
import { useAtServerTime, useServerHour } from "./clock-hook.ts";
import { EpisodeActions } from "./episode-actions.tsx";
import {
  activeOf,
  aliasOf,
  backupOf,
  deadlineOf,
  latestPages,
  lengthOf,
  longLieOf,
  placeOf,
  reasonOf,
  statusOf,
} from "./episode-words.ts";
import { useWords } from "./language.ts";

interface Props {
  user: LoggedIn;
  view: EpisodeView;
  /** Its detail is open beside the board. */
  shown: boolean;
  onChanged(episode: EpisodeView): void;
}

/** An open episode as large as it is urgent. Drawn again only where it has changed: there may be 200 of them. */
export class EpisodeCard extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    const { user, view, shown, onChanged } = this.props;
    return next.view !== view || next.shown !== shown || next.user !== user || next.onChanged !== onChanged;
  }

  override render({ user, view, shown, onChanged }: Props) {
    return (
      <article
        class={`card ${view.status}${isAlarm(view) ? "" : " lower"}${shown ? " shown" : ""}`}
        data-episode={view.id}
        aria-labelledby={`a-${view.id}`}
      >
        <EpisodeHead view={view} headingId={`a-${view.id}`} />
        <EpisodeActions user={user} view={view} onChanged={onChanged} on={shown ? "page" : "board"} />
      </article>
    );
  }
}

/** Who, where, why, since when, and how far it has come: the same on the card and in the detail. */
export function EpisodeHead({ view, headingId }: { view: EpisodeView; headingId: string }) {
  const words = useWords();
  const now = useServerHour();
  const longLie = longLieOf(words, view, now);
  const active = activeOf(words, view, now);
  const backup = backupOf(words, view);
  return (
    <>
      <div class="badges">
        <span class={`kind ${view.kind}`}>{words.say(`kind.${view.kind}`)}</span>
        {view.test && view.kind !== "sign-on" && view.kind !== "test" && (
          <span class="badge test">{words.say("badge.test")}</span>
        )}
        {longLie && <span class="badge urgent">{words.say("badge.urgent")}</span>}
        {view.notInOperation && <span class="badge urgent">{words.say("badge.not-in-operation")}</span>}
        {view.called112At !== null && <span class="badge urgent">{words.say("badge.called-112")}</span>}
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
            <Since at={view.impactAt} />
            <span>{words.say(`since.${view.kind}`, { time: words.time(view.impactAt, now) })}</span>
          </p>
        )}
      </div>
      <p class="reason">{reasonOf(words, view, now)}</p>
      {view.notInOperation && <p class="reason urgent">{words.say(`reason.${view.notInOperation}`)}</p>}
      {longLie && <p class="reason urgent">{longLie}</p>}
      {active && <p class="reason">{active}</p>}
      {backup && <p class="reason urgent backup">{backup}</p>}
      <p class={`status ${view.status}`}>
        <strong>{statusOf(words, view, now)}</strong>
        {view.status === "taken" && view.onTheWayAt !== null && (
          <span>{words.say("status.on-the-way", { time: words.time(view.onTheWayAt, now) })}</span>
        )}
        {view.nextDeadline && <Deadline view={view} />}
      </p>
      <Pages view={view} now={now} />
    </>
  );
}

// These two alone change as time passes: the cards around them are not drawn again.

function Since({ at }: { at: number }) {
  const words = useWords();
  return <strong>{useAtServerTime((now) => lengthOf(words, now - at))}</strong>;
}

function Deadline({ view }: { view: EpisodeView }) {
  const words = useWords();
  return <span class="deadline">{useAtServerTime((now) => deadlineOf(words, view, now))}</span>;
}

function Pages({ view, now }: { view: EpisodeView; now: number }) {
  const words = useWords();
  const pages = latestPages(view);
  // Once somebody is there, who was asked is part of the story, but for those who are asked to help.
  if (view.status === "closed" || (view.status === "arrived" && !view.backup)) return null;
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
