import { useEffect, useMemo, useState } from "preact/hooks";
import type { LoggedIn } from "../api.ts";
import { Console } from "./console.tsx";
import { draftsAreOf, forgetDraft, keepDraft } from "./drafts.ts";
import { chooseLanguage, chosenLanguage, createWords, type Language, WordsContext } from "./language.ts";
import { Login } from "./login.tsx";
import { getSession, logOut, whenSessionEnds } from "./server-calls.ts";

type Who = { kind: "asking" } | { kind: "nobody"; ended: boolean } | { kind: "user"; user: LoggedIn };

/** Asks who is logged in, and shows the login or the console, in the language chosen here or else the server's. */
export function App() {
  const [who, setWho] = useState<Who>({ kind: "asking" });
  const [language, setLanguage] = useState<Language>(chosenLanguage() ?? "sv");
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
        setWho(session.user ? { kind: "user", user: session.user } : { kind: "nobody", ended: false });
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
    // An account without the board has no stream that tells of it.
    whenSessionEnds(() => who.kind === "user" && ended());
  }, [who]);

  function changeLanguage(to: Language): void {
    chooseLanguage(to);
    setLanguage(to);
  }

  function ended(): void {
    keepDraft();
    setWho({ kind: "nobody", ended: true });
  }

  function leave(): void {
    // Logged out here even where the server can't be told: its session ends by itself.
    logOut().catch(() => undefined);
    forgetDraft();
    setWho({ kind: "nobody", ended: false });
  }

  return (
    <WordsContext.Provider value={words}>
      {who.kind === "asking" && <p class="waiting">{words.say("app.waiting")}</p>}
      {who.kind === "nobody" && (
        <Login ended={who.ended} onLanguage={changeLanguage} onUser={(user) => setWho({ kind: "user", user })} />
      )}
      {who.kind === "user" && <Console user={who.user} onLanguage={changeLanguage} onLogOut={leave} onEnded={ended} />}
    </WordsContext.Provider>
  );
}
