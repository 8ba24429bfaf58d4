import type { TargetedSubmitEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ConsoleAction, EpisodeView, OutcomeDone, OutcomeWhat } from "../api.ts";
import { asksForSomebody } from "./board-state.ts";
import { useDraft } from "./drafts.ts";
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

/** What was done, in the order of how much it is. */
const doings: readonly OutcomeDone[] = [
  "nothing",
  "lift-help",
  "nurse",
  "1177",
  "ambulance",
  "hospital",
  "relative-told",
];

type Report = Omit<Extract<ConsoleAction, { action: "close" }>, "action">;

interface Props {
  view: EpisodeView;
  sending: boolean;
  failure: string | null;
  onBack(): void;
  onClose(report: Report): void;
}

/** Asks what had happened; where nobody has been there, also for a reason in words. Nothing is chosen beforehand. */
export function CloseDialog({ view, sending, failure, onBack, onClose }: Props) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [complaint, setComplaint] = useState<string | null>(null);
  const reasonNeeded = view.status !== "arrived";

  useEffect(() => dialog.current?.showModal(), []);
  useDraft(dialog, words.say("close.title", { alias: view.id }));

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    // Of a technical alarm there is nothing to choose.
    const outcome = asksForSomebody(view) ? (form.get("outcome") as OutcomeWhat | null) : "unknown";
    const reason = String(form.get("reason") ?? "").trim();
    if (!outcome) setComplaint(words.say("close.choose"));
    else if (reasonNeeded && reason.length < 4) setComplaint(words.say("close.reason-needed"));
    else {
      setComplaint(null);
      const done = (form.get("done") || undefined) as OutcomeDone | undefined;
      const minutes = String(form.get("minutes") ?? "").trim();
      onClose({
        outcome,
        ...(done && { done }),
        ...(minutes && { floorMinutes: Number(minutes) }),
        ...(reasonNeeded && { reason }),
      });
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onBack}>
      <form onSubmit={submit}>
        <h2 id={id}>{words.say("close.title", { alias: aliasOf(words, view) })}</h2>
        <p class="place">{placeOf(view)}</p>
        <fieldset hidden={!asksForSomebody(view)}>
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
              <strong>{asksForSomebody(view) && words.say("close.not-there")}</strong>
            </p>
            <label>
              {words.say("close.reason")}
              <textarea name="reason" rows={2} maxLength={300} />
            </label>
          </div>
        )}
        {view.kind === "fall" && (
          <div class="report">
            <label>
              {words.say("close.done")}
              <select name="done">
                <option value="">{words.say("close.not-said")}</option>
                {doings.map((done) => (
                  <option key={done} value={done}>
                    {words.say(`did.${done}`)}
                  </option>
                ))}
              </select>
            </label>
            <label>
              {words.say("close.minutes")}
              <input type="number" name="minutes" min={0} max={10080} step={1} inputMode="numeric" />
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
