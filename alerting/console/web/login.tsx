import type { TargetedSubmitEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { LoggedIn } from "../api.ts";
import { hasDraft } from "./drafts.ts";
import { type Language, useWords } from "./language.ts";
import { LanguageSwitch } from "./language-switch.tsx";
import { CallFailed, logIn } from "./server-calls.ts";

interface Props {
  /** The session ended while the page was open. */
  ended: boolean;
  onLanguage(language: Language): void;
  onUser(user: LoggedIn): void;
}

export function Login({ ended, onLanguage, onUser }: Props) {
  const words = useWords();
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const [isKept, setIsKept] = useState(false);

  // The page that was typed into goes after this one has come.
  useEffect(() => setIsKept(hasDraft()), []);

  useEffect(() => {
    document.title = `${words.say("login.title")} · ${words.say("app.name")}`;
  }, [words]);

  async function submit(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setSending(true);
    setFailure(null);
    try {
      onUser((await logIn(String(form.get("name")), String(form.get("password")))).user!);
    } catch (error) {
      setFailure(error instanceof CallFailed ? error.code : "server");
      setSending(false);
    }
  }

  return (
    <main class="login">
      <LanguageSwitch onLanguage={onLanguage} />
      <h1>{words.say("app.name")}</h1>
      {ended && (
        <p role="alert" class="warning">
          {words.say("login.ended")} {isKept && words.say("login.draft")}
        </p>
      )}
      <form onSubmit={submit}>
        <label>
          {words.say("login.name")}
          <input name="name" autocomplete="username" autocapitalize="none" required maxLength={100} />
        </label>
        <label>
          {words.say("login.password")}
          <input name="password" type="password" autocomplete="current-password" required maxLength={200} />
        </label>
        <div role="alert" class="failure">
          {failure && words.sayKnown("login", failure, words.say("failed.server"))}
        </div>
        <button type="submit" class="primary" disabled={sending}>
          {words.say("login.submit")}
        </button>
      </form>
    </main>
  );
}
