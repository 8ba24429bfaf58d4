import type { BlindDays } from "../../residents/api.ts";
import { useWords, type Words } from "../language.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { noonOf } from "./day-input.ts";
import { dwellingPath, type OfDwelling, unitQuery } from "./dwelling-address.ts";
import { lengthOfMinutes } from "./dwelling-words.ts";

const refreshMs = 300_000;
type Day = BlindDays["days"][number];
type Cell = Day["cells"][number];

/** When falls raised no alarm on the last days: each day as a strip, and beside it the same in words. */
export function BlindStrip({ dwelling }: { dwelling: OfDwelling }) {
  const words = useWords();
  const days = useServerData<BlindDays>(`${dwellingPath(dwelling, "/blind-time")}${unitQuery(dwelling)}`, refreshMs);
  return (
    <section aria-labelledby="blind-title">
      <h2 id="blind-title">{words.say("residents.blind")}</h2>
      <Loaded of={days}>
        {(data) => (data.days.length === 0 ? <p>{words.say("residents.blind-none")}</p> : <Strips days={data.days} />)}
      </Loaded>
    </section>
  );
}

function Strips({ days }: { days: readonly Day[] }) {
  const words = useWords();
  return (
    <div class="residents-scroll">
      <table class="residents-blind">
        <caption class="small">{words.say("residents.blind-caption")}</caption>
        <thead>
          <tr>
            <th scope="col">{words.say("residents.blind-day")}</th>
            <th scope="col">
              <span class="unseen">{words.say("residents.blind-why")}</span>
              <span class="residents-hours" aria-hidden="true">
                {["00", "06", "12", "18"].map((hour) => (
                  <span key={hour}>{hour}</span>
                ))}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {days.map((day) => (
            <tr key={day.date}>
              <th scope="row" class="residents-day">
                {words.day(noonOf(day.date))}
              </th>
              <td>
                <Strip cells={day.cells} />
                {inWords(words, day)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What somebody wanted, or nobody has said yes to, is no fault. */
const isWanted = (cell: Cell) => typeof cell === "object" && (cell.reason === "paused" || cell.reason === "no-consent");

/** A day in 48 half hours, drawn; the table has it in words. */
function Strip({ cells }: { cells: readonly Cell[] }) {
  return (
    <svg class="residents-strip" viewBox="0 0 48 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {runsOf(cells).map(({ cell, from, length }) => {
        if (cell === "unknown") return null;
        if (cell === "seen") return <rect key={from} class="seen" x={from} y={8.5} width={length} height={1.5} />;
        const kind = isWanted(cell) ? "wanted" : "fault";
        return (
          <rect key={from} class={kind} x={from} y={cell.isMost ? 0 : 4} width={length} height={cell.isMost ? 10 : 6} />
        );
      })}
    </svg>
  );
}

/** Neighbouring cells that look the same, as one. */
function runsOf(cells: readonly Cell[]): { cell: Cell; from: number; length: number }[] {
  const look = (cell: Cell) => (typeof cell === "string" ? cell : `${isWanted(cell)} ${cell.isMost}`);
  const runs: { cell: Cell; from: number; length: number }[] = [];
  for (const [from, cell] of cells.entries()) {
    const last = runs.at(-1);
    if (last && look(last.cell) === look(cell)) last.length++;
    else runs.push({ cell, from, length: 1 });
  }
  return runs;
}

function inWords(words: Words, { blindMinutes, knownMinutes, reasons }: Day): string {
  if (blindMinutes === 0) return words.say("residents.blind-all-seen");
  const share = words.number((blindMinutes / Math.max(1, knownMinutes)) * 100);
  const sum = words.say("residents.blind-share", { length: lengthOfMinutes(words, blindMinutes), share });
  const [first, ...more] = reasons;
  if (first && more.length === 0) return `${sum}: ${words.say(`residents.blind.${first.reason}`)}`;
  const each = reasons.map(
    ({ reason, minutes }) => `${words.say(`residents.blind.${reason}`)} ${lengthOfMinutes(words, minutes)}`,
  );
  return `${sum}: ${each.join(", ")}`;
}
