import type { Placement } from "../../../../firmware-contracts/detection.ts";
import type { DeviceOptions } from "../../devices/api.ts";
import { useWords } from "../language.ts";
import { placements, placeWord } from "./device-words.ts";

/** What was filled in, without what was left empty. */
export function filled(form: FormData, names: readonly string[]): Record<string, string> {
  const values = names.map((name) => [name, String(form.get(name) ?? "").trim()] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== ""));
}

/** Which dwelling, by its key; what is in the register already is offered. */
export function DwellingFields({ options }: { options: DeviceOptions }) {
  const words = useWords();
  const units = [...new Set([...(options.units ?? []), ...options.keys.flatMap(({ unit }) => unit ?? [])])].sort();
  const areas = [...new Set(options.keys.flatMap(({ area }) => area ?? []))].sort();
  const optional = ` (${words.say("devices.new.optional")})`;
  const only = options.units?.length === 1 ? options.units[0] : undefined;
  return (
    <>
      <label>
        <b>{words.say("devices.new.key")}</b>
        <input name="key" required maxLength={60} autocomplete="off" />
      </label>
      <label>
        <b>{words.say("devices.unit")}</b>
        {options.units === null && optional}
        <input
          name="unit"
          list="devices-units"
          required={options.units !== null}
          defaultValue={only ?? (units.length === 1 ? units[0] : "")}
          maxLength={60}
          autocomplete="off"
        />
      </label>
      <label>
        <b>{words.say("devices.new.area")}</b>
        {optional}
        <input name="area" list="devices-areas" maxLength={60} autocomplete="off" />
      </label>
      <label>
        <b>{words.say("devices.new.room")}</b>
        {optional}
        <input name="room" maxLength={60} autocomplete="off" />
      </label>
      <datalist id="devices-units">
        {units.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <datalist id="devices-areas">
        {areas.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </>
  );
}

export function PlacementField({ label, now }: { label: string; now?: Placement }) {
  const words = useWords();
  return (
    <label>
      <b>{label}</b>
      <select name="placement">
        {placements.map((one) => (
          <option key={one} value={one} selected={one === (now ?? "wrist")}>
            {placeWord(words, one)}
          </option>
        ))}
      </select>
    </label>
  );
}
