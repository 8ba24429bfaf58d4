import type { ShiftPhone } from "../../../shift/phones.ts";
import type { HandedOver, ShiftNow } from "../../shift/api.ts";
import { aliasOf } from "../episode-words.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";
import { heldWords } from "./shift-words.ts";

interface Props {
  rotaId: string;
  phone: ShiftPhone;
  onDone(said: string): void;
  onClose(): void;
}

/** No run of digits that could be a phone's or an identity number. */
const looksLikeNumber = /\d[\d\s-]{5,}/;

/** Who is with the phone, in initials. */
export function CrewDialog({ rotaId, phone, onDone, onClose }: Props) {
  const words = useWords();
  async function save(form: FormData): Promise<string | undefined> {
    const crew = String(form.get("crew") ?? "").trim();
    if (crew === "" || crew.length > 40 || looksLikeNumber.test(crew)) return words.say("shift.crew.wrong");
    await call("/shift/crew", "POST", { rotaId, responderId: phone.responderId, crew });
    onDone("");
    return undefined;
  }
  return (
    <FormDialog title={words.say("shift.crew.title", { name: phone.name })} onSubmit={save} onClose={onClose}>
      <label class="shift-field">
        {words.say("shift.crew.label")}
        <input name="crew" defaultValue={phone.crew ?? ""} maxLength={40} autocomplete="off" />
      </label>
      <p class="small">{words.say("shift.crew.help")}</p>
    </FormDialog>
  );
}

/** Hands the rest of a shift over to another phone, with the alarms that are ticked. */
export function HandOverDialog({
  rotaId,
  phone,
  others,
  now,
  onDone,
  onClose,
}: Props & { others: ShiftNow["responders"]; now: number }) {
  const words = useWords();
  const { name, holds } = phone;
  const movable = holds.filter(({ status }) => status === "taken");
  const staying = holds.filter(({ status }) => status === "arrived");

  async function handOver(form: FormData): Promise<string | undefined> {
    const to = String(form.get("to") ?? "");
    if (to === "") return words.say("shift.hand-over.none");
    const handOn = form.getAll("held").map(String);
    const body = { rotaId, from: phone.responderId, to, shiftId: phone.shiftId, handOn };
    const { handedOn, kept } = await call<HandedOver>("/shift/hand-over", "POST", body);
    const said = [words.say("shift.hand-over.done", { name: others.find(({ id }) => id === to)?.name ?? to })];
    if (handedOn.length > 0) said.push(words.say("shift.hand-over.handed", { count: handedOn.length }));
    if (kept.length > 0) said.push(words.say("shift.hand-over.kept", { count: kept.length }));
    onDone(said.join(" "));
    return undefined;
  }

  return (
    <FormDialog
      title={words.say("shift.hand-over.title", { name })}
      submit={words.say("shift.hand-over.act")}
      onSubmit={handOver}
      onClose={onClose}
    >
      <label class="shift-field">
        {words.say("shift.hand-over.to")}
        <select name="to">
          <option value="">{words.say("shift.hand-over.choose")}</option>
          {others.map((other) => (
            <option key={other.id} value={other.id} disabled={!other.isReached}>
              {other.isReached ? other.name : words.say("shift.hand-over.lost", { name: other.name })}
            </option>
          ))}
        </select>
      </label>
      <p class="small">{words.say("shift.hand-over.help")}</p>
      {movable.length > 0 && (
        <fieldset>
          <legend>{words.say("shift.hand-over.holds", { name })}</legend>
          {movable.map((held) => (
            <label key={held.id} class="choice">
              {/* Whoever is nearly there goes on; who has not set off does not leave the building with it. */}
              <input type="checkbox" name="held" value={held.id} defaultChecked={held.onTheWayAt === null} />
              <span>
                {aliasOf(words, held)}, {heldWords(words, held, now)}
              </span>
            </label>
          ))}
          <p class="small">{words.say("shift.hand-over.holds-help", { name })}</p>
        </fieldset>
      )}
      {staying.map((held) => (
        <p key={held.id}>{words.say("shift.hand-over.stays", { alias: aliasOf(words, held), name })}</p>
      ))}
    </FormDialog>
  );
}
