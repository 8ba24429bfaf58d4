import type { TargetedSubmitEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { EpisodeView, OutcomeWhat } from "../api.ts";
import { aliasOf, placeOf } from "./episode-words.ts";
import { useWords } from "./language.ts";

/** In the order of how much follows from them. */
export const outcomes: readonly OutcomeWhat[] = [
  "injury",
  "unhurt",
  "already-up",
  "help-call",
  "no-fall",
  "not-home",
  "test",
  "unknown",
];

interface Props {
  view: EpisodeView;
  sending: boolean;
  failure: string | null;
  onBack(): void;
  onClose(outcome: OutcomeWhat, reason: string | null): void;
}

/** Asks what had happened; where nobody has been there, also for a reason in words. Nothing is chosen beforehand. */
export function CloseDialog({ view, sending, failure, onBack, onClose }: Props) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [complaint, setComplaint] = useState<string | null>(null);
  const reasonNeeded = view.status !== "arrived";

  useEffect(() => dialog.current?.showModal(), []);

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const outcome = form.get("outcome") as OutcomeWhat | null;
    const reason = String(form.get("reason") ?? "").trim();
    if (!outcome) setComplaint(words.say("close.choose"));
    else if (reasonNeeded && reason.length < 4) setComplaint(words.say("close.reason-needed"));
    else {
      setComplaint(null);
      onClose(outcome, reasonNeeded ? reason : null);
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onBack}>
      <form onSubmit={submit}>
        <h2 id={id}>{words.say("close.title", { alias: aliasOf(words, view) })}</h2>
        <p class="place">{placeOf(view)}</p>
        <fieldset>
          <legend>{words.say("close.question")}</legend>
          {outcomes.map((outcome) => (
            <label key={outcome} class="choice">
              <input type="radio" name="outcome" value={outcome} />
              {words.say(`outcome.${outcome}`)}
            </label>
          ))}
        </fieldset>
        {reasonNeeded && (
          <div class="not-there">
            <p>
              <strong>{words.say("close.not-there")}</strong>
            </p>
            <label>
              {words.say("close.reason")}
              <textarea name="reason" rows={2} maxLength={300} />
            </label>
          </div>
        )}
        <div role="alert" class="failure">
          {complaint ?? failure}
        </div>
        <div class="actions">
          <button type="submit" class="primary" disabled={sending}>
            {words.say(sending ? "act.sending" : "act.close")}
          </button>
          <button type="button" class="secondary" onClick={() => dialog.current?.close()}>
            {words.say("close.back")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
