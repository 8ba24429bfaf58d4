import { useState } from "preact/hooks";
import type { ResidentFlag } from "../../../registry/resident-flags.ts";
import type { ResidentSheet } from "../../residents/api.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords, type Words } from "../language.ts";
import { call } from "../server-calls.ts";
import { dwellingPath, type OfDwelling, unitBody } from "./dwelling-address.ts";
import { keyWords } from "./dwelling-words.ts";
import { phoneOf } from "./phone.ts";

/** In the order in which the sheet shows them; each of the contract's is here. */
const everyFlag: Record<ResidentFlag, true> = {
  "two-needed": true,
  "blood-thinner": true,
  hoist: true,
  oxygen: true,
  dog: true,
  "door-chain": true,
  "hard-of-hearing": true,
  "poor-sight": true,
  "other-language": true,
};
const flags = Object.keys(everyFlag) as ResidentFlag[];
const mostContacts = 10;

interface Props {
  dwelling: OfDwelling;
  /** Whose sheet is changed; null: a new one. */
  resident: ResidentSheet | null;
  onDone(): void;
  onClose(): void;
}

/** Takes down what staff must know at the door. */
export function ResidentForm({ dwelling, resident, onDone, onClose }: Props) {
  const words = useWords();
  const [contacts, setContacts] = useState(Math.max(2, resident?.contacts.length ?? 0));
  const alias = keyWords(words, dwelling.key);

  async function submit(form: FormData): Promise<string | undefined> {
    const text = (name: string) => String(form.get(name) ?? "").trim();
    if (!text("name")) return words.say("residents.name-needed");
    const called = contactsIn(words, text, contacts);
    if (typeof called === "string") return called;
    const optional = Object.fromEntries(
      ["address", "keyCode", "route", "note"].flatMap((name) => (text(name) ? [[name, text(name)]] : [])),
    );
    await call(dwellingPath(dwelling, "/residents"), "POST", {
      ...unitBody(dwelling),
      resident: { name: text("name"), ...optional, contacts: called, flags: form.getAll("flag") },
      ...(resident && { replaces: resident.id }),
    });
    onDone();
    return undefined;
  }

  return (
    <FormDialog
      title={words.say(resident ? "residents.change-title" : "residents.add-title", { alias })}
      onSubmit={submit}
      onClose={onClose}
    >
      <div class="sheet-form">
        <label>
          {words.say("residents.name")}
          <input name="name" autocomplete="off" maxLength={120} defaultValue={resident?.name ?? ""} />
        </label>
        <label>
          {words.say("residents.address")} <small>{words.say("residents.address-hint")}</small>
          <input name="address" autocomplete="off" maxLength={300} defaultValue={resident?.address ?? ""} />
        </label>
        <label>
          {words.say("residents.key-code")} <small>{words.say("residents.key-code-hint")}</small>
          <input name="keyCode" autocomplete="off" maxLength={60} defaultValue={resident?.keyCode ?? ""} />
        </label>
        <label>
          {words.say("residents.route")} <small>{words.say("residents.route-hint")}</small>
          <textarea name="route" rows={3} maxLength={1000} defaultValue={resident?.route ?? ""} />
        </label>
        <fieldset>
          <legend>{words.say("residents.flags")}</legend>
          {flags.map((flag) => (
            <label key={flag} class="choice">
              <input
                type="checkbox"
                name="flag"
                value={flag}
                defaultChecked={resident?.flags.includes(flag) ?? false}
              />
              {words.say(`residents.flag.${flag}`)}
            </label>
          ))}
        </fieldset>
        <label>
          {words.say("residents.note")}
          <textarea name="note" rows={2} maxLength={300} defaultValue={resident?.note ?? ""} />
        </label>
        <fieldset>
          <legend>{words.say("residents.contacts")}</legend>
          {Array.from({ length: contacts }, (_, i) => (
            <div key={i} class="sheet-contact">
              <label>
                {words.say("residents.contact-name", { number: i + 1 })}
                <input
                  name={`contact-${i}`}
                  autocomplete="off"
                  maxLength={120}
                  defaultValue={resident?.contacts[i]?.name ?? ""}
                />
              </label>
              <label>
                {words.say("residents.contact-phone", { number: i + 1 })}
                <input
                  name={`phone-${i}`}
                  type="tel"
                  autocomplete="off"
                  maxLength={30}
                  defaultValue={resident?.contacts[i]?.phone ?? ""}
                />
              </label>
            </div>
          ))}
          {contacts < mostContacts && (
            <button type="button" class="secondary" onClick={() => setContacts(contacts + 1)}>
              {words.say("residents.contact-more")}
            </button>
          )}
        </fieldset>
      </div>
    </FormDialog>
  );
}

/** The contacts as the server takes them, or what is wrong with one. */
function contactsIn(
  words: Words,
  text: (name: string) => string,
  count: number,
): { name: string; phone: string }[] | string {
  const found: { name: string; phone: string }[] = [];
  for (let i = 0; i < count; i++) {
    const [name, written] = [text(`contact-${i}`), text(`phone-${i}`)];
    const number = { number: i + 1 };
    if (!name && !written) continue;
    if (!name || !written) return words.say("residents.contact-incomplete", number);
    const read = phoneOf(written);
    if ("wrong" in read) {
      return words.say(read.wrong === "emergency" ? "residents.phone-emergency" : "residents.phone-wrong", number);
    }
    found.push({ name, phone: read.phone });
  }
  return found;
}
