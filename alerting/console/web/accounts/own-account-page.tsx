import { useState } from "preact/hooks";
import type { OwnAccount, SessionView } from "../../accounts/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { call } from "../server-calls.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import "./accounts.css";
import { deviceOf } from "./device-words.ts";
import { PasswordField, PresentPassword, shortestPassword } from "./password-field.tsx";
import { TokenForm } from "./token-form.tsx";
import { TokenList } from "./token-list.tsx";

/** The own account: password, where it is logged in, and tokens. Everybody's. */
export default function OwnAccountPage({ user }: PageProps) {
  const words = useWords();
  const own = useServerData<OwnAccount>("/account");
  const [open, setOpen] = useState<"password" | "others" | null>(null);
  const [done, setDone] = useState(false);

  async function changePassword(form: FormData): Promise<string | undefined> {
    const [present, password] = [String(form.get("present")), String(form.get("password"))];
    if (password.length < shortestPassword) return words.say("problem.weak-password");
    await call("/account/password", "PUT", { present, password });
    setDone(true);
    await own.reload();
    return undefined;
  }

  return (
    <div class="accounts">
      <h1>{words.say("nav.account")}</h1>
      <p class="accounts-own">
        <strong>{user.name}</strong> · {words.say(`role.${user.role}`)} ·{" "}
        {user.units ? user.units.join(", ") : words.say("accounts.units-all")}
      </p>
      <div role="status">{done && <p class="accounts-done">{words.say("accounts.password-changed")}</p>}</div>
      <button type="button" onClick={() => setOpen("password")}>
        {words.say("accounts.password-change")}
      </button>
      <Loaded of={own}>
        {({ sessions, tokens, permissions }) => (
          <>
            <section aria-labelledby="accounts-sessions">
              <h2 id="accounts-sessions">{words.say("accounts.sessions")}</h2>
              <ul class="accounts-list">
                {sessions.map((session) => (
                  <SessionRow key={session.id} session={session} onEnded={own.reload} />
                ))}
              </ul>
              {sessions.length > 1 && (
                <button type="button" onClick={() => setOpen("others")}>
                  {words.say("accounts.end-others")}
                </button>
              )}
            </section>
            <section aria-labelledby="accounts-programs">
              <h2 id="accounts-programs">{words.say("accounts.programs")}</h2>
              <p class="small">{words.say("accounts.programs-what")}</p>
              <TokenList tokens={tokens} path="/account/tokens" onRevoked={own.reload} />
              <TokenForm permissions={permissions} onMade={own.reload} />
            </section>
          </>
        )}
      </Loaded>
      {open === "password" && (
        <FormDialog
          title={words.say("accounts.password-change")}
          onClose={() => setOpen(null)}
          onSubmit={changePassword}
        >
          <input type="hidden" name="username" autocomplete="username" value={user.name} />
          <PresentPassword />
          <PasswordField label={words.say("accounts.new-password")} />
          <p class="small">{words.say("accounts.password-ends")}</p>
        </FormDialog>
      )}
      {open === "others" && (
        <FormDialog
          title={words.say("accounts.end-others")}
          submit={words.say("accounts.end-others-do")}
          onClose={() => setOpen(null)}
          onSubmit={async () => {
            await call("/account/sessions/end-others", "POST");
            await own.reload();
            return undefined;
          }}
        >
          <p>{words.say("accounts.end-others-what")}</p>
        </FormDialog>
      )}
    </div>
  );
}

function SessionRow({ session, onEnded }: { session: SessionView; onEnded(): Promise<void> }) {
  const words = useWords();
  const now = useServerNow();
  const [ending, setEnding] = useState(false);
  const { id, openedAt, usedAt, agent, isThis } = session;
  const device = deviceOf(agent) ?? words.say("accounts.device-unknown");
  return (
    <li class="accounts-row">
      <div class="accounts-who">
        <h3>{device}</h3>
        <p class="small">
          {words.say("accounts.since", { time: words.time(openedAt, now) })}{" "}
          {isThis ? "" : words.say("accounts.used", { time: words.time(usedAt, now) })}
        </p>
      </div>
      {isThis ? (
        <p class="accounts-state">{words.say("accounts.this-one")}</p>
      ) : (
        <button
          type="button"
          onClick={() => setEnding(true)}
          aria-label={`${words.say("accounts.end-one")}, ${device}`}
        >
          {words.say("accounts.end-one")}
        </button>
      )}
      {ending && (
        <FormDialog
          title={words.say("accounts.end-one-title", { device })}
          submit={words.say("accounts.end-one")}
          onClose={() => setEnding(false)}
          onSubmit={async () => {
            await call(`/account/sessions/${encodeURIComponent(id)}`, "DELETE");
            await onEnded();
            return undefined;
          }}
        >
          <p>{words.say("accounts.end-one-what")}</p>
        </FormDialog>
      )}
    </li>
  );
}
