import { useMemo } from "preact/hooks";
import type { EpisodeView, LoggedIn } from "../api.ts";
import { type BoardState, closedEpisodes, openEpisodes } from "./board-state.ts";
import { useAtServerTime, useServerHour } from "./clock-hook.ts";
import { TroubleList } from "./devices/trouble-list.tsx";
import { EpisodeActions } from "./episode-actions.tsx";
import { EpisodeCard } from "./episode-card.tsx";
import { aliasOf, placeOf, statusOf } from "./episode-words.ts";
import { useWords } from "./language.ts";
import { useLittleByLittle } from "./little-by-little.ts";
import { hrefOf } from "./route.ts";

// So few are laid out wherever they are; see style.css.
const many = 24;

interface Props {
  user: LoggedIn;
  board: BoardState;
  shownId: string | null;
  onChanged(episode: EpisodeView): void;
}

export function Board({ user, board, shownId, onChanged }: Props) {
  const words = useWords();
  const { episodes } = board;
  const open = useMemo(() => openEpisodes({ episodes }), [episodes]);
  const drawn = useLittleByLittle(open.length);
  if (!episodes) return <p class="waiting">{words.say("app.waiting")}</p>;
  return (
    <div class="board">
      <section aria-labelledby="open-title">
        <h1 id="open-title">
          {words.say("board.open")} <span class="count">{open.length}</span>
        </h1>
        {open.length === 0 && <Calm board={board} />}
        <div class={`cards${open.length > many ? " many" : ""}`}>
          {open.slice(0, drawn).map((view) => (
            <EpisodeCard key={view.id} user={user} view={view} shown={view.id === shownId} onChanged={onChanged} />
          ))}
        </div>
      </section>
      <Closed user={user} episodes={episodes} onChanged={onChanged} />
      <TroubleList />
    </div>
  );
}

/** An empty board must not be taken for a dead one: it says when the server was last heard. */
function Calm({ board }: { board: BoardState }) {
  const words = useWords();
  const heard = words.timeWithSeconds((board.heardAt ?? 0) + board.clockMs);
  return (
    <div class="calm">
      <p>{words.say("board.none")}</p>
      {board.connected && <p class="small">{words.say("board.none-detail", { time: heard })}</p>}
    </div>
  );
}

const minuteMs = 60_000;

interface ClosedProps {
  user: LoggedIn;
  episodes: NonNullable<BoardState["episodes"]>;
  onChanged(episode: EpisodeView): void;
}

function Closed({ user, episodes, onChanged }: ClosedProps) {
  const words = useWords();
  const now = useServerHour();
  // What is 12 h old leaves the list, within a minute.
  const minute = useAtServerTime((at) => Math.floor(at / minuteMs) * minuteMs);
  const closed = useMemo(() => closedEpisodes({ episodes }, minute), [episodes, minute]);
  const rows = useMemo(
    () =>
      closed.map((view) => (
        <li key={view.id}>
          <a href={hrefOf("episodes", view.id)}>
            <strong>{aliasOf(words, view)}</strong> {placeOf(view)}
          </a>
          <span>
            {words.say(`kind.${view.kind}`)} {words.time(view.impactAt, now)}
            {view.test && view.kind !== "sign-on" && view.kind !== "test" && ` · ${words.say("badge.test")}`}
          </span>
          <span>
            <b>{view.outcome && words.say(`outcome.${view.outcome}`)}</b> · {statusOf(words, view, now)}
          </span>
          {/* Closed by mistake, it is gone from above: here it is opened again. */}
          {view.undo?.by === user.name && <EpisodeActions user={user} view={view} onChanged={onChanged} on="page" />}
        </li>
      )),
    [closed, words, now, user, onChanged],
  );
  return (
    <section aria-labelledby="closed-title" class="closed">
      <h2 id="closed-title">{words.say("board.closed")}</h2>
      {rows.length > 0 ? <ul>{rows}</ul> : <p class="small">{words.say("board.closed-none")}</p>}
      <p>
        <a class="button secondary" href={hrefOf("history")}>
          {words.say("board.older")}
        </a>
      </p>
    </section>
  );
}
