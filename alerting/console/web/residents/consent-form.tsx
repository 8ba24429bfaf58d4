import type { LoggedIn } from "../../api.ts";
import { useServerNow } from "../clock-hook.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";
import { dayInput, noonOf } from "./day-input.ts";
import { dwellingPath, type OfDwelling, unitBody } from "./dwelling-address.ts";
import { keyWords } from "./dwelling-words.ts";

const yearMs = 365 * 86_400_000;

interface Props {
  user: LoggedIn;
  dwelling: OfDwelling;
  onDone(): void;
  onClose(): void;
}

/** Takes down one person's consent: who gave it, how they were informed, when, and when it is asked about again. Nothing is filled in for them. */
export function ConsentForm({ user, dwelling, onDone, onClose }: Props) {
  const words = useWords();
  const now = useServerNow();

  async function submit(form: FormData): Promise<string | undefined> {
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const [giver, how, date, review] = [text("giver"), text("how"), text("date"), text("review")];
    if (!text("person")) return words.say("residents.person-needed");
    if (giver.length < 2) return words.say("residents.giver-needed");
    if (giver.toLowerCase() === user.name.toLowerCase()) return words.say("residents.giver-self");
    if (how.length < 3) return words.say("residents.how-needed");
    const today = dayInput(now);
    if (!date || date > today) return words.say("residents.date-future");
    const reviewAt = noonOf(review);
    if (!(reviewAt > now && reviewAt <= noonOf(date) + 5 * yearMs - 86_400_000)) {
      return words.say("residents.review-wrong");
    }
    await call(dwellingPath(dwelling, "/consents"), "POST", {
      ...unitBody(dwelling),
      ...{ person: text("person"), giver, how, reviewAt },
      // Of today it is now.
      ...(date < today && { givenAt: noonOf(date) }),
    });
    onDone();
    return undefined;
  }

  return (
    <FormDialog
      title={words.say("residents.consent-title", { alias: keyWords(words, dwelling.key) })}
      onSubmit={submit}
      onClose={onClose}
    >
      <div class="residents-form">
        <p>{words.say("residents.consent-rule")}</p>
        <fieldset>
          <legend>{words.say("residents.consent-person")}</legend>
          {(["resident", "other"] as const).map((person) => (
            <label key={person} class="choice">
              <input type="radio" name="person" value={person} />
              {words.say(`residents.person.${person}`)}
            </label>
          ))}
        </fieldset>
        <label>
          {words.say("residents.consent-giver")}
          <input name="giver" autocomplete="off" maxLength={120} />
        </label>
        <label>
          {words.say("residents.consent-how")}
          <textarea name="how" rows={3} maxLength={300} />
        </label>
        <label>
          {words.say("residents.consent-date")}
          <input type="date" name="date" defaultValue={dayInput(now)} />
        </label>
        <label>
          {words.say("residents.consent-review-date")}
          <input type="date" name="review" defaultValue={dayInput(now + yearMs)} />
        </label>
      </div>
    </FormDialog>
  );
}
