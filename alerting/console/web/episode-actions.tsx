import { useState } from "preact/hooks";
import type { ConsoleAction, EpisodeView } from "../api.ts";
import { isAlarm } from "./board-state.ts";
import { CloseDialog } from "./close-dialog.tsx";
import { aliasOf } from "./episode-words.ts";
import { useWords } from "./language.ts";
import { act, CallFailed } from "./server-calls.ts";

interface Props {
  view: EpisodeView;
  onChanged(episode: EpisodeView): void;
  /** Offer the way to the detail. */
  link: boolean;
}

/** What can be done next stands first and large; a failure says that nothing was done. */
export function EpisodeActions({ view, onChanged, link }: Props) {
  const words = useWords();
  const [sending, setSending] = useState(false);
  const [closing, setClosing] = useState(false);
  const [said, setSaid] = useState<{ text: string; failed: boolean } | null>(null);
  const alias = aliasOf(words, view);

  async function send(action: ConsoleAction): Promise<void> {
    setSending(true);
    setSaid(null);
    try {
      onChanged(await act(view.id, action));
      setSaid({ text: words.say(`done.${action.action}`, { alias }), failed: false });
      setClosing(false);
    } catch (error) {
      const code = error instanceof CallFailed ? error.code : "server";
      setSaid({ text: words.sayKnown("failed", code, words.say("failed.server")), failed: true });
    } finally {
      setSending(false);
    }
  }

  const isJourney = isAlarm(view);
  const next = view.status === "open" ? "take" : view.status === "taken" && isJourney ? "arrived" : null;
  const named = (key: "act.take" | "act.on-the-way" | "act.arrived" | "act.close" | "act.close-dots" | "act.details") =>
    words.say("act.for", { act: words.say(key).replace(" …", ""), alias });
  return (
    <>
      <div class="actions">
        {next && (
          <button
            type="button"
            class="primary"
            disabled={sending}
            aria-label={named(`act.${next}`)}
            onClick={() => void send({ action: next })}
          >
            {words.say(sending ? "act.sending" : `act.${next}`)}
          </button>
        )}
        {view.status === "taken" && isJourney && view.onTheWayAt === null && (
          <button
            type="button"
            class="secondary"
            disabled={sending}
            aria-label={named("act.on-the-way")}
            onClick={() => void send({ action: "on-the-way" })}
          >
            {words.say("act.on-the-way")}
          </button>
        )}
        {view.status !== "closed" && (
          <button
            type="button"
            class={next ? "secondary" : "primary"}
            disabled={sending}
            aria-label={named("act.close")}
            onClick={() => setClosing(true)}
          >
            {words.say("act.close-dots")}
          </button>
        )}
        {link && (
          <a
            class="button secondary"
            href={`#/episodes/${encodeURIComponent(view.id)}`}
            aria-label={named("act.details")}
          >
            {words.say("act.details")}
          </a>
        )}
      </div>
      <div role="status" class={said?.failed ? "failure" : "done"}>
        {!closing && said?.text}
      </div>
      {closing && (
        <CloseDialog
          view={view}
          sending={sending}
          failure={said?.failed ? said.text : null}
          onBack={() => {
            setClosing(false);
            setSaid(null);
          }}
          onClose={(report) => void send({ action: "close", ...report })}
        />
      )}
    </>
  );
}
