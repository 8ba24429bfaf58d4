import { areSimilar } from "../../../registry/aliases.ts";
import type { LoggedIn } from "../../api.ts";
import type { RegisterRow } from "../../residents/api.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";
import type { OfDwelling } from "./dwelling-address.ts";

interface Props {
  user: LoggedIn;
  dwellings: readonly RegisterRow[];
  onDone(added: OfDwelling): void;
  onClose(): void;
}

/** Adds a dwelling, before its first device. A key number that could be taken for a neighbour's is told with the neighbour's. */
export function NewDwellingForm({ user, dwellings, onDone, onClose }: Props) {
  const words = useWords();
  const known = (of: "unit" | "area") => [...new Set(dwellings.flatMap((row) => row[of] ?? []))].sort();
  const units = user.units ?? known("unit");

  async function submit(form: FormData): Promise<string | undefined> {
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const [key, unit, area] = [text("key"), text("unit"), text("area")];
    if (!key) return words.say("residents.key-needed");
    const near = dwellings.find(
      (row) =>
        (row.unit ?? "") === unit &&
        (row.area ?? "") === area &&
        row.key.toLowerCase() !== key.toLowerCase() &&
        areSimilar(row.key, key),
    );
    if (near) return words.say("residents.key-like", { key: near.key });
    const body = Object.fromEntries(
      ["key", "unit", "area", "room"].flatMap((name) => (text(name) ? [[name, text(name)]] : [])),
    );
    onDone(await call<{ key: string; unit: string | null }>("/residents", "POST", body));
    return undefined;
  }

  return (
    <FormDialog title={words.say("residents.new-title")} onSubmit={submit} onClose={onClose}>
      <div class="residents-form">
        <label>
          {words.say("residents.key")}
          <input name="key" autocomplete="off" maxLength={12} />
        </label>
        {user.units ? (
          <label>
            {words.say("residents.unit")}
            <select name="unit">
              {units.map((unit) => (
                <option key={unit} value={unit}>
                  {unit}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <label>
            {words.say("residents.unit")}
            <input name="unit" autocomplete="off" maxLength={60} list="residents-units" />
          </label>
        )}
        <datalist id="residents-units">
          {units.map((unit) => (
            <option key={unit} value={unit} />
          ))}
        </datalist>
        <label>
          {words.say("residents.area")} <small>{words.say("residents.area-hint")}</small>
          <input name="area" autocomplete="off" maxLength={40} list="residents-areas" />
        </label>
        <datalist id="residents-areas">
          {known("area").map((area) => (
            <option key={area} value={area} />
          ))}
        </datalist>
        <label>
          {words.say("residents.room")}
          <input name="room" autocomplete="off" maxLength={40} />
        </label>
        <p class="small">{words.say("residents.new-about")}</p>
      </div>
    </FormDialog>
  );
}
