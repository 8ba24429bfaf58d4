import type { TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import type { LoggedIn } from "../../api.ts";
import type { DeviceTest } from "../../devices/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { countdownOf } from "../episode-words.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { asCallFailed, call } from "../server-calls.ts";
import { Loaded, problemText, useServerData } from "../server-data.tsx";
import { TestSteps } from "./test-steps.tsx";

/** How far it has come is asked for this often, ms. */
const everyMs = 1_500;

/**
 * Puts a device into operation by a test alarm: what to do now, and how far it has come. The key number stands nowhere on it: whoever answers has it
 * from the key in their hand, in the dwelling.
 */
export function TestPage({ id, user }: { id: string; user: LoggedIn }) {
  const words = useWords();
  const path = `/devices/${encodeURIComponent(id)}/test`;
  const answer = useServerData<DeviceTest>(path, everyMs);
  const mayTest = user.permissions.includes("devices.write");
  return (
    <section class="devices-test" aria-labelledby="devices-test-title">
      <a class="devices-back" href={hrefOf("devices", id)}>
        ← {id}
      </a>
      <h1 id="devices-test-title">{words.say("devices.test.title", { device: id })}</h1>
      <Loaded of={answer}>
        {(test) => <Test test={test} path={path} mayTest={mayTest} onChanged={answer.reload} />}
      </Loaded>
    </section>
  );
}

interface Props {
  test: DeviceTest;
  path: string;
  mayTest: boolean;
  onChanged(): Promise<void>;
}

function Test({ test, path, mayTest, onChanged }: Props) {
  const words = useWords();
  const { state, operation, deviceId: device } = test;
  const isOpen = state === "waiting" || state === "asked";
  if (operation === "in-store") return <p class="calm">{words.say("devices.test.in-store", { device })}</p>;
  if (operation === "in-operation" && state !== "passed") {
    return (
      <div class="calm">
        <p>
          <strong>{words.say("devices.test.in-operation", { device })}</strong>
        </p>
        <p>{words.say("devices.test.in-operation-detail")}</p>
      </div>
    );
  }
  // One that passed, and was undone by a move or another placement, is of before.
  const isPassed = state === "passed" && operation === "in-operation";
  const isOver = state === "no-alarm" || state === "unanswered" || state === "called-off";
  return (
    <>
      {isOver && (
        <div class="devices-over" role="status">
          <strong>{words.say(`devices.test.${state}`)}</strong>
          <p>{words.say(`devices.test.${state}-detail`, { device })}</p>
        </div>
      )}
      {(isOpen || isPassed) && <TestSteps test={test} />}
      {isOpen && <Left test={test} />}
      {isOpen && mayTest && <Stop test={test} path={path} onChanged={onChanged} />}
      {!(isOpen || isPassed) && <Begin test={test} path={path} mayTest={mayTest} onChanged={onChanged} />}
    </>
  );
}

function Begin({ test, path, mayTest, onChanged }: Props) {
  const words = useWords();
  const [sending, setSending] = useState(false);
  const [complaint, setComplaint] = useState<string | null>(null);
  const { phones, state, testMinutes } = test;
  if (!mayTest) return <p class="calm">{words.say("devices.test.not-allowed")}</p>;

  async function begin(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const to = String(new FormData(event.currentTarget).get("to") ?? "");
    setSending(true);
    setComplaint(null);
    try {
      await call(path, "POST", to === "" ? {} : { to });
      await onChanged();
    } catch (error) {
      setComplaint(problemText(words, asCallFailed(error)));
    } finally {
      setSending(false);
    }
  }

  return (
    <form onSubmit={begin} class="devices-form">
      <p>{words.say("devices.test.why")}</p>
      <fieldset>
        <legend>{words.say("devices.test.phone")}</legend>
        <p class="small">{words.say("devices.test.choice-hint")}</p>
        <label class="choice">
          <input type="radio" name="to" value="" defaultChecked /> {words.say("devices.test.on-call")}
        </label>
        {phones.map(({ id, name, isOnCall }) => (
          <label key={id} class="choice">
            <input type="radio" name="to" value={id} />
            {words.say("devices.test.choice", { name, onCall: isOnCall ? "yes" : "no" })}
          </label>
        ))}
      </fieldset>
      <p class="small">{words.say("devices.test.minutes", { minutes: testMinutes })}</p>
      <div role="alert" class="failure">
        {complaint}
      </div>
      <button type="submit" class="primary" disabled={sending}>
        {sending
          ? words.say("form.sending")
          : words.say(state === "none" || state === "passed" ? "devices.test.begin" : "devices.test.again")}
      </button>
    </form>
  );
}

function Left({ test: { untilAt } }: { test: DeviceTest }) {
  const words = useWords();
  const now = useServerNow();
  if (untilAt === null) return null;
  return <p class="devices-left">{words.say("devices.test.left", { time: countdownOf(untilAt - now) })}</p>;
}

function Stop({ test, path, onChanged }: Omit<Props, "mayTest">) {
  const words = useWords();
  const [asked, setAsked] = useState(false);
  return (
    <>
      <button type="button" class="secondary" onClick={() => setAsked(true)}>
        {words.say("devices.test.stop")}
      </button>
      {asked && (
        <FormDialog
          title={words.say("devices.test.stop")}
          submit={words.say("devices.test.stop")}
          onClose={() => setAsked(false)}
          onSubmit={async () => {
            await call(path, "DELETE");
            await onChanged();
            return undefined;
          }}
        >
          <p class="warning">
            {words.say(test.state === "asked" ? "devices.test.stop-asked" : "devices.test.stop-waiting")}
          </p>
        </FormDialog>
      )}
    </>
  );
}
