import { useState } from "preact/hooks";
import type { AccountList, AccountView, CodeView, TokenView } from "../../accounts/api.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { call } from "../server-calls.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { type AccountAct, AccountRow } from "./account-row.tsx";
import "./accounts.css";
import { type RoleAndUnits, RoleAndUnitsFields, readRoleAndUnits } from "./account-form.tsx";
import { CodeDialog } from "./code-dialog.tsx";
import { TokenList } from "./token-list.tsx";

type Open = { kind: "add" } | { kind: AccountAct; account: AccountView };

/** Accounts, and the tokens of programs, for whoever manages them. */
export default function AccountsPage({ user }: PageProps) {
  const words = useWords();
  const accounts = useServerData<AccountList>("/accounts");
  const tokens = useServerData<TokenView[]>("/tokens");
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const mayGiveAll = user.units === null;
  const pathOf = ({ name }: AccountView) => `/accounts/${encodeURIComponent(name)}`;

  /** A dialog that closes after its work would take the code's away: it is shown when the other is gone. */
  const [made, setMade] = useState<CodeView | null>(null);

  async function reload(): Promise<void> {
    await Promise.all([accounts.reload(), tokens.reload()]);
  }

  function withFields(send: (fields: RoleAndUnits, form: FormData) => Promise<void>) {
    return async (form: FormData) => {
      const fields = readRoleAndUnits(form);
      if (!fields) return words.say("accounts.units-needed");
      await send(fields, form);
      await reload();
      return undefined;
    };
  }

  return (
    <div class="accounts">
      <h1>{words.say("nav.accounts")}</h1>
      <button type="button" class="primary" onClick={() => setOpen({ kind: "add" })}>
        {words.say("accounts.add")}
      </button>
      <Loaded of={accounts}>
        {(list) => (
          <>
            <ul class="accounts-list" aria-label={words.say("nav.accounts")}>
              {list.accounts.map((account) => (
                <AccountRow key={account.name} account={account} onAct={(kind) => setOpen({ kind, account })} />
              ))}
            </ul>
            {open?.kind === "add" && (
              <FormDialog
                title={words.say("accounts.add")}
                submit={words.say("accounts.add-do")}
                onClose={close}
                onSubmit={withFields(async (fields, form) => {
                  const name = String(form.get("name")).trim();
                  setMade(await call<CodeView>("/accounts", "POST", { name, ...fields }));
                })}
              >
                <label>
                  {words.say("login.name")}
                  <input
                    name="name"
                    class="accounts-input"
                    required
                    maxLength={60}
                    autocomplete="off"
                    autocapitalize="words"
                  />
                </label>
                <p class="small">{words.say("accounts.name-hint")}</p>
                <RoleAndUnitsFields known={list.units} mayGiveAll={mayGiveAll} />
              </FormDialog>
            )}
            {open?.kind === "change" && (
              <FormDialog
                title={words.say("accounts.change-title", { name: open.account.name })}
                onClose={close}
                onSubmit={withFields((fields) => call<void>(pathOf(open.account), "PUT", fields))}
              >
                <RoleAndUnitsFields
                  role={open.account.role}
                  units={open.account.units}
                  known={[...new Set([...list.units, ...(open.account.units ?? [])])]}
                  mayGiveAll={mayGiveAll}
                />
                <p class="warning">{words.say("accounts.ends", { tokens: open.account.tokens })}</p>
              </FormDialog>
            )}
          </>
        )}
      </Loaded>
      {open?.kind === "code" && (
        <FormDialog
          title={words.say("accounts.code-ask", { name: open.account.name })}
          submit={words.say("accounts.code-make")}
          onClose={close}
          onSubmit={async () => {
            setMade(await call<CodeView>(`${pathOf(open.account)}/code`, "POST"));
            await reload();
            return undefined;
          }}
        >
          <p>{words.say("accounts.code-check", { name: open.account.name })}</p>
        </FormDialog>
      )}
      {(open?.kind === "shut-off" || open?.kind === "open" || open?.kind === "remove") && (
        <FormDialog
          title={words.say(`accounts.${open.kind}-title`, { name: open.account.name })}
          submit={words.say(`accounts.${open.kind}`)}
          onClose={close}
          onSubmit={async () => {
            const { kind, account } = open;
            await (kind === "remove" ? call(pathOf(account), "DELETE") : call(`${pathOf(account)}/${kind}`, "POST"));
            await reload();
            return undefined;
          }}
        >
          <p>{words.say(`accounts.${open.kind}-what`)}</p>
          {open.kind !== "open" && <p class="warning">{words.say("accounts.ends", { tokens: open.account.tokens })}</p>}
        </FormDialog>
      )}
      {made && open === null && <CodeDialog made={made} onClose={() => setMade(null)} />}
      <section aria-labelledby="accounts-programs">
        <h2 id="accounts-programs">{words.say("accounts.programs")}</h2>
        <p class="small">{words.say("accounts.programs-what")}</p>
        <Loaded of={tokens}>
          {(list) => <TokenList tokens={list} path="/tokens" withAccount onRevoked={reload} />}
        </Loaded>
      </section>
    </div>
  );
}
