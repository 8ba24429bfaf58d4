import type { ComponentChildren, TargetedSubmitEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { LoggedIn, SessionMessage } from "../api.ts";
import { type Language, useWords } from "./language.ts";
import { LanguageSwitch } from "./language-switch.tsx";
import { asCallFailed } from "./server-calls.ts";

interface Props {
  /** Of the document; what stands below the service's name, where `heading` says so. */
  title: string;
  heading?: boolean;
  warning?: string | null;
  submit: string;
  /** What the server's refusal is in words. */
  sayFailure(code: string): string;
  onLanguage(language: Language): void;
  /** Lets somebody in; a returned text is a complaint about what was filled in. */
  onSubmit(form: FormData): Promise<SessionMessage | string>;
  onUser(user: LoggedIn): void;
  children: ComponentChildren;
  /** Where else to go. */
  below: ComponentChildren;
}

/** A form by which somebody is let in. */
export function LoginFrame(props: Props) {
  const { title, heading = false, warning, submit, sayFailure, onLanguage, onSubmit, onUser, children, below } = props;
  const words = useWords();
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);

  useEffect(() => {
    document.title = `${title} · ${words.say("app.name")}`;
  }, [words, title]);

  async function send(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setSending(true);
    setFailure(null);
    try {
      const answer = await onSubmit(form);
      if (typeof answer !== "string" && answer.user) return onUser(answer.user);
      setFailure(typeof answer === "string" ? answer : sayFailure("server"));
    } catch (error) {
      setFailure(sayFailure(asCallFailed(error).code));
    }
    setSending(false);
  }

  return (
    <main class="login">
      <LanguageSwitch onLanguage={onLanguage} />
      <h1>{words.say("app.name")}</h1>
      {heading && <h2>{title}</h2>}
      {warning && (
        <p role="alert" class="warning">
          {warning}
        </p>
      )}
      <form onSubmit={send}>
        {children}
        <div role="alert" class="failure">
          {failure}
        </div>
        <button type="submit" class="primary" disabled={sending}>
          {submit}
        </button>
      </form>
      {below}
    </main>
  );
}
