import { useState } from "preact/hooks";
import type { LocalMoment } from "../../local-moment.ts";
import type { RotaChangeRequest, RotaRow, RotaView, RotaWeek } from "../../rota/api.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { call } from "../server-calls.ts";
import { useServerData } from "../server-data.tsx";
import { ChangePreview } from "./change-preview.tsx";
import { dayText, nameOf, peopleText, shiftText, spanText, timeText } from "./rota-words.ts";

type What = "hand-over" | "swap" | "instead" | "also";

interface Props {
  rota: RotaView;
  week: RotaWeek;
  /** The time on call, or the gap, that it began with. */
  row: RotaRow;
  onDone(): Promise<void>;
  onClose(): void;
}

/** As a field for date and time has it. */
const fieldText = ({ date, time }: LocalMoment) => `${date}T${time}`;

/** Asks what is to change, shows what that makes of the rota, and does it; whoever may not change it can show it to somebody who may. */
export function ChangeDialog({ rota, week, row, onDone, onClose }: Props) {
  const words = useWords();
  const { shift } = row;
  const choices: What[] =
    shift === null
      ? ["also"]
      : shift.isOverride
        ? ["instead", "also"]
        : shift.hasBegun
          ? ["hand-over", "instead", "also"]
          : ["hand-over", "swap", "instead", "also"];
  const [what, setWhat] = useState<What>(choices[0] as What);
  // As it was when the dialog opened: time goes on, and what nobody has touched still means "now", or the row's own beginning.
  const [given] = useState(() => {
    const begins = row.from.at > week.now.at ? row.from : week.now;
    return { from: fieldText(begins), until: fieldText(row.until), isNow: begins === week.now };
  });
  const [from, setFrom] = useState(given.from);
  const [until, setUntil] = useState(given.until);
  const [out, setOut] = useState(row.responders[0] ?? "");
  const [to, setTo] = useState("");
  const [other, setOther] = useState("");
  const [people, setPeople] = useState<readonly string[]>([]);

  // An hour that comes twice has one text for two moments: what nobody has touched goes back as the moment that it was.
  const begin = from !== given.from ? from : given.isNow ? undefined : row.from.at;
  const end = until === given.until ? row.until.at : until;

  function request(): RotaChangeRequest | null {
    if (what === "swap") {
      const [shiftId, startsAt] = other.split("@");
      if (!shift || !shiftId) return null;
      const own = { shiftId: shift.id, startsAt: shift.startsAt };
      return { kind: "swap", shifts: [own, { shiftId, startsAt: Number(startsAt) }] };
    }
    if (from === "" || until === "") return null;
    if (what === "hand-over") {
      if (!shift || to === "" || out === "") return null;
      return { kind: "hand-over", from: out, to, at: begin, until: end, shiftId: shift.id };
    }
    return people.length === 0
      ? null
      : { kind: "override", mode: what, from: begin, until: end, responders: [...people] };
  }

  /** What the server would refuse, in words of this page. */
  function complaint(): string | null {
    const isUntouched = from === given.from && until === given.until;
    if (what === "swap" || isUntouched || from === "" || until === "") return null;
    if (until <= from) return words.say("rota.ask-backwards");
    if (from !== given.from && from < fieldText(week.now)) return words.say("rota.ask-past");
    const isPast = what === "hand-over" && row.until.at === shift?.endsAt && until > given.until;
    return isPast ? words.say("rota.ask-too-long", { time: timeText(row.until) }) : null;
  }

  const wrong = complaint();
  const change = wrong === null ? request() : null;
  const title =
    shift === null
      ? words.say("rota.ask-fill", { rota: rota.name })
      : words.say("rota.ask-title", { what: `${shiftText(words, row)} ${spanText(words, row)}` });

  async function make(form: FormData): Promise<string | undefined> {
    if (!rota.mayChange) return undefined;
    if (!change) return wrong ?? words.say("rota.ask-incomplete");
    const acceptGaps = form.get("accept-gaps") === "on";
    await call(`/rotas/${encodeURIComponent(rota.id)}/changes`, "POST", { change, acceptGaps });
    await onDone();
    return undefined;
  }

  return (
    <FormDialog
      title={title}
      submit={words.say(rota.mayChange ? "rota.ask-submit" : "rota.ask-close")}
      onSubmit={make}
      onClose={onClose}
    >
      {choices.length > 1 && (
        <fieldset>
          <legend>{words.say("rota.ask-what")}</legend>
          {choices.map((choice) => (
            <label key={choice} class="choice">
              <input type="radio" name="what" checked={choice === what} onChange={() => setWhat(choice)} />
              {words.say(`rota.ask-${choice}`)}
            </label>
          ))}
        </fieldset>
      )}
      {what === "hand-over" && (
        <div class="rota-fields">
          <PersonChoice
            label={words.say("rota.ask-out")}
            ids={row.responders}
            week={week}
            value={out}
            onChoose={setOut}
          />
          <PersonChoice
            label={words.say("rota.ask-in")}
            ids={week.people.map(({ id }) => id).filter((id) => !row.responders.includes(id))}
            week={week}
            value={to}
            onChoose={setTo}
          />
        </div>
      )}
      {what === "swap" && <OtherShift rota={rota} week={week} row={row} value={other} onChoose={setOther} />}
      {(what === "instead" || what === "also") && (
        <fieldset>
          <legend>{words.say("rota.ask-people")}</legend>
          {week.people.map(({ id, name, getsTexts }) => (
            <label key={id} class="choice">
              <input
                type="checkbox"
                checked={people.includes(id)}
                onChange={(event) =>
                  setPeople(event.currentTarget.checked ? [...people, id] : people.filter((one) => one !== id))
                }
              />
              {name}
              {!getsTexts && <strong class="rota-bad"> {words.say("rota.no-texts-short")}</strong>}
            </label>
          ))}
        </fieldset>
      )}
      {what !== "swap" && (
        <div class="rota-fields">
          <label>
            {words.say("rota.ask-from")}
            <input type="datetime-local" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
          </label>
          <label>
            {words.say("rota.ask-until")}
            <input type="datetime-local" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
          </label>
        </div>
      )}
      {wrong !== null && <p class="failure">{wrong}</p>}
      {change === null && wrong === null && <p class="small">{words.say("rota.ask-incomplete")}</p>}
      {change !== null && <ChangePreview key={JSON.stringify(change)} rota={rota} week={week} change={change} />}
    </FormDialog>
  );
}

function PersonChoice({
  label,
  ids,
  week,
  value,
  onChoose,
}: {
  label: string;
  ids: readonly string[];
  week: RotaWeek;
  value: string;
  onChoose(id: string): void;
}) {
  const words = useWords();
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {value === "" && <option value="">{words.say("rota.ask-choose")}</option>}
        {ids.map((id) => (
          <option key={id} value={id}>
            {nameOf(id, week.people)}
            {week.people.find((one) => one.id === id)?.getsTexts === false && ` – ${words.say("rota.no-texts-short")}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Shifts of this week and the next that have not begun. */
function OtherShift({
  rota,
  week,
  row,
  value,
  onChoose,
}: Pick<Props, "rota" | "week" | "row"> & { value: string; onChoose(key: string): void }) {
  const words = useWords();
  const next = useServerData<RotaWeek>(week.next === null ? null : `/rotas?week=${week.next}`);
  const rows = [rota, ...(next.data?.rotas.filter(({ id }) => id === rota.id) ?? [])].flatMap(({ days }) =>
    days.flat(),
  );
  const seen = new Set<string>();
  const others = rows.filter((one) => {
    const { shift } = one;
    const key = `${shift?.id}@${shift?.startsAt}`;
    if (!shift || shift.isOverride || shift.hasBegun || seen.has(key)) return false;
    if (key === `${row.shift?.id}@${row.shift?.startsAt}`) return false;
    seen.add(key);
    return true;
  });
  return (
    <label class="rota-fields">
      {words.say("rota.ask-other")}
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {value === "" && <option value="">{words.say("rota.ask-choose")}</option>}
        {others.map((one) => (
          <option key={`${one.shift?.id}@${one.shift?.startsAt}`} value={`${one.shift?.id}@${one.shift?.startsAt}`}>
            {dayText(words, one.from.date)} {shiftText(words, one)}: {peopleText(words, one.responders, week.people)}
          </option>
        ))}
      </select>
    </label>
  );
}
