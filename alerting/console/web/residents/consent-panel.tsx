import { useState } from "preact/hooks";
import type { LoggedIn } from "../../api.ts";
import type { DwellingDetail, ShownConsents } from "../../residents/api.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords, type Words } from "../language.ts";
import { asCallFailed, type CallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";
import { ConsentForm } from "./consent-form.tsx";
import { dwellingPath, type OfDwelling, unitBody } from "./dwelling-address.ts";

type Consent = DwellingDetail["consent"];
type Shown = ShownConsents["consents"][number];

interface Props {
  user: LoggedIn;
  dwelling: OfDwelling;
  consent: Consent;
  onChanged(): void;
}

/** Whether everybody who lives there has consented: taken down, shown and withdrawn person by person. */
export function ConsentPanel({ user, dwelling, consent, onChanged }: Props) {
  const words = useWords();
  const [shown, setShown] = useState<Shown[] | null>(null);
  const [isAdding, setAdding] = useState(false);
  const [withdrawn, setWithdrawn] = useState<Shown | "everybody" | null>(null);
  const [failure, setFailure] = useState<CallFailed | null>(null);
  const mayWrite = user.permissions.includes("consents.write");

  async function show(): Promise<void> {
    setFailure(null);
    try {
      const { consents } = await call<ShownConsents>(
        dwellingPath(dwelling, "/consents/shown"),
        "POST",
        unitBody(dwelling),
      );
      setShown(consents);
    } catch (error) {
      setFailure(asCallFailed(error));
    }
  }

  function done(): void {
    setShown(null);
    onChanged();
  }

  return (
    <section aria-labelledby="consent-title">
      <h2 id="consent-title">{words.say("residents.consent")}</h2>
      <ConsentState consent={consent} words={words} />
      {shown && (
        <ul class="residents-list" aria-labelledby="consent-title">
          {shown.length === 0 && <li>{words.say("residents.consent-none")}</li>}
          {shown.map((one) => (
            <li key={one.id}>
              <b>{one.giver}</b>, {words.say(`residents.person.${one.person}`)}
              <br />
              {one.how}
              <br />
              <span class="small">
                {words.say("residents.consent-line", {
                  given: words.date(one.givenAt),
                  by: one.by,
                  review: words.date(one.reviewAt),
                })}
              </span>
              <button
                type="button"
                class="secondary"
                aria-label={words.say("residents.consent-withdraw-of", { giver: one.giver })}
                onClick={() => setWithdrawn(one)}
              >
                {words.say("residents.consent-withdraw")}
              </button>
            </li>
          ))}
        </ul>
      )}
      {mayWrite && (
        <>
          <div class="actions">
            <button type="button" class="secondary" onClick={() => setAdding(true)}>
              {words.say("residents.consent-add")}
            </button>
            {!shown && consent.records > 0 && (
              <button type="button" class="secondary" onClick={() => void show()}>
                {words.say("residents.consent-show")}
              </button>
            )}
            {consent.state === "given" && (
              <button type="button" class="secondary" onClick={() => setWithdrawn("everybody")}>
                {words.say("residents.consent-withdraw-all")}
              </button>
            )}
          </div>
          {!shown && consent.records > 0 && <p class="small">{words.say("residents.consent-show-about")}</p>}
        </>
      )}
      <div role="alert" class="failure">
        {failure && problemText(words, failure)}
      </div>
      {isAdding && <ConsentForm user={user} dwelling={dwelling} onDone={done} onClose={() => setAdding(false)} />}
      {withdrawn && (
        <FormDialog
          title={words.say("residents.withdraw-title")}
          submit={words.say("residents.withdraw-title")}
          onSubmit={async () => {
            const consentId = withdrawn === "everybody" ? {} : { consent: withdrawn.id };
            await call(dwellingPath(dwelling, "/consents/withdraw"), "POST", { ...unitBody(dwelling), ...consentId });
            done();
            return undefined;
          }}
          onClose={() => setWithdrawn(null)}
        >
          <p>
            {withdrawn === "everybody"
              ? words.say("residents.withdraw-everybody")
              : words.say("residents.withdraw-one", { giver: withdrawn.giver })}
          </p>
        </FormDialog>
      )}
    </section>
  );
}

function ConsentState({ consent, words }: { consent: Consent; words: Words }) {
  const { state, at, by, isRecorded, reviewAt, isReviewDue, lacking } = consent;
  const date = at === null ? "" : words.date(at);
  return (
    <>
      <p class={state === "given" ? "" : "residents-bad"}>
        <strong>{words.say(`residents.consent-${state}`, { date })}</strong>
      </p>
      {state === "given" && !isRecorded && <p>{words.say("residents.consent-vouched", { who: by ?? "?" })}</p>}
      {!(state === "given" && !isRecorded) && lacking.length > 0 && (
        <ul>
          {lacking.map((lack) => (
            <li key={lack}>{words.say(`residents.lacking.${lack}`)}</li>
          ))}
        </ul>
      )}
      {reviewAt !== null && (
        <p class={isReviewDue ? "residents-mind" : ""}>
          {words.say(isReviewDue ? "residents.consent-review-due" : "residents.consent-review", {
            date: words.date(reviewAt),
          })}
        </p>
      )}
    </>
  );
}
