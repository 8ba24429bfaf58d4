import { useState } from "preact/hooks";
import type { TimelineEntry } from "../../api.ts";
import { useWords, type Words } from "../language.ts";

/** An entry's detail in words: what it means depends on what happened. */
export function detailOf(words: Words, { what, detail }: TimelineEntry): string | null {
  if (detail === null) return null;
  if (what === "detection") return words.sayKnown("why", detail, detail);
  if (what === "reply" || what === "backup-asked") return words.sayKnown("letter", detail, detail);
  if (what === "page-queued" || what === "page-sent" || what === "receipt")
    return words.sayKnown("said", detail, detail);
  if (what !== "closed") return detail;
  // The outcome, and where nobody had been there the reason that was typed.
  const [outcome = "", ...typed] = detail.split(": ");
  return [words.sayKnown("outcome", outcome, outcome), ...typed].join(": ");
}

// That a text goes by text needs no saying.
const alwaysByText = new Set(["page-queued", "page-sent", "receipt"]);

const goesWell = new Set(["accepted", "queued", "sent", "delivered"]);

/** A step on a text's way that went as it should: of use to an engineer, in the way of a person who reads the story. */
export function isRoutine({ what, detail }: TimelineEntry): boolean {
  return (what === "page-sent" || what === "receipt") && goesWell.has(detail ?? "");
}

/** The story so far, oldest first; the routine of texts at a press. */
export function Timeline({ entries }: { entries: TimelineEntry[] }) {
  const words = useWords();
  const [all, setAll] = useState(false);
  const shown = all ? entries : entries.filter((entry) => !isRoutine(entry));
  return (
    <section aria-labelledby="story-title">
      <h3 id="story-title">{words.say("detail.story")}</h3>
      {shown[0] && <p class="small">{words.date(shown[0].at)}</p>}
      <ol class="timeline">
        {shown.map((entry, index) => (
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
      <button type="button" class="secondary" aria-pressed={all} onClick={() => setAll(!all)}>
        {words.say(all ? "detail.less" : "detail.all")}
      </button>
    </section>
  );
}
