import { useEffect, useMemo, useState } from "preact/hooks";
import type { LoggedIn } from "../api.ts";
import { CodeLogin } from "./code-login.tsx";
import { Console } from "./console.tsx";
import { draftsAreOf, forgetDraft, keepDraft } from "./drafts.ts";
import { chooseLanguage, chosenLanguage, createWords, type Language, WordsContext } from "./language.ts";
import { type Ended, Login } from "./login.tsx";
import { codePage, useRoute } from "./route.ts";
import { getSession, logOut } from "./server-calls.ts";

type Who = { kind: "asking" } | { kind: "nobody"; ended: Ended } | { kind: "user"; user: LoggedIn };

/** Asks who is logged in, and shows the login or the console, in the language chosen here or else the server's. */
export function App() {
  const [who, setWho] = useState<Who>({ kind: "asking" });
  const [language, setLanguage] = useState<Language>(chosenLanguage() ?? "sv");
  const route = useRoute();
  // Opened by a code that a manager showed: whoever was logged in here, it is somebody else's turn.
  const hasCode = route.page === codePage;
  const words = useMemo(() => createWords(language), [language]);

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  useEffect(() => {
    let stopped = false;
    let retry: ReturnType<typeof setTimeout>;
    async function ask(): Promise<void> {
      try {
        const session = await getSession();
        if (stopped) return;
        if (!chosenLanguage()) setLanguage(session.language);
        setWho(session.user ? { kind: "user", user: session.user } : { kind: "nobody", ended: null });
      } catch {
        if (!stopped) retry = setTimeout(() => void ask(), 1000);
      }
    }
    void ask();
    return () => {
      stopped = true;
      clearTimeout(retry);
    };
  }, []);

  useEffect(() => {
    if (who.kind === "user") draftsAreOf(who.user.name);
  }, [who]);

  function changeLanguage(to: Language): void {
    chooseLanguage(to);
    setLanguage(to);
  }

  function enter(user: LoggedIn): void {
    setWho({ kind: "user", user });
  }

  function ended(why: Ended): void {
    keepDraft();
    setWho({ kind: "nobody", ended: why });
  }

  function leave(): void {
    // Logged out here even where the server can't be told: its session ends by itself.
    logOut().catch(() => undefined);
    forgetDraft();
    setWho({ kind: "nobody", ended: null });
  }

  return (
    <WordsContext.Provider value={words}>
      {who.kind === "asking" && <p class="waiting">{words.say("app.waiting")}</p>}
      {hasCode && who.kind !== "asking" && <CodeLogin rest={route.rest} onLanguage={changeLanguage} onUser={enter} />}
      {!hasCode && who.kind === "nobody" && <Login ended={who.ended} onLanguage={changeLanguage} onUser={enter} />}
      {!hasCode && who.kind === "user" && (
        <Console user={who.user} onLanguage={changeLanguage} onLogOut={leave} onEnded={(why) => ended(why ?? "over")} />
      )}
    </WordsContext.Provider>
  );
}
