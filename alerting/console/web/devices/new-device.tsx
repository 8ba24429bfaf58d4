import type { TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import type { DeviceOptions, DeviceSetUp } from "../../devices/api.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { asCallFailed, call } from "../server-calls.ts";
import { Loaded, problemText, useServerData } from "../server-data.tsx";
import { DwellingFields, filled, PlacementField } from "./fields.tsx";
import { SetUp } from "./set-up.tsx";

/** Adds a device, and shows what it needs to come in. */
export function NewDevice() {
  const words = useWords();
  const options = useServerData<DeviceOptions>("/devices/options", 600_000);
  const [setUp, setSetUp] = useState<DeviceSetUp | null>(null);
  if (setUp) return <SetUp setUp={setUp} isNew onDone={() => setSetUp(null)} />;
  return (
    <section aria-labelledby="devices-new-title" class="devices-form">
      <a class="devices-back" href={hrefOf("devices")}>
        ← {words.say("devices.back")}
      </a>
      <h1 id="devices-new-title">{words.say("devices.new.title")}</h1>
      <Loaded of={options}>{(given) => <Form options={given} onAdded={setSetUp} />}</Loaded>
    </section>
  );
}

function Form({ options, onAdded }: { options: DeviceOptions; onAdded(setUp: DeviceSetUp): void }) {
  const words = useWords();
  const [sending, setSending] = useState(false);
  const [complaint, setComplaint] = useState<string | null>(null);

  async function send(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setSending(true);
    setComplaint(null);
    try {
      const body = {
        ...filled(form, ["deviceId", "placement", "key", "area", "unit", "room", "broker"]),
        ...(form.get("leadsOut") === "on" && { leadsOut: true }),
      };
      onAdded(await call<DeviceSetUp>("/devices", "POST", body));
    } catch (error) {
      setComplaint(problemText(words, asCallFailed(error)));
      setSending(false);
    }
  }

  return (
    <form onSubmit={send}>
      <label>
        <b>{words.say("devices.new.id")}</b>
        <span class="small">{words.say("devices.new.id-hint")}</span>
        <input
          name="deviceId"
          required
          minLength={3}
          maxLength={32}
          pattern="[a-z0-9][a-z0-9\-]+"
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      <DwellingFields options={options} />
      <PlacementField label={words.say("devices.new.placement")} />
      <label class="choice">
        <input type="checkbox" name="leadsOut" /> {words.say("devices.new.leads-out")}
      </label>
      <label>
        <b>{words.say("devices.new.broker")}</b>
        <span class="small">{words.say("devices.new.broker-hint")}</span>
        <input name="broker" type="text" inputMode="url" defaultValue={options.broker ?? ""} autocapitalize="none" />
      </label>
      <p class="small">{words.say("devices.new.consent")}</p>
      <div role="alert" class="failure">
        {complaint}
      </div>
      <button type="submit" class="primary" disabled={sending}>
        {words.say(sending ? "form.sending" : "devices.new.submit")}
      </button>
    </form>
  );
}
