import { newSecret } from "../../firmware-contracts/secret.ts";
import { tokenPrefix } from "../registry/users.ts";
import type { TokenRow } from "../store/store.ts";
import { type Account, permissionsOf } from "./roles.ts";

/** Told apart from other secrets by whoever finds one in a file. */
const begins = "fallvakt_";

/** A fresh token: 160 random bits, so that a fast hash keeps it. */
export const newToken = () => `${begins}${newSecret()}`;

/** Who acts where a program does: by the token's name, with its maker's role and units, as far as its scopes go. */
export function tokenAccount({ name, account, scopes }: Pick<TokenRow, "name" | "account" | "scopes">): Account {
  const held = permissionsOf(account);
  return {
    name: `${tokenPrefix}${name}`,
    role: account.role,
    units: account.units,
    scopes: scopes.filter((scope) => held.includes(scope)),
  };
}

/** What is shown in `Authorization: Bearer …`; null: there is no such header. An empty text is shown by nobody. */
export function bearerIn(header: string | undefined): string | null {
  if (header === undefined) return null;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? "";
}
