import { useId, useState } from "preact/hooks";
import { useWords } from "../language.ts";

/** As the server has it. */
export const shortestPassword = 12;

/** A new password, `password` in the form; shown at a press, since it is typed once. */
export function PasswordField({ label }: { label: string }) {
  const words = useWords();
  const [shown, setShown] = useState(false);
  const hint = useId();
  return (
    <>
      <label>
        {label}
        <input
          name="password"
          type={(shown ? "text" : "password") as "password"}
          autocomplete="new-password"
          autocapitalize="none"
          spellcheck={false}
          required
          maxLength={200}
          aria-describedby={hint}
        />
      </label>
      <p id={hint} class="small">
        {words.say("accounts.password-hint", { count: shortestPassword })}
      </p>
      <label class="choice">
        <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
        {words.say("accounts.show-password")}
      </label>
    </>
  );
}

/** The password that whoever asks has now, `present` in the form. */
export function PresentPassword() {
  const words = useWords();
  return (
    <label>
      {words.say("accounts.present-password")}
      <input
        name="present"
        type="password"
        class="accounts-input"
        autocomplete="current-password"
        required
        maxLength={200}
      />
    </label>
  );
}
