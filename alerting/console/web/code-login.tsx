import type { LoggedIn } from "../api.ts";
import { PasswordField, shortestPassword } from "./accounts/password-field.tsx";
import { type Language, useWords } from "./language.ts";
import { LoginFrame } from "./login-frame.tsx";
import { hrefOf } from "./route.ts";
import { choosePassword } from "./server-calls.ts";

interface Props {
  /** Name and code, where the address has them. */
  rest: readonly string[];
  onLanguage(language: Language): void;
  onUser(user: LoggedIn): void;
}

/** Somebody with a one-time code chooses their password, and is let in. */
export function CodeLogin({ rest: [name = "", code = ""], onLanguage, onUser }: Props) {
  const words = useWords();

  function enter(user: LoggedIn): void {
    // Replaced: the code is in no history.
    location.replace(hrefOf("board"));
    onUser(user);
  }

  return (
    <LoginFrame
      title={words.say("accounts.choose-title")}
      heading
      submit={words.say("accounts.choose")}
      sayFailure={(problem) =>
        words.sayKnown("problem", problem, words.sayKnown("login", problem, words.say("failed.server")))
      }
      onLanguage={onLanguage}
      onSubmit={async (form) => {
        const chosen = String(form.get("password"));
        if (chosen.length < shortestPassword) return words.say("problem.weak-password");
        return choosePassword(String(form.get("name")).trim(), String(form.get("code")), chosen);
      }}
      onUser={enter}
      below={<a href={hrefOf("board")}>{words.say("accounts.have-password")}</a>}
    >
      <label>
        {words.say("login.name")}
        <input name="name" autocomplete="username" autocapitalize="none" required maxLength={60} defaultValue={name} />
      </label>
      <label>
        {words.say("accounts.code")}
        <input
          name="code"
          inputMode="numeric"
          autocomplete="one-time-code"
          required
          maxLength={60}
          defaultValue={code}
        />
      </label>
      <PasswordField label={words.say("accounts.new-password")} />
    </LoginFrame>
  );
}
