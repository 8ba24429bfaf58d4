import { useState } from "preact/hooks";
import type { TokenView } from "../../accounts/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";

interface Props {
  tokens: readonly TokenView[];
  /** Where they are revoked. */
  path: "/tokens" | "/account/tokens";
  withAccount?: boolean;
  onRevoked(): Promise<void>;
}

/** Tokens of programs, each with what it may and until when. */
export function TokenList({ tokens, path, withAccount = false, onRevoked }: Props) {
  const words = useWords();
  const now = useServerNow();
  const [revoking, setRevoking] = useState<string | null>(null);
  if (tokens.length === 0) return <p>{words.say("accounts.no-tokens")}</p>;
  return (
    <>
      <ul class="accounts-list">
        {tokens.map(({ name, account, scopes, until, usedAt }) => (
          <li key={name} class="accounts-row">
            <div class="accounts-who">
              <h3>{name}</h3>
              {withAccount && <p>{words.say("accounts.token-of", { name: account })}</p>}
              <p>{scopes.map((scope) => words.say(`accounts.may-${scope}`)).join(", ")}</p>
              <p class="small">
                {words.say("accounts.token-until", { time: words.time(until, now) })}{" "}
                {usedAt === null
                  ? words.say("accounts.token-unused")
                  : words.say("accounts.used", { time: words.time(usedAt, now) })}
              </p>
            </div>
            <button
              type="button"
              onClick={() => setRevoking(name)}
              aria-label={`${words.say("accounts.token-revoke")}, ${name}`}
            >
              {words.say("accounts.token-revoke")}
            </button>
          </li>
        ))}
      </ul>
      {revoking !== null && (
        <FormDialog
          title={words.say("accounts.token-revoke-title", { name: revoking })}
          submit={words.say("accounts.token-revoke")}
          onClose={() => setRevoking(null)}
          onSubmit={async () => {
            await call(`${path}/${encodeURIComponent(revoking)}`, "DELETE");
            await onRevoked();
            return undefined;
          }}
        >
          <p>{words.say("accounts.token-revoke-what")}</p>
        </FormDialog>
      )}
    </>
  );
}
