import type { DeviceTest } from "../../devices/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords, type Words } from "../language.ts";

interface Step {
  text: string;
  hint?: string;
  state: "done" | "now" | "later";
}

/** The steps of a test alarm as far as they have come. */
export function stepsOf(words: Words, test: DeviceTest, now: number): Step[] {
  const { state, heardAt, heard, sms, phone, deviceId: device } = test;
  const isPassed = state === "passed";
  const isHeard = state === "asked" || isPassed;
  const isSent = isHeard && (sms === "accepted" || sms === "delivered" || isPassed);
  const stateOf = (isDone: boolean, isNext: boolean) => (isDone ? "done" : isNext ? "now" : "later");
  return [
    {
      text:
        isHeard && heardAt !== null
          ? words.say("devices.test.step.heard", { time: words.time(heardAt, now), kind: heard ?? "fall" })
          : words.say("devices.test.step.press"),
      ...(isHeard ? {} : { hint: words.say("devices.test.step.press-hint") }),
      state: stateOf(isHeard, true),
    },
    {
      text:
        isHeard && phone !== null && sms !== null
          ? words.say("devices.test.step.sms-sent", { phone, status: words.say(`page.${sms}`) })
          : phone === null
            ? words.say("devices.test.step.sms")
            : words.say("devices.test.step.sms-to", { phone }),
      state: stateOf(isSent, isHeard),
    },
    {
      text: words.say("devices.test.step.answer"),
      ...(isPassed ? {} : { hint: words.say("devices.test.step.answer-hint") }),
      state: stateOf(isPassed, isSent),
    },
    ...(isPassed ? [{ text: words.say("devices.test.step.passed", { device }), state: "done" as const }] : []),
  ];
}

export function TestSteps({ test }: { test: DeviceTest }) {
  const words = useWords();
  const now = useServerNow();
  const steps = stepsOf(words, test, now);
  const current = steps.find(({ state }) => state === "now") ?? steps.at(-1);
  return (
    <>
      <p class="unseen" role="status">
        {current?.text}
      </p>
      <ol class="devices-steps">
        {steps.map(({ text, hint, state }, at) => (
          <li key={text} class={state} aria-current={state === "now" ? "step" : undefined}>
            <span class="devices-number" aria-hidden="true">
              {state === "done" ? "✓" : at + 1}
            </span>
            <span>
              <strong>{text}</strong>
              <span class="unseen"> ({words.say(`devices.test.step.${state}`)})</span>
              {hint && <span class="devices-hint">{hint}</span>}
            </span>
          </li>
        ))}
      </ol>
      {test.state === "asked" && test.wrong > 0 && (
        <p role="alert" class="failure">
          {words.say("devices.test.wrong", { count: test.wrong })}
        </p>
      )}
      {test.state === "asked" && test.sms === "failed" && (
        <p role="alert" class="failure">
          {words.say("devices.test.sms-failed", { phone: test.phone ?? "" })}
        </p>
      )}
    </>
  );
}
