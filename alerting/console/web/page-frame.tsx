import { useEffect, useState } from "preact/hooks";
import type { LoggedIn } from "../api.ts";
import { useWords } from "./language.ts";
import { mayOpen, type PageModule, pages } from "./pages.ts";
import { hrefOf, type Route } from "./route.ts";

/** A page beside the board: fetched, refused in words, or missing. */
export function PageFrame({ user, route }: { user: LoggedIn; route: Route }) {
  const words = useWords();
  const entry = pages.find(({ id }) => id === route.page);
  const [module, setModule] = useState<PageModule | null>(null);
  const [failed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const isAllowed = entry !== undefined && mayOpen(user, entry);

  useEffect(() => {
    let stopped = false;
    setModule(null);
    setFailed(false);
    if (isAllowed) {
      entry.load().then(
        (loaded) => !stopped && setModule(loaded),
        () => !stopped && setFailed(true),
      );
    }
    return () => {
      stopped = true;
    };
  }, [entry, isAllowed, attempt]);

  if (!isAllowed) {
    return (
      <div class="calm">
        <p>{words.say(entry ? "frame.not-allowed" : "frame.unknown")}</p>
        {user.permissions.includes("episodes.read") && <a href={hrefOf("board")}>{words.say("frame.to-board")}</a>}
      </div>
    );
  }
  if (failed) {
    return (
      <div class="calm">
        <p>{words.say("frame.failed", { why: words.say("problem.no-contact") })}</p>
        <button type="button" onClick={() => setAttempt(attempt + 1)}>
          {words.say("frame.again")}
        </button>
      </div>
    );
  }
  if (!module) return <p class="waiting">{words.say("frame.loading")}</p>;
  const Page = module.default;
  return <Page user={user} rest={route.rest} />;
}
