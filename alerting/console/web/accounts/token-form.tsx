import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { MadeToken } from "../../accounts/api.ts";
import type { Permission } from "../../roles.ts";
import { useServerNow } from "../clock-hook.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";
import { PresentPassword } from "./password-field.tsx";

const lives = [7, 30, 90, 365];
const usualDays = 90;

/** Makes a token for a program, and shows it once. */
export function TokenForm({ permissions, onMade }: { permissions: readonly Permission[]; onMade(): Promise<void> }) {
  const words = useWords();
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<MadeToken | null>(null);

  async function make(form: FormData): Promise<string | undefined> {
    const scopes = form.getAll("scope").map(String);
    if (scopes.length === 0) return words.say("accounts.scope-needed");
    const body = {
      name: String(form.get("name")).trim(),
      scopes,
      days: Number(form.get("days")),
      password: String(form.get("present")),
    };
    setMade(await call<MadeToken>("/account/tokens", "POST", body));
    await onMade();
    return undefined;
  }

  if (permissions.length === 0) return null;
  return (
    <>
      <button type="button" onClick={() => setAsking(true)}>
        {words.say("accounts.token-add")}
      </button>
      {asking && (
        <FormDialog
          title={words.say("accounts.token-add")}
          submit={words.say("accounts.token-make")}
          onClose={() => setAsking(false)}
          onSubmit={make}
        >
          <label>
            {words.say("accounts.token-name")}
            <input
              name="name"
              class="accounts-input"
              required
              pattern="[A-Za-z0-9][A-Za-z0-9\-]{1,39}"
              title={words.say("accounts.token-name-hint")}
              autocomplete="off"
              autocapitalize="none"
            />
          </label>
          <p class="small">{words.say("accounts.token-name-hint")}</p>
          <fieldset>
            <legend>{words.say("accounts.token-may")}</legend>
            {permissions.map((permission) => (
              <label key={permission} class="choice">
                <input type="checkbox" name="scope" value={permission} />
                {words.say(`accounts.may-${permission}`)}
              </label>
            ))}
          </fieldset>
          <label>
            {words.say("accounts.token-days")}
            <select name="days" class="accounts-input">
              {lives.map((days) => (
                <option key={days} value={days} selected={days === usualDays}>
                  {words.say("accounts.days", { days })}
                </option>
              ))}
            </select>
          </label>
          <PresentPassword />
        </FormDialog>
      )}
      {made && !asking && <MadeDialog made={made} onClose={() => setMade(null)} />}
    </>
  );
}

function MadeDialog({ made, onClose }: { made: MadeToken; onClose(): void }) {
  const words = useWords();
  const now = useServerNow();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} class="accounts-code">
      <h2 id={id}>{words.say("accounts.token-made", { name: made.view.name })}</h2>
      <p>{words.say("accounts.token-how")}</p>
      <label>
        <span class="unseen">{words.say("accounts.token-made", { name: made.view.name })}</span>
        <input class="accounts-token" readOnly value={made.token} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <p>{words.say("accounts.token-until", { time: words.time(made.view.until, now) })}</p>
      <p class="warning">{words.say("accounts.token-once")}</p>
      <button type="button" class="primary" onClick={() => dialog.current?.close()}>
        {words.say("accounts.code-done")}
      </button>
    </dialog>
  );
}
