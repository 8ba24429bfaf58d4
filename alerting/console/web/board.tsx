import type { EpisodeView } from "../api.ts";
import { type BoardState, closedEpisodes, openEpisodes } from "./board-state.ts";
import { useServerNow } from "./clock-hook.ts";
import { TroubleList } from "./devices/trouble-list.tsx";
import { EpisodeCard } from "./episode-card.tsx";
import { aliasOf, placeOf, statusOf } from "./episode-words.ts";
import { useWords } from "./language.ts";

interface Props {
  board: BoardState;
  shownId: string | null;
  onChanged(episode: EpisodeView): void;
}

export function Board({ board, shownId, onChanged }: Props) {
  const words = useWords();
  if (!board.episodes) return <p class="waiting">{words.say("app.waiting")}</p>;
  const open = openEpisodes(board);
  return (
    <div class="board">
      <section aria-labelledby="open-title">
        <h1 id="open-title">
          {words.say("board.open")} <span class="count">{open.length}</span>
        </h1>
        {open.length === 0 && <Calm board={board} />}
        <div class="cards">
          {open.map((view) => (
            <EpisodeCard key={view.id} view={view} shown={view.id === shownId} onChanged={onChanged} />
          ))}
        </div>
      </section>
      <Closed board={board} />
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

function Closed({ board }: { board: BoardState }) {
  const words = useWords();
  const now = useServerNow();
  const closed = closedEpisodes(board, now);
  if (closed.length === 0) return null;
  return (
    <section aria-labelledby="closed-title" class="closed">
      <h2 id="closed-title">{words.say("board.closed")}</h2>
      <ul>
        {closed.map((view) => (
          <li key={view.id}>
            <a href={`#/episodes/${encodeURIComponent(view.id)}`}>
              <strong>{aliasOf(words, view)}</strong> {placeOf(view)}
            </a>
            <span>
              {words.say(`kind.${view.kind}`)} {words.time(view.impactAt, now)}
              {view.test && ` · ${words.say("badge.test")}`}
            </span>
            <span>
              <b>{view.outcome && words.say(`outcome.${view.outcome}`)}</b> · {statusOf(words, view, now)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
