import { useState } from "preact/hooks";
import type { ConsoleAction, EpisodeView, LoggedIn } from "../api.ts";
import { useAtServerTime } from "./clock-hook.ts";
import { CloseDialog } from "./close-dialog.tsx";
import { pressesFor } from "./console-acts.ts";
import { aliasOf } from "./episode-words.ts";
import { type MessageKey, useWords } from "./language.ts";
import { hrefOf } from "./route.ts";
import { act, asCallFailed } from "./server-calls.ts";

interface Props {
  user: LoggedIn;
  view: EpisodeView;
  onChanged(episode: EpisodeView): void;
  on: "board" | "page";
}

/** What can be done next stands first and large; a failure says that nothing was done. */
export function EpisodeActions({ user, view, onChanged, on }: Props) {
  const words = useWords();
  const [sending, setSending] = useState<ConsoleAction["action"] | null>(null);
  const [closing, setClosing] = useState(false);
  const [said, setSaid] = useState<{ text: string; failed: boolean } | null>(null);
  const canUndo = useAtServerTime((now) => view.undo?.by === user.name && now < view.undo.until);
  const alias = aliasOf(words, view);
  const mayAct = user.permissions.includes("episodes.act");

  async function send(action: ConsoleAction): Promise<void> {
    setSending(action.action);
    setSaid(null);
    try {
      onChanged(await act(view.id, action));
      setSaid({ text: words.say(`done.${action.action}`, { alias }), failed: false });
      setClosing(false);
    } catch (error) {
      const code = asCallFailed(error).code;
      setSaid({ text: words.sayKnown("failed", code, words.say("failed.server")), failed: true });
    } finally {
      setSending(null);
    }
  }

  const { next, others } = pressesFor(view, user, on);
  const named = (key: MessageKey) => words.say("act.for", { act: words.say(key).replace(" …", ""), alias });
  const button = (action: Exclude<ConsoleAction["action"], "close">, look: "primary" | "secondary") => (
    <button
      key={action}
      type="button"
      class={look}
      disabled={sending !== null}
      aria-label={named(`act.${action}`)}
      onClick={() => void send({ action })}
    >
      {words.say(sending === action ? "act.sending" : `act.${action}`)}
    </button>
  );
  // Where nothing else comes next.
  const closesFirst = next === null;
  const close = mayAct && view.status !== "closed" && (
    <button
      type="button"
      class={closesFirst ? "primary" : "secondary"}
      disabled={sending !== null}
      aria-label={named("act.close")}
      onClick={() => setClosing(true)}
    >
      {words.say("act.close-dots")}
    </button>
  );
  return (
    <>
      <div class="actions">
        {next && button(next, "primary")}
        {closesFirst && close}
        {others.map((action) => button(action, "secondary"))}
        {!closesFirst && close}
        {mayAct && canUndo && button("undo", "secondary")}
        {on === "board" && (
          <a class="button secondary" href={hrefOf("episodes", view.id)} aria-label={named("act.details")}>
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
          sending={sending !== null}
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
