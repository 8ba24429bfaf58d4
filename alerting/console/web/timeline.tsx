import type { TimelineEntry } from "../api.ts";
import { useWords, type Words } from "./language.ts";

/** An entry's detail in words: what it means depends on what happened. */
export function detailOf(words: Words, { what, detail }: TimelineEntry): string | null {
  if (detail === null) return null;
  if (what === "detection") return words.sayKnown("why", detail, detail);
  if (what === "page-queued" || what === "page-sent" || what === "receipt")
    return words.sayKnown("said", detail, detail);
  if (what !== "closed") return detail;
  // The outcome, and where nobody had been there the reason that was typed.
  const [outcome = "", ...typed] = detail.split(": ");
  return [words.sayKnown("outcome", outcome, outcome), ...typed].join(": ");
}

// That a text goes by text needs no saying.
const alwaysByText = new Set(["page-queued", "page-sent", "receipt"]);

/** The story so far, oldest first. */
export function Timeline({ entries }: { entries: TimelineEntry[] }) {
  const words = useWords();
  return (
    <section aria-labelledby="story-title">
      <h3 id="story-title">{words.say("detail.story")}</h3>
      <ol class="timeline">
        {entries.map((entry, index) => (
          <li key={`${entry.at}-${index}`}>
            <time dateTime={new Date(entry.at).toISOString()}>{words.timeWithSeconds(entry.at)}</time>
            <span>
              <b>{words.sayKnown("event", entry.what, entry.what)}</b>
              {entry.who && `${entry.what.startsWith("page-") ? " " : " · "}${entry.who}`}
              {entry.via && !alwaysByText.has(entry.what) && ` · ${words.sayKnown("via", entry.via, entry.via)}`}
              {entry.detail && ` · ${detailOf(words, entry)}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
