import type { ComponentChildren, TargetedSubmitEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useDraft } from "./drafts.ts";
import { useWords } from "./language.ts";
import { asCallFailed } from "./server-calls.ts";
import { problemText } from "./server-data.tsx";

interface Props {
  title: string;
  /** What the button that does it says; left out: "save". */
  submit?: string;
  children: ComponentChildren;
  /** Does it. What it throws is shown, and the dialog stays; a returned text is a complaint about what was filled in. */
  onSubmit(form: FormData): Promise<string | undefined>;
  /** Closed, done or not. */
  onClose(): void;
}

/** Asks for something in a dialog, does it, and says what went wrong. Escape leaves it. */
export function FormDialog({ title, submit, children, onSubmit, onClose }: Props) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [sending, setSending] = useState(false);
  const [complaint, setComplaint] = useState<string | null>(null);

  useEffect(() => dialog.current?.showModal(), []);
  useDraft(dialog, title);

  async function send(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setSending(true);
    setComplaint(null);
    try {
      const wrong = await onSubmit(form);
      if (wrong === undefined) dialog.current?.close();
      else setComplaint(wrong);
    } catch (error) {
      setComplaint(problemText(words, asCallFailed(error)));
    } finally {
      setSending(false);
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <form onSubmit={send}>
        <h2 id={id}>{title}</h2>
        {children}
        <div role="alert" class="failure">
          {complaint}
        </div>
        <div class="actions">
          <button type="submit" class="primary" disabled={sending}>
            {sending ? words.say("form.sending") : (submit ?? words.say("form.save"))}
          </button>
          <button type="button" class="secondary" onClick={() => dialog.current?.close()}>
            {words.say("form.cancel")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
