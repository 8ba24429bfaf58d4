import type { RotaDayView, RotaRow, RotaView, RotaWeek } from "../../rota/api.ts";
import { useWords } from "../language.ts";
import { dayText, nameOf, peopleText, shiftText, timeText } from "./rota-words.ts";

interface Props {
  rota: RotaView;
  week: RotaWeek;
  /** A row that is to be changed. */
  onAsk(row: RotaRow): void;
}

/** The week as a list for each day, for a phone. Days that are over stand behind a press: what is now is what is looked for. */
export function DayList({ rota, week, onAsk }: Props) {
  const words = useWords();
  const days = week.days.map((day, index) => ({ day, rows: rota.days[index] ?? [] }));
  const isOver = ({ until }: RotaDayView) => until <= week.now.at;
  const show = ({ day, rows }: (typeof days)[number]) => (
    <Day key={day.date} id={`${rota.id}-${day.date}`} day={day} rows={rows} week={week} onAsk={onAsk} />
  );
  const over = days.filter(({ day }) => isOver(day));
  const isWholeWeek = over.length === days.length;
  return (
    <div class="rota-days narrow-only">
      {over.length > 0 && !isWholeWeek && (
        <details>
          <summary>{words.say("rota.earlier")}</summary>
          {over.map(show)}
        </details>
      )}
      {(isWholeWeek ? days : days.filter(({ day }) => !isOver(day))).map(show)}
    </div>
  );
}

interface DayProps {
  id: string;
  day: RotaDayView;
  rows: readonly RotaRow[];
  week: RotaWeek;
  onAsk: Props["onAsk"];
}

function Day({ id, day, rows, week, onAsk }: DayProps) {
  const words = useWords();
  const isToday = day.date === week.now.date;
  return (
    <section class={isToday ? "rota-day today" : "rota-day"} aria-labelledby={id}>
      <h3 id={id}>
        {dayText(words, day.date, "long")}
        {isToday && <span class="rota-is-now"> {words.say("rota.now", { time: timeText(week.now) })}</span>}
      </h3>
      <DayNotes day={day} />
      <ul>
        {rows
          .filter(({ continues }) => !continues)
          .map((row) => (
            <Row key={`${row.from.at} ${row.shift?.id}`} row={row} week={week} onAsk={onAsk} />
          ))}
      </ul>
    </section>
  );
}

/** Holidays, and that the clock is set. */
export function DayNotes({ day }: { day: RotaDayView }) {
  const words = useWords();
  const notes = [...day.holidays, ...(day.clock === null ? [] : [words.say(`rota.clock-${day.clock}`)])];
  return notes.length === 0 ? null : <p class="small">{notes.join(" · ")}</p>;
}

function Row({ row, week, onAsk }: { row: RotaRow; week: RotaWeek; onAsk: Props["onAsk"] }) {
  const words = useWords();
  const times = `${timeText(row.from)}–${timeText(row.until)}`;
  const isOver = row.until.at <= week.now.at;
  const what = words.say("rota.row", {
    ...{ name: shiftText(words, row), span: `${dayText(words, row.from.date)} ${times}` },
    people: peopleText(words, row.responders, week.people),
  });
  const kind = row.shift === null ? "gap" : row.changes.length > 0 ? "changed" : "";
  return (
    <li class={`rota-row ${kind} ${row.isNow ? "now" : ""}`}>
      <span class="rota-times">{times}</span>
      <span class="rota-who">
        <span>
          {shiftText(words, row)}
          {row.changes.length > 0 && <span class="badge late"> {words.say("rota.changed")}</span>}
          {row.isNow && <span class="badge"> {words.say("rota.is-now")}</span>}
        </span>
        {row.responders.map((id) => (
          <strong key={id}>
            {nameOf(id, week.people)}
            {!isOver && week.people.find((one) => one.id === id)?.getsTexts === false && (
              <span class="rota-bad"> {words.say("rota.no-texts-short")}</span>
            )}
          </strong>
        ))}
      </span>
      {!isOver && (
        <button
          type="button"
          class="secondary"
          aria-label={row.shift === null ? words.say("rota.fill-what", { what }) : words.say("rota.edit", { what })}
          onClick={() => onAsk(row)}
        >
          {words.say(row.shift === null ? "rota.fill" : "rota.edit-short")}
        </button>
      )}
    </li>
  );
}
