import type { LoggedIn } from "../api.ts";
import { useWords } from "./language.ts";
import { mayOpen, pages } from "./pages.ts";
import { hrefOf } from "./route.ts";

/** The pages that this account may see. */
export function Navigation({ user, current }: { user: LoggedIn; current: string }) {
  const words = useWords();
  const own = pages.filter((entry) => !entry.isHidden && mayOpen(user, entry));
  const ids = [...(user.permissions.includes("episodes.read") ? (["board"] as const) : []), ...own.map(({ id }) => id)];
  if (ids.length < 2) return null;
  return (
    <nav class="pages-nav" aria-label={words.say("nav.title")}>
      {ids.map((id) => (
        <a key={id} href={hrefOf(id)} aria-current={id === current ? "page" : undefined}>
          {words.say(`nav.${id}`)}
        </a>
      ))}
    </nav>
  );
}
