import { useState } from "preact/hooks";
import type { SentText } from "../../episode/api.ts";
import { useWords, type Words } from "../language.ts";

const firstShown = 10;

/** Every text about the episode, letter by letter, and what became of it. */
export function SentTexts({ texts, now }: { texts: readonly SentText[]; now: number }) {
  const words = useWords();
  const [all, setAll] = useState(false);
  const shown = all ? texts : texts.slice(-firstShown);
  return (
    <section aria-labelledby="texts-title">
      <h3 id="texts-title">{words.say("episode.texts.title", { count: texts.length })}</h3>
      {texts.length === 0 && <p class="small">{words.say("episode.texts.none")}</p>}
      {shown.length < texts.length && (
        <button type="button" class="secondary" onClick={() => setAll(true)}>
          {words.say("episode.texts.all", { count: texts.length })}
        </button>
      )}
      <ol class="episode-texts">
        {shown.map((text) => (
          <li key={text.id} class={text.status}>
            <p class="to">
              <b>{text.to}</b>
              <span>
                {words.sayKnown("said", text.purpose, text.purpose)} · {words.time(text.at, now)}
              </span>
              <span class="word">{words.say(`episode.text.${text.status}`)}</span>
            </p>
            <blockquote lang={text.language}>{text.body}</blockquote>
            {text.isShared && <p class="small">{words.say("episode.texts.shared")}</p>}
            {text.attempts.length + text.receipts.length > 0 && (
              <details>
                <summary>{words.say("episode.texts.steps", { to: text.to })}</summary>
                <ol class="small">
                  {stepsOf(words, text).map((step) => (
                    <li key={step}>{step}</li>
                  ))}
                </ol>
              </details>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function stepsOf(words: Words, { attempts, receipts }: SentText): string[] {
  const said = (word: string) => words.sayKnown("said", word, word);
  const coded = (line: string, code: string | null) => (code === null ? line : `${line} (${code})`);
  const steps = [
    ...attempts.map(({ startedAt, outcome, reason }, index) => ({
      at: startedAt,
      line: coded(
        words.say("episode.texts.attempt", { number: index + 1, answer: outcome === null ? "…" : said(outcome) }),
        reason,
      ),
    })),
    ...receipts.map(({ at, status, errorCode }) => ({
      at,
      line: coded(words.say("episode.texts.receipt", { status: said(status) }), errorCode),
    })),
  ];
  return steps.sort((a, b) => a.at - b.at).map(({ at, line }) => `${words.timeWithSeconds(at)} ${line}`);
}
