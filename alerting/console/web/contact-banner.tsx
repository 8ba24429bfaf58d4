import type { BoardState } from "./board-state.ts";
import { useAtServerTime } from "./clock-hook.ts";
import { useWords } from "./language.ts";

const backShownMs = 10_000;

/** Unmissable while the page hears nothing from the server; for a while after, that it hears again. */
export function ContactBanner({ board }: { board: BoardState }) {
  const words = useWords();
  const { connected, heardAt, backAt, clockMs, missedAny, lostWith } = board;
  const isBack = useAtServerTime((now) => backAt !== null && now - clockMs - backAt < backShownMs);
  return (
    <div role="alert">
      {!connected && (
        <div class="lost">
          <strong>{words.say("lost.title")}</strong>
          <span>
            {heardAt === null
              ? words.say("lost.empty")
              : words.say("lost.stale", { time: words.timeWithSeconds(heardAt + clockMs) })}
          </span>
        </div>
      )}
      {connected && isBack && backAt !== null && (
        <div class="back">
          {words.say("lost.back", { time: words.time(backAt + clockMs) })}{" "}
          {/* A heartbeat may come before the board that tells. */}
          {lostWith === null && words.say(missedAny ? "lost.back-missed" : "lost.back-nothing")}
        </div>
      )}
    </div>
  );
}
