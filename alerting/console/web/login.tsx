import { useEffect, useState } from "preact/hooks";
import type { LoggedIn } from "../api.ts";
import { hasDraft } from "./drafts.ts";
import type { EndedWhy } from "./event-source.ts";
import { type Language, type MessageKey, useWords } from "./language.ts";
import { LoginFrame } from "./login-frame.tsx";
import { codePage, hrefOf } from "./route.ts";
import { logIn } from "./server-calls.ts";

/** Why nobody is logged in any more, where the page was open then; `over`: nobody said why. */
export type Ended = EndedWhy | "over" | null;

const saidOf: Record<EndedWhy | "over", MessageKey> = {
  ended: "accounts.ended",
  unused: "accounts.unused",
  over: "login.ended",
};

interface Props {
  ended: Ended;
  onLanguage(language: Language): void;
  onUser(user: LoggedIn): void;
}

export function Login({ ended, onLanguage, onUser }: Props) {
  const words = useWords();
  const [isKept, setIsKept] = useState(false);

  // The page that was typed into goes after this one has come.
  useEffect(() => setIsKept(hasDraft()), []);

  return (
    <LoginFrame
      title={words.say("login.title")}
      warning={ended && [words.say(saidOf[ended]), isKept ? words.say("login.draft") : ""].join(" ").trim()}
      submit={words.say("login.submit")}
      sayFailure={(code) => words.sayKnown("login", code, words.say("failed.server"))}
      onLanguage={onLanguage}
      onSubmit={(form) => logIn(String(form.get("name")), String(form.get("password")))}
      onUser={onUser}
      below={<a href={hrefOf(codePage)}>{words.say("accounts.have-code")}</a>}
    >
      <label>
        {words.say("login.name")}
        <input name="name" autocomplete="username" autocapitalize="none" required maxLength={100} />
      </label>
      <label>
        {words.say("login.password")}
        <input name="password" type="password" autocomplete="current-password" required maxLength={200} />
      </label>
    </LoginFrame>
  );
}
