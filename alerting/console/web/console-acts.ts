import type { ConsoleAction, EpisodeView, LoggedIn } from "../api.ts";
import { asksForSomebody } from "./board-state.ts";

/** What is done with one press. Closing asks for an outcome first. */
export type Press = Exclude<ConsoleAction["action"], "close" | "undo">;

export interface Presses {
  /** What comes next: first, and large. */
  next: Press | null;
  others: readonly Press[];
}

/** What this account can do about an episode as it stands; on the board what is needed most, on its own page all of it. */
export function pressesFor(view: EpisodeView, user: LoggedIn, on: "board" | "page"): Presses {
  if (!user.permissions.includes("episodes.act") || view.status === "closed") return { next: null, others: [] };
  const isJourney = asksForSomebody(view);
  const isThere = view.status === "arrived";
  const all = on === "page";
  if (view.status === "open") return { next: "take", others: isJourney && all ? ["called-112"] : [] };
  // Taken by phone it is given back by phone, or by an operator whom they have rung.
  const mayGiveBack = view.status === "taken" && (view.takenBy === user.name || user.role === "operator");
  const giveBack: readonly Press[] = mayGiveBack ? ["cannot"] : [];
  if (!isJourney) return { next: null, others: giveBack };
  const withPerson: readonly Press[] = isThere || all ? ["two-needed", "called-112"] : [];
  const others: readonly Press[] = ["cannot-get-in", ...withPerson, ...giveBack];
  if (isThere) return { next: null, others };
  return view.onTheWayAt === null
    ? { next: "on-the-way", others: ["arrived", ...others] }
    : { next: "arrived", others };
}
