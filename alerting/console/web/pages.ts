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
  id: "shift" | "residents" | "devices" | "rota" | "accounts";
  needs: Permission;
  load(): Promise<PageModule>;
}

/** In the order of the navigation; the board stands before them. */
export const pages: readonly PageEntry[] = [
  { id: "rota", needs: "rota.read", load: () => import("./rota/rota-page.tsx") },
];
