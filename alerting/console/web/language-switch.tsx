import { type Language, useWords } from "./language.ts";

/** Each language is written in itself, so that nobody is stuck in the other one. */
export function LanguageSwitch({ onLanguage }: { onLanguage(language: Language): void }) {
  const words = useWords();
  return (
    <label class="language">
      <span class="unseen">{words.say("app.language")}</span>
      <select value={words.language} onChange={(event) => onLanguage(event.currentTarget.value as Language)}>
        <option value="sv" lang="sv">
          Svenska
        </option>
        <option value="en" lang="en">
          English
        </option>
      </select>
    </label>
  );
}
