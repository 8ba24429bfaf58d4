import type { DeviceDetail, DeviceOptions, DeviceSetUp } from "../../devices/api.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { DwellingFields, filled, PlacementField } from "./fields.tsx";

export type DeviceAct = "move" | "placement" | "store" | "secret" | "revoke";

interface Props {
  act: DeviceAct;
  device: DeviceDetail;
  onSecret(setUp: DeviceSetUp): void;
  onClose(): void;
}

/** Asks before anything is done to a device, and says what follows from it. */
export function DeviceActDialog({ act, device, onSecret, onClose }: Props) {
  const words = useWords();
  const { deviceId } = device;
  const change = (what: DeviceAct, body?: unknown) =>
    call<unknown>(`/devices/${encodeURIComponent(deviceId)}/${what}`, "POST", body);

  async function submit(form: FormData): Promise<string | undefined> {
    if (act === "placement") await change(act, filled(form, ["placement"]));
    else if (act === "move") await change(act, filled(form, ["key", "unit", "area", "room", "placement"]));
    else if (act === "secret") {
      const body = { ...filled(form, ["broker"]), now: form.get("now") === "on" };
      onSecret((await change(act, body)) as DeviceSetUp);
    } else if (act === "revoke" && form.get("confirm") !== deviceId) return words.say("devices.revoke.mismatch");
    else await change(act);
    return undefined;
  }

  const title =
    act === "placement" ? words.say("devices.act.placement") : words.say(`devices.${act}.title`, { device: deviceId });
  return (
    <FormDialog title={title} submit={words.say(`devices.act.${act}`)} onSubmit={submit} onClose={onClose}>
      {act === "placement" && <PlacementField label={words.say("devices.placement.label")} now={device.placement} />}
      {(act === "move" || act === "secret") && <WithOptions act={act} device={device} />}
      <p class={act === "secret" ? "" : "warning"}>{words.say(`devices.${act}.warning`)}</p>
      {act === "secret" && (
        <label class="choice">
          <input type="checkbox" name="now" /> {words.say("devices.secret.now")}
        </label>
      )}
      {act === "revoke" && (
        <label class="devices-field">
          <b>{words.say("devices.revoke.confirm")}</b>
          <input name="confirm" required autocomplete="off" autocapitalize="none" spellcheck={false} />
        </label>
      )}
    </FormDialog>
  );
}

/** Fields that offer what the server knows. */
function WithOptions({ act, device }: { act: "move" | "secret"; device: DeviceDetail }) {
  const words = useWords();
  const options = useServerData<DeviceOptions>("/devices/options", 600_000);
  return (
    <Loaded of={options}>
      {(given) =>
        act === "move" ? (
          <div class="devices-fields">
            <DwellingFields options={given} />
            <PlacementField label={words.say("devices.new.placement")} now={device.placement} />
          </div>
        ) : (
          <label class="devices-field">
            <b>{words.say("devices.new.broker")}</b>
            <input name="broker" type="text" inputMode="url" defaultValue={given.broker ?? ""} autocapitalize="none" />
          </label>
        )
      }
    </Loaded>
  );
}
