import type { RotaDayView, RotaRow, RotaView, RotaWeek } from "../../rota/api.ts";
import { useWords, type Words } from "../language.ts";
import { DayNotes } from "./day-list.tsx";
import { dayText, nameOf, peopleText, shiftText, spanText, timeText } from "./rota-words.ts";

interface Props {
  rota: RotaView;
  week: RotaWeek;
  /** A row that is to be changed. */
  onAsk(row: RotaRow): void;
}

const laneHeight = 54;
const gapHeight = 4;
/** Narrower than this share of a day a block has no text, only its name for whoever points at it; narrower than that, a name a line. */
const leastForText = 0.045;
const leastForLine = 0.14;

/** The week by day and hour, for a wide screen: a day is a row, as long as it is on the clock. */
export function WeekGrid({ rota, week, onAsk }: Props) {
  const words = useWords();
  const ordinary = week.days.find(({ clock }) => clock === null);
  return (
    <table class="rota-grid wide-only">
      <caption class="unseen">
        {words.say("rota.week-of", { name: rota.name, week: Number(week.week.split("-W")[1]) })}
      </caption>
      <thead aria-hidden="true">
        <tr>
          <td />
          <td>{ordinary && <Hours day={ordinary} />}</td>
        </tr>
      </thead>
      <tbody>
        {week.days.map((day, index) => (
          <tr key={day.date} class={day.date === week.now.date ? "today" : ""}>
            <th scope="row">
              {dayText(words, day.date)}
              {day.date === week.now.date && (
                <div class="rota-is-now">{words.say("rota.now", { time: timeText(week.now) })}</div>
              )}
              <DayNotes day={day} />
            </th>
            <td>
              {day.clock !== null && <Hours day={day} />}
              <DayBar day={day} rows={rota.days[index] ?? []} week={week} onAsk={onAsk} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const share = (day: RotaDayView, at: number) => Math.min(1, Math.max(0, (at - day.from) / (day.until - day.from)));
const percent = (part: number) => `${(part * 100).toFixed(3)}%`;

function Hours({ day }: { day: RotaDayView }) {
  // Every third hour, and on the day of a switch every hour of the night.
  const shown = day.hours.filter((hour, index) => {
    const number = Number(hour.time.slice(0, 2));
    return index > 0 && (number % 3 === 0 || (day.clock !== null && number < 6));
  });
  return (
    <svg class="rota-hours" width="100%" height="18" aria-hidden="true">
      {shown.map((hour) => (
        <text key={hour.at} x={percent(share(day, hour.at))} y="13" text-anchor="middle">
          {timeText(hour).replace(":00", "")}
        </text>
      ))}
    </svg>
  );
}

/** Rows that overlap stand under each other. */
function lanesOf(rows: readonly RotaRow[]): { row: RotaRow; lane: number }[] {
  const ends: number[] = [];
  return rows.map((row) => {
    const free = ends.findIndex((end) => end <= row.from.at);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = row.until.at;
    return { row, lane };
  });
}

function DayBar({
  day,
  rows,
  week,
  onAsk,
}: {
  day: RotaDayView;
  rows: readonly RotaRow[];
  week: RotaWeek;
  onAsk: Props["onAsk"];
}) {
  const words = useWords();
  const placed = lanesOf(rows);
  const lanes = Math.max(1, ...placed.map(({ lane }) => lane + 1));
  const height = lanes * (laneHeight + gapHeight);
  const isToday = day.from <= week.now.at && week.now.at < day.until;
  return (
    <svg class="rota-bar" width="100%" height={height}>
      <title>{dayText(words, day.date, "long")}</title>
      {day.hours.slice(1).map(({ at }) => (
        <line key={at} class="rota-hour" x1={percent(share(day, at))} x2={percent(share(day, at))} y1="0" y2={height} />
      ))}
      {placed.map(({ row, lane }) => (
        <Block
          key={`${row.from.at} ${row.shift?.id}`}
          day={day}
          row={row}
          y={lane * (laneHeight + gapHeight)}
          week={week}
          onAsk={onAsk}
        />
      ))}
      {isToday && (
        <line
          class="rota-now-line"
          x1={percent(share(day, week.now.at))}
          x2={percent(share(day, week.now.at))}
          y1="0"
          y2={height}
        />
      )}
    </svg>
  );
}

function Block({
  day,
  row,
  y,
  week,
  onAsk,
}: {
  day: RotaDayView;
  row: RotaRow;
  y: number;
  week: RotaWeek;
  onAsk: Props["onAsk"];
}) {
  const words = useWords();
  const from = share(day, row.from.at);
  const width = share(day, row.until.at) - from;
  const isOver = row.until.at <= week.now.at;
  const lost = row.responders.filter((id) => !isOver && week.people.find((one) => one.id === id)?.getsTexts === false);
  const kind = row.shift === null ? "gap" : row.changes.length > 0 ? "changed" : "";
  const label = words.say("rota.row", {
    ...{ name: shiftText(words, row), span: spanText(words, row) },
    people: [
      peopleText(words, row.responders, week.people),
      ...lost.map((id) => `${nameOf(id, week.people)} ${words.say("rota.no-texts-short")}`),
      ...(row.changes.length > 0 ? [words.say("rota.changed")] : []),
    ].join(", "),
  });
  const lines = width < leastForLine ? narrowLines(words, row, week) : wideLines(words, row, week, lost);
  const press = isOver
    ? { role: "img" as const, "aria-label": label }
    : {
        role: "button" as const,
        // In an SVG the attribute is written so, or it is none.
        tabindex: 0,
        "aria-label": words.say("rota.edit", { what: label }),
        onClick: () => onAsk(row),
        onKeyDown: (event: KeyboardEvent) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          onAsk(row);
        },
      };
  return (
    <g class={`rota-block ${kind} ${lost.length > 0 ? "lost" : ""} ${isOver ? "over" : ""}`}>
      <g class="rota-press" {...press}>
        <title>{label}</title>
        <rect x={percent(from)} y={y + 1} width={percent(width)} height={laneHeight - 2} rx="4" />
      </g>
      {width >= leastForText && (
        // Beside what is pressed, which has its own words for whoever hears it.
        <svg x={percent(from)} y={y} width={percent(width)} height={laneHeight} aria-hidden="true">
          {lines.map(({ text, of }, index) => (
            <text key={text} class={`rota-${of}`} x="7" y={18 + index * 15.5}>
              {text}
            </text>
          ))}
        </svg>
      )}
    </g>
  );
}

interface BlockLine {
  text: string;
  of: "first" | "second" | "lost";
}

function wideLines(words: Words, row: RotaRow, { people }: RotaWeek, lost: readonly string[]): BlockLine[] {
  const about = [
    ...(row.changes.length > 0 ? [words.say("rota.changed")] : []),
    ...(row.shift === null ? [] : [shiftText(words, row)]),
    `${timeText(row.from)}–${timeText(row.until)}`,
  ];
  const who = row.shift === null ? words.say("rota.gap-row") : peopleText(words, row.responders, people);
  const told = lost.map((id) => nameOf(id, people)).join(", ");
  return [
    { text: who, of: "first" },
    { text: about.join(" · "), of: "second" },
    ...(lost.length > 0 ? [{ text: `${told} ${words.say("rota.no-texts-short")}`, of: "lost" as const }] : []),
  ];
}

/** A name a line; of more than three how many more. */
function narrowLines(words: Words, row: RotaRow, { people, now }: RotaWeek): BlockLine[] {
  if (row.shift === null) {
    return words
      .say("rota.gap-row")
      .split(/ (?=\S+ \S+$)/)
      .map((text) => ({ text, of: "first" }));
  }
  const [one, two, three, ...more] = row.responders;
  return [one, two, more.length > 0 ? undefined : three].flatMap((id): BlockLine[] => {
    if (id === undefined) return more.length > 0 ? [{ text: `+ ${more.length + 1}`, of: "second" }] : [];
    const isLost = row.until.at > now.at && people.find((person) => person.id === id)?.getsTexts === false;
    return [{ text: `${isLost ? "⚠ " : ""}${nameOf(id, people)}`, of: isLost ? "lost" : "first" }];
  });
}
