import type { TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import type { DryRunRequest, DryRunView, PoliciesView } from "../../policies/api.ts";
import { useWords } from "../language.ts";
import { asCallFailed, type CallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";
import { DryRunResult } from "./dry-run-result.tsx";

const kinds = ["fall", "help", "welfare", "technical"] as const;
const answers = ["nobody", "declined", "not-set-off"] as const;
/** Those that are of interest here: of each sort one that waits in quiet hours and one that does not. */
const troubles = [
  "gateway-lost",
  "broker-lost",
  "device-overdue",
  "contact-unreachable",
  "rota-gap",
  "sensor-overdue",
  "battery-low",
  "tamper",
] as const;

/** Asks whom an alarm at some time would page, and shows the answer. Nobody is paged. */
export function DryRunForm({ policies }: { policies: PoliciesView }) {
  const words = useWords();
  const [kind, setKind] = useState<(typeof kinds)[number]>("fall");
  // What nobody has touched means now, and not the minute in which the page was opened.
  const [opened] = useState(`${policies.now.date}T${policies.now.time}`);
  const [asking, setAsking] = useState(false);
  const [answer, setAnswer] = useState<{ asked: DryRunRequest; view: DryRunView } | null>(null);
  const [failure, setFailure] = useState<CallFailed | null>(null);

  async function ask(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const asked = {
      ...(form.get("at") === opened ? {} : { at: String(form.get("at")) }),
      unit: String(form.get("unit") ?? "") || null,
      kind,
      strength: form.get("strength") ?? "strong",
      trouble: form.get("trouble") ?? "gateway-lost",
      newResident: form.get("new") === "on",
      answers: form.get("answers"),
      busy: form.getAll("busy"),
    } as DryRunRequest;
    setAsking(true);
    try {
      setAnswer({ asked, view: await call<DryRunView>("/policies/dry-run", "POST", asked) });
      setFailure(null);
    } catch (error) {
      setFailure(asCallFailed(error));
      setAnswer(null);
    } finally {
      setAsking(false);
    }
  }

  return (
    <section class="rota-try" aria-labelledby="try-title">
      <h2 id="try-title">{words.say("rota.try-title")}</h2>
      <p class="small">{words.say("rota.try-intro")}</p>
      <form onSubmit={ask}>
        <div class="rota-fields">
          <label>
            {words.say("rota.try-when")}
            <input type="datetime-local" name="at" required defaultValue={opened} />
          </label>
          <label>
            {words.say("rota.try-unit")}
            <select name="unit">
              {policies.units.map((unit) => (
                <option key={unit}>{unit}</option>
              ))}
              <option value="">{words.say("rota.try-no-unit")}</option>
            </select>
          </label>
          <label>
            {words.say("rota.try-kind")}
            <select value={kind} onChange={(event) => setKind(event.currentTarget.value as typeof kind)}>
              {kinds.map((one) => (
                <option key={one} value={one}>
                  {words.say(`rota.kind-${one}`)}
                </option>
              ))}
            </select>
          </label>
          {kind === "fall" && (
            <label>
              {words.say("rota.try-strength")}
              <select name="strength">
                <option value="strong">{words.say("rota.try-strong")}</option>
                <option value="medium">{words.say("rota.try-medium")}</option>
              </select>
            </label>
          )}
          {kind === "technical" && (
            <label>
              {words.say("rota.try-trouble")}
              <select name="trouble">
                {troubles.map((one) => (
                  <option key={one} value={one}>
                    {words.say(`rota.trouble-${one}`)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <label>
            {words.say("rota.try-answers")}
            <select name="answers">
              {answers.map((one) => (
                <option key={one} value={one}>
                  {words.say(`rota.try-${one}`)}
                </option>
              ))}
            </select>
          </label>
        </div>
        {kind === "fall" && (
          <label class="choice">
            <input type="checkbox" name="new" />
            {words.say("rota.try-new")}
          </label>
        )}
        <details>
          <summary>{words.say("rota.try-busy")}</summary>
          {policies.people.map(({ id, name }) => (
            <label key={id} class="choice">
              <input type="checkbox" name="busy" value={id} />
              {name}
            </label>
          ))}
        </details>
        <button type="submit" class="primary" disabled={asking}>
          {words.say("rota.try-submit")}
        </button>
      </form>
      <div aria-live="polite">
        {failure && <p class="failure">{problemText(words, failure)}</p>}
        {answer && <DryRunResult {...answer} />}
      </div>
    </section>
  );
}
