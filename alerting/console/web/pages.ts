import type { ComponentType } from "preact";
import type { LoggedIn } from "../api.ts";
import type { Permission } from "../roles.ts";

/** What every page beside the board is given. */
export interface PageProps {
  user: LoggedIn;
  /** The parts of the address after the page's own: `#/residents/38` → `["38"]`. */
  rest: readonly string[];
}

export interface PageModule {
  default: ComponentType<PageProps>;
}

/** A page in the navigation. Its code is fetched when it is first opened, so that the board is there at once. */
export interface PageEntry {
  id: "shift" | "history" | "residents" | "devices" | "visiting-list" | "rota" | "accounts" | "audit" | "account";
  /** `account`: it is everybody's. */
  needs: Permission | "account";
  /** Reached by a link from another page, and not in the navigation. */
  isHidden?: true;
  load(): Promise<PageModule>;
}

/** In the order of the navigation; the board stands before them. */
export const pages: readonly PageEntry[] = [
  { id: "shift", needs: "shift.read", load: () => import("./shift/shift-page.tsx") },
  { id: "history", needs: "episodes.read", load: () => import("./episode/history-page.tsx") },
  { id: "residents", needs: "residents.read", load: () => import("./residents/residents-page.tsx") },
  { id: "devices", needs: "devices.read", load: () => import("./devices/devices-page.tsx") },
  {
    id: "visiting-list",
    needs: "residents.read",
    isHidden: true,
    load: () => import("./devices/visiting-list-page.tsx"),
  },
  { id: "rota", needs: "rota.read", load: () => import("./rota/rota-page.tsx") },
  { id: "accounts", needs: "accounts.write", load: () => import("./accounts/accounts-page.tsx") },
  { id: "audit", needs: "audit.read", load: () => import("./audit/audit-page.tsx") },
  { id: "account", needs: "account", load: () => import("./accounts/own-account-page.tsx") },
];

/** Whether that page is this account's to open. */
export const mayOpen = ({ permissions }: LoggedIn, { needs }: PageEntry) =>
  needs === "account" || permissions.includes(needs);
