import type { TimelineEntry } from "../api.ts";
import { useWords } from "./language.ts";

/** The story so far, oldest first. */
export function Timeline({ entries }: { entries: TimelineEntry[] }) {
  const words = useWords();
  const detailOf = ({ detail }: TimelineEntry) =>
    detail && words.sayKnown("said", detail, words.sayKnown("outcome", detail, detail));
  return (
    <section aria-labelledby="story-title">
      <h3 id="story-title">{words.say("detail.story")}</h3>
      <ol class="timeline">
        {entries.map((entry, index) => (
          <li key={`${entry.at}-${index}`}>
            <time dateTime={new Date(entry.at).toISOString()}>{words.timeWithSeconds(entry.at)}</time>
            <span>
              <b>{words.sayKnown("event", entry.what, entry.what)}</b>
              {entry.who && ` · ${entry.who}`}
              {entry.via && ` · ${words.sayKnown("via", entry.via, entry.via)}`}
              {entry.detail && ` · ${detailOf(entry)}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
