import type { MissedList } from "./board-state.ts";
import { aliasOf, missedStepOf } from "./episode-words.ts";
import { useWords } from "./language.ts";
import { hrefOf } from "./route.ts";

/** What happened while the page heard nothing. It stays until somebody has read it. */
export function Missed({ missed, onRead }: { missed: MissedList; onRead(): void }) {
  const words = useWords();
  const { from, until, items } = missed;
  return (
    <section class="missed" aria-labelledby="missed-title">
      <h2 id="missed-title">
        {words.say("missed.title", { from: words.time(from, until), until: words.time(until), count: items.length })}
      </h2>
      <ul>
        {items.map(({ view, steps }) => (
          <li key={view.id} class={view.status}>
            <a href={hrefOf("episodes", view.id)}>
              <strong>{aliasOf(words, view)}</strong> {words.say(`kind.${view.kind}`)}{" "}
              {words.time(view.impactAt, until)}
            </a>
            <span>
              {steps.map((step) => missedStepOf(words, view, step, until)).join(", ")}
              {view.status === "open" && (
                <>
                  {" · "}
                  <b>{words.say("status.open")}</b>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
      <button type="button" class="secondary" onClick={onRead}>
        {words.say("missed.read")}
      </button>
    </section>
  );
}
