import { useState } from "preact/hooks";
import type { Role } from "../../roles.ts";
import { useWords } from "../language.ts";

const roles: readonly Role[] = ["responder", "operator", "installer", "manager", "auditor"];

interface Props {
  /** As they are now; left out: a new account. */
  role?: Role;
  units?: readonly string[] | null;
  /** Units that may be given. */
  known: readonly string[];
  /** Whether all units may be given. */
  mayGiveAll: boolean;
}

export interface RoleAndUnits {
  role: Role;
  units: string[] | null;
}

/** What the fields below say, or null where neither all units nor one is chosen. */
export function readRoleAndUnits(form: FormData): RoleAndUnits | null {
  const role = form.get("role") as Role;
  if (form.get("which") === "all") return { role, units: null };
  const further = String(form.get("further") ?? "")
    .split(",")
    .map((unit) => unit.trim())
    .filter((unit) => unit !== "");
  const units = [...new Set([...form.getAll("unit").map(String), ...further])];
  return units.length > 0 ? { role, units } : null;
}

/** Role and units of an account, with what each role is for. */
export function RoleAndUnitsFields({ role = "responder", units, known, mayGiveAll }: Props) {
  const words = useWords();
  const [all, setAll] = useState(mayGiveAll && units === null);
  return (
    <>
      <fieldset>
        <legend>{words.say("accounts.role")}</legend>
        {roles.map((one) => (
          <label key={one} class="choice">
            <input type="radio" name="role" value={one} defaultChecked={one === role} required />
            <span>
              {words.say(`role.${one}`)} <span class="small">{words.say(`accounts.role-${one}`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>{words.say("accounts.units")}</legend>
        {mayGiveAll && (
          <>
            <label class="choice">
              <input type="radio" name="which" value="all" checked={all} onChange={() => setAll(true)} />
              {words.say("accounts.units-all")}
            </label>
            <label class="choice">
              <input type="radio" name="which" value="some" checked={!all} onChange={() => setAll(false)} />
              {words.say("accounts.units-some")}
            </label>
          </>
        )}
        {!all &&
          known.map((unit) => (
            <label key={unit} class="choice accounts-unit">
              <input type="checkbox" name="unit" value={unit} defaultChecked={units?.includes(unit) ?? false} />
              {unit}
            </label>
          ))}
        {!all && mayGiveAll && (
          <label>
            {words.say("accounts.units-further")}
            <input name="further" maxLength={300} autocomplete="off" class="accounts-input" />
          </label>
        )}
      </fieldset>
    </>
  );
}
