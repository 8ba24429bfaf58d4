import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { ConsoleUser, EpisodeView } from "../api.ts";
import { createAlarmSound } from "./alarm-sound.ts";
import { Board } from "./board.tsx";
import { type BoardInput, type BoardState, boardStep, emptyBoard, newlyUntaken, untakenCount } from "./board-state.ts";
import { ServerClockContext } from "./clock-hook.ts";
import { ContactBanner } from "./contact-banner.tsx";
import { EpisodeDetailView } from "./episode-detail.tsx";
import { aliasOf } from "./episode-words.ts";
import { listenToServer } from "./event-source.ts";
import { type Language, useWords } from "./language.ts";
import { LanguageSwitch } from "./language-switch.tsx";

interface Props {
  user: ConsoleUser;
  onLanguage(language: Language): void;
  onLogOut(): void;
  onEnded(): void;
}

// Often enough to be heard again from the next room, seldom enough to think in between.
const ringAgainMs = 15_000;
const sound = createAlarmSound();

/** Everything behind the login: the header, the state of contact, the board, and the episode that is looked at. */
export function Console({ user, onLanguage, onLogOut, onEnded }: Props) {
  const words = useWords();
  const [board, pass] = useReducer(
    (state: BoardState, input: BoardInput) => boardStep(state, input, Date.now()),
    emptyBoard,
  );
  const shownId = useShownEpisode();
  const untaken = untakenCount(board);
  const announced = useAlarm(board, untaken);
  useTitle(untaken, board.connected);

  useEffect(() => listenToServer(pass, onEnded), []);

  const onChanged = (episode: EpisodeView) => pass({ kind: "answer", episode });
  return (
    <ServerClockContext.Provider value={board.clockMs}>
      <a class="skip" href="#main">
        {words.say("app.skip")}
      </a>
      <header>
        <span class="brand">{words.say("app.name")}</span>
        <SoundSwitch />
        <LanguageSwitch onLanguage={onLanguage} />
        <button type="button" onClick={onLogOut} title={user.name}>
          {words.say("app.logout")}
        </button>
      </header>
      <ContactBanner board={board} />
      {board.troubles.length > 0 && (
        <section class="troubles" aria-label={words.say("trouble.title")}>
          <strong>{words.say("trouble.title")}: </strong>
          {board.troubles.map((trouble) => words.sayKnown("trouble", trouble, trouble)).join(" · ")}
        </section>
      )}
      <div class="unseen" role="alert">
        {announced &&
          words.say("board.new", { kind: words.say(`kind.${announced.kind}`), alias: aliasOf(words, announced) })}
      </div>
      <main id="main" tabIndex={-1} class={`${shownId ? "with-detail" : ""} ${board.connected ? "" : "stale"}`}>
        <Board board={board} shownId={shownId} onChanged={onChanged} />
        {shownId && (
          <EpisodeDetailView
            key={shownId}
            id={shownId}
            view={board.episodes?.get(shownId) ?? null}
            othersUntaken={untaken - (board.episodes?.get(shownId)?.status === "open" ? 1 : 0)}
            onChanged={onChanged}
          />
        )}
      </main>
    </ServerClockContext.Provider>
  );
}

/** The episode named in the address, `#/episodes/ID`, or null. */
function useShownEpisode(): string | null {
  const read = () => {
    const found = /^#\/episodes\/(.+)$/.exec(location.hash);
    return found ? decodeURIComponent(found[1]!) : null;
  };
  const [id, setId] = useState(read);
  useEffect(() => {
    const changed = () => setId(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return id;
}

/** Rings for each alarm that nobody has taken, and again while it stays so. Returns the newest one, to be read out. */
function useAlarm(board: BoardState, untaken: number): EpisodeView | null {
  const before = useRef(emptyBoard);
  const [newest, setNewest] = useState<EpisodeView | null>(null);
  useEffect(() => {
    const fresh = newlyUntaken(before.current, board);
    before.current = board;
    const last = fresh.at(-1);
    if (!last) return;
    setNewest(last);
    sound.ring();
  }, [board]);
  useEffect(() => {
    if (untaken === 0) return undefined;
    const ringing = setInterval(() => sound.ring(), ringAgainMs);
    return () => clearInterval(ringing);
  }, [untaken > 0]);
  return newest;
}

/** What a tab in the background shows; it blinks while somebody waits. */
function useTitle(untaken: number, connected: boolean): void {
  const words = useWords();
  useEffect(() => {
    const name = words.say("app.name");
    const urgent = connected ? untaken > 0 && words.say("title.untaken", { count: untaken }) : words.say("lost.title");
    let on = true;
    const show = () => {
      document.title = urgent ? `${on ? "●" : "○"} ${urgent} · ${name}` : `${words.say("app.board")} · ${name}`;
      on = !on;
    };
    show();
    if (!urgent) return undefined;
    const blinking = setInterval(show, 1000);
    return () => clearInterval(blinking);
  }, [words, untaken, connected]);
}

function SoundSwitch() {
  const words = useWords();
  const [, redraw] = useState(0);
  useEffect(() => {
    // Any press or key lets the browser sound; the first one is as good as another.
    const unlock = () => void sound.unlock().then(() => redraw((n) => n + 1));
    // The login was a press already.
    if (navigator.userActivation?.hasBeenActive) unlock();
    addEventListener("pointerdown", unlock);
    addEventListener("keydown", unlock);
    return () => {
      removeEventListener("pointerdown", unlock);
      removeEventListener("keydown", unlock);
    };
  }, []);
  const wanted = sound.wanted();
  const blocked = wanted && sound.blocked();

  async function press(): Promise<void> {
    const held = sound.blocked();
    await sound.unlock();
    if (!(wanted && held)) sound.want(!wanted);
    // So that a person hears that it works, and how loud.
    sound.ring();
    redraw((n) => n + 1);
  }

  return (
    <button
      type="button"
      role="switch"
      aria-checked={wanted && !blocked}
      class={blocked ? "blocked" : ""}
      onClick={press}
    >
      {words.say(blocked ? "sound.blocked" : wanted ? "sound.on" : "sound.off")}
    </button>
  );
}
