import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { EpisodeView, LoggedIn } from "../api.ts";
import { createAlarmSound } from "./alarm-sound.ts";
import { Board } from "./board.tsx";
import { type BoardInput, type BoardState, boardStep, emptyBoard, newlyUntaken, untakenCount } from "./board-state.ts";
import { ServerClockContext } from "./clock-hook.ts";
import { ContactBanner } from "./contact-banner.tsx";
import { aliasOf } from "./episode-words.ts";
import { type EndedWhy, listenToServer } from "./event-source.ts";
import { type Language, useWords } from "./language.ts";
import { LanguageSwitch } from "./language-switch.tsx";
import { createLater } from "./later.tsx";
import { Missed } from "./missed-list.tsx";
import { Navigation } from "./navigation.tsx";
import { PageFrame } from "./page-frame.tsx";
import { mayOpen, pages } from "./pages.ts";
import { hrefOf, type Route, useRoute } from "./route.ts";
import { onNoSession } from "./server-calls.ts";

interface Props {
  user: LoggedIn;
  onLanguage(language: Language): void;
  onLogOut(): void;
  /** The session is over: because of `why`, where the server said so. */
  onEnded(why?: EndedWhy): void;
}

// Often enough to be heard again from the next room, seldom enough to think in between.
const ringAgainMs = 15_000;
const sound = createAlarmSound();
// It draws, which the board needs not.
const { Later: EpisodeDetailView, fetch: fetchDetail } = createLater(() =>
  import("./episode/episode-detail.tsx").then(({ EpisodeDetailView: Detail }) => Detail),
);

/** What stands below the alarms, or on a page of its own, one by one: on a phone it must not push them down. */
const listed: ReadonlySet<string> = new Set(["device-overdue", "device-trouble", "consent-review"]);

/** Everything behind the login: the header, the state of contact, the board, and the episode that is looked at. */
export function Console({ user, onLanguage, onLogOut, onEnded }: Props) {
  const words = useWords();
  const [board, pass] = useReducer(
    (state: BoardState, input: BoardInput) => boardStep(state, input, Date.now()),
    emptyBoard,
  );
  const route = useRoute();
  const isBoard = route.page === "board" || route.page === "episodes";
  const shownId = route.page === "episodes" ? (route.rest[0] ?? null) : null;
  const hasBoard = user.permissions.includes("episodes.read");
  const { episodes } = board;
  const untaken = useMemo(() => untakenCount({ episodes }), [episodes]);
  const announced = useAlarm(board, untaken);
  useTitle(untaken, board.connected);

  useEffect(() => (hasBoard ? listenToServer(pass, onEnded) : undefined), [hasBoard]);
  useEffect(() => {
    if (hasBoard && board.episodes) fetchDetail();
  }, [hasBoard, board.episodes !== null]);
  // Also without the board's stream: the first refused call tells.
  useEffect(() => onNoSession(() => onEnded()), []);

  const onChanged = useCallback((episode: EpisodeView) => pass({ kind: "answer", episode }), []);
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
      <Navigation user={user} current={isBoard ? "board" : route.page} />
      <ContactBanner board={board} />
      {board.missed && <Missed missed={board.missed} onRead={() => pass({ kind: "read" })} />}
      {!isBoard && untaken > 0 && (
        <a class="others" href={hrefOf("board")}>
          {words.say("untaken.banner", { count: untaken })}
        </a>
      )}
      {board.troubles.length > 0 && (
        <section
          class={`troubles${board.troubles.every((trouble) => listed.has(trouble)) ? " listed" : ""}`}
          aria-label={words.say("trouble.title")}
        >
          <strong>{words.say("trouble.title")}: </strong>
          {board.troubles
            .toSorted((a, b) => Number(listed.has(a)) - Number(listed.has(b)))
            .map((trouble) => (
              <span key={trouble} class={listed.has(trouble) ? "listed" : ""}>
                {words.sayKnown("trouble", trouble, trouble)}
              </span>
            ))}
        </section>
      )}
      <div class="unseen" role="alert">
        {announced &&
          words.say("board.new", { kind: words.say(`kind.${announced.kind}`), alias: aliasOf(words, announced) })}
      </div>
      <main
        id="main"
        tabIndex={-1}
        class={`${shownId ? "with-detail" : ""} ${isBoard && !board.connected ? "stale" : ""}`}
      >
        {isBoard && hasBoard && <Board user={user} board={board} shownId={shownId} onChanged={onChanged} />}
        {!(isBoard && hasBoard) && <PageFrame user={user} route={isBoard ? firstPage(user) : route} />}
        {shownId && hasBoard && (
          <EpisodeDetailView
            key={shownId}
            user={user}
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

/** What whoever has no board sees first: an installer the devices. */
function firstPage(user: LoggedIn): Route {
  const own = pages.filter((entry) => !entry.isHidden && mayOpen(user, entry));
  return { page: (own.find(({ id }) => id === "devices") ?? own[0])?.id ?? "", rest: [] };
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
  }, [board.episodes]);
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
    if (!urgent || matchMedia("(prefers-reduced-motion: reduce)").matches) return undefined;
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
