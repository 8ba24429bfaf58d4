import { useState } from "preact/hooks";
import type { LoggedIn } from "../../api.ts";
import type { DwellingDetail } from "../../residents/api.ts";
import { useWords } from "../language.ts";
import { asCallFailed, type CallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";
import { dwellingPath, type OfDwelling, unitBody } from "./dwelling-address.ts";

const kinds = ["alone", "shared", "unknown"] as const;

interface Props {
  user: LoggedIn;
  dwelling: OfDwelling;
  data: DwellingDetail;
  onChanged(): Promise<void>;
}

/** Whether the resident lives alone: it decides whose consent is needed, and whether presence sensors count. */
export function Household({ user, dwelling, data, onChanged }: Props) {
  const words = useWords();
  const [failure, setFailure] = useState<CallFailed | null>(null);
  // What was pressed stands until the server's word is here.
  const [chosen, setChosen] = useState<(typeof kinds)[number] | null>(null);
  const now = chosen ?? data.household ?? "unknown";

  async function choose(kind: (typeof kinds)[number]): Promise<void> {
    setFailure(null);
    setChosen(kind);
    try {
      const household = kind === "unknown" ? null : kind;
      await call(dwellingPath(dwelling, "/household"), "PUT", { ...unitBody(dwelling), household });
    } catch (error) {
      setFailure(asCallFailed(error));
    }
    await onChanged();
    setChosen(null);
  }

  return (
    <section aria-labelledby="home-title">
      <h2 id="home-title">{words.say("residents.home")}</h2>
      <p>
        {words.say("residents.people", { count: data.residents })}, {words.say(`residents.household.${now}`)}.
      </p>
      {user.permissions.includes("residents.write") && (
        <fieldset class="residents-choices">
          <legend class="unseen">{words.say("residents.home")}</legend>
          {kinds.map((kind) => (
            <label key={kind} class="choice">
              <input type="radio" name="household" checked={kind === now} onChange={() => void choose(kind)} />
              {words.say(`residents.home-${kind}`)}
            </label>
          ))}
        </fieldset>
      )}
      <div role="alert" class="failure">
        {failure && problemText(words, failure)}
      </div>
      <p class="small">{words.say("residents.home-about")}</p>
    </section>
  );
}
