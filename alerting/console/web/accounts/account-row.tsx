import type { AccountView } from "../../accounts/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";

/** What is done to an account in a dialog. */
export type AccountAct = "change" | "code" | "shut-off" | "open" | "remove";

const saidOf = (act: AccountAct) => (act === "code" ? "accounts.code-new" : (`accounts.${act}` as const));

/** An account, with what may be done to it. */
export function AccountRow({ account, onAct }: { account: AccountView; onAct(act: AccountAct): void }) {
  const words = useWords();
  const now = useServerNow();
  const { name, role, units, state, codeUntil, isOwn } = account;
  const acts: AccountAct[] = state === "shut-off" ? ["open", "remove"] : ["code", "change", "shut-off", "remove"];

  /** Folded up again: what was done may have changed what can be. */
  function press(button: HTMLElement, act: AccountAct): void {
    button.closest("details")?.removeAttribute("open");
    onAct(act);
  }

  return (
    <li class={`accounts-row ${state}`}>
      <div class="accounts-who">
        <h2>{name}</h2>
        <p>
          {words.say(`role.${role}`)} · {units ? units.join(", ") : words.say("accounts.units-all")}
        </p>
        {state !== "open" && <p class="accounts-state">{words.say(`accounts.state-${state}`)}</p>}
        {codeUntil !== null && codeUntil > now && (
          <p class="small">{words.say("accounts.code-out", { time: words.time(codeUntil, now) })}</p>
        )}
      </div>
      {isOwn ? (
        <p>
          <a class="button" href={hrefOf("account")}>
            {words.say("nav.account")}
          </a>
        </p>
      ) : (
        <details class="accounts-acts">
          <summary>
            {words.say("accounts.manage")}
            <span class="unseen">, {name}</span>
          </summary>
          <div class="actions">
            {acts.map((act) => (
              <button
                key={act}
                type="button"
                onClick={(event) => press(event.currentTarget, act)}
                aria-label={`${words.say(saidOf(act))}, ${name}`}
              >
                {words.say(saidOf(act))}
              </button>
            ))}
          </div>
        </details>
      )}
    </li>
  );
}
