import type { PoliciesView, PolicyStepView, PolicyView } from "../../policies/api.ts";
import { useWords } from "../language.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { DryRunForm } from "./dry-run-form.tsx";
import { PolicyTimeline } from "./policy-timeline.tsx";
import { phonesText, stepText, waitText } from "./policy-words.ts";

/** Who is paged in which order, in words and as a line of time; and whom an alarm would page. */
export function PoliciesPage() {
  const words = useWords();
  const data = useServerData<PoliciesView>("/policies");
  return (
    <>
      <h1>{words.say("rota.policies-title")}</h1>
      <Loaded of={data}>
        {(shown) => (
          <>
            <DryRunForm policies={shown} />
            {shown.policies.map((policy) => (
              <Policy key={policy.id} policy={policy} all={shown} />
            ))}
            <Technical all={shown} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Steps({ steps, operators }: { steps: readonly PolicyStepView[]; operators: PoliciesView["operators"] }) {
  const words = useWords();
  return (
    <>
      <PolicyTimeline steps={steps} operators={operators} />
      <ol class="rota-steps">
        {steps.map((step, index) => (
          <li key={index}>
            {words.say(index === steps.length - 1 ? "rota.policy-step-last" : "rota.policy-step", {
              who: stepText(words, step),
              wait: waitText(words, step.waitSeconds),
            })}
          </li>
        ))}
      </ol>
    </>
  );
}

function Policy({ policy, all }: { policy: PolicyView; all: PoliciesView }) {
  const words = useWords();
  const { id, unit, kinds, receiptSeconds, operatorsFirstDays } = policy;
  return (
    <section class="rota-policy" aria-labelledby={`policy-${id}`}>
      <h2 id={`policy-${id}`}>
        {id === null ? words.say("rota.policy-common") : words.say("rota.policy-named", { id })}{" "}
        <span class="count">{words.say("rota.policy-version", { version: policy.version })}</span>
      </h2>
      <p>
        {id === null
          ? words.say("rota.policy-for-rest")
          : words.say("rota.policy-for", {
              ...{
                unit: unit ?? "all",
                kinds: kinds.map((kind) => words.say(`rota.kind-${kind}`).toLowerCase()).join(", "),
              },
            })}
      </p>
      <Steps steps={policy.steps} operators={all.operators} />
      <ul class="rota-limits">
        <li>{words.say("rota.policy-last", { people: phonesText(words, all.operators) })}</li>
        {receiptSeconds !== null && <li>{words.say("rota.policy-receipt", { seconds: receiptSeconds })}</li>}
        <li>{words.say("rota.policy-set-off", { minutes: policy.setOffMinutes, grace: policy.graceMinutes })}</li>
        <li>{words.say("rota.policy-arrive", { minutes: policy.arriveMinutes })}</li>
        <li>{words.say("rota.policy-outcome", { minutes: policy.outcomeMinutes })}</li>
        {operatorsFirstDays > 0 && <li>{words.say("rota.policy-operators-first", { days: operatorsFirstDays })}</li>}
        <li>
          {all.keyHolders.length === 0
            ? words.say("rota.policy-no-keys")
            : words.say("rota.policy-keys", { people: phonesText(words, all.keyHolders) })}
        </li>
      </ul>
    </section>
  );
}

function Technical({ all }: { all: PoliciesView }) {
  const words = useWords();
  const { technical } = all;
  return (
    <section class="rota-policy" aria-labelledby="policy-technical">
      <h2 id="policy-technical">
        {words.say("rota.policy-technical")}{" "}
        <span class="count">{words.say("rota.policy-version", { version: technical.version })}</span>
      </h2>
      <Steps steps={technical.steps} operators={all.operators} />
      <ul class="rota-limits">
        <li>{words.say("rota.policy-repeat", { minutes: technical.repeatMinutes })}</li>
        <li>{words.say("rota.policy-gather", { minutes: technical.digestMinutes })}</li>
        {technical.quietHours && <li>{words.say("rota.policy-quiet", technical.quietHours)}</li>}
      </ul>
    </section>
  );
}
