import type { EpisodeView } from "../api.ts";
import { type BoardState, closedEpisodes, openEpisodes } from "./board-state.ts";
import { useServerNow } from "./clock-hook.ts";
import { EpisodeCard } from "./episode-card.tsx";
import { aliasOf, placeOf, statusOf } from "./episode-words.ts";
import { useWords } from "./language.ts";
import { Unchanged, useLittleByLittle } from "./timed.tsx";

// So few are laid out wherever they are; see style.css.
const many = 24;

interface Props {
  board: BoardState;
  shownId: string | null;
  onChanged(episode: EpisodeView): void;
}

export function Board({ board, shownId, onChanged }: Props) {
  const words = useWords();
  const open = openEpisodes(board);
  const drawn = useLittleByLittle(open.length);
  if (!board.episodes) return <p class="waiting">{words.say("app.waiting")}</p>;
  return (
    <div class="board">
      <section aria-labelledby="open-title">
        <h1 id="open-title">
          {words.say("board.open")} <span class="count">{open.length}</span>
        </h1>
        {open.length === 0 && <Calm board={board} />}
        <div class={`cards${open.length > many ? " many" : ""}`}>
          {open.slice(0, drawn).map((view) => (
            <Unchanged key={view.id} of={[view, view.id === shownId]}>
              <EpisodeCard view={view} shown={view.id === shownId} onChanged={onChanged} />
            </Unchanged>
          ))}
        </div>
      </section>
      <Closed board={board} />
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
  const now = useServerNow(60_000);
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
              {view.test && view.kind !== "sign-on" && view.kind !== "test" && ` · ${words.say("badge.test")}`}
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
