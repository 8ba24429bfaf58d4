import { useState } from "preact/hooks";
import type { RotaChangeView, RotaRow, RotaView, RotaWeek } from "../../rota/api.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { DayList } from "./day-list.tsx";
import { RotaFaults } from "./rota-faults.tsx";
import { changeText, momentText, nameOf, spanText } from "./rota-words.ts";
import { WeekGrid } from "./week-grid.tsx";
import { WithdrawDialog } from "./withdraw-dialog.tsx";

/** So often that a phone that stops its texts has turned the rota red within 5 s, ms. */
const refreshMs = 3_000;

/** A week of each rota. */
export function WeekPage({ week }: { week: string | null }) {
  const words = useWords();
  const data = useServerData<RotaWeek>(week === null ? "/rotas" : `/rotas?week=${encodeURIComponent(week)}`, refreshMs);
  return (
    <Loaded of={data}>
      {(shown) => (
        <>
          <h1>{words.say("rota.title", { week: weekNumber(shown.week) })}</h1>
          <WeekLinks week={shown} />
          {shown.rotas.length === 0 && <p class="calm">{words.say("rota.none")}</p>}
          {shown.rotas.map((rota) => (
            <OneRota key={rota.id} rota={rota} week={shown} onChanged={data.reload} />
          ))}
        </>
      )}
    </Loaded>
  );
}

/** `48` of `2026-W48`. */
const weekNumber = (week: string) => Number(week.split("-W")[1]);

function WeekLinks({ week }: { week: RotaWeek }) {
  const words = useWords();
  return (
    <nav class="rota-weeks" aria-label={words.say("rota.title", { week: weekNumber(week.week) })}>
      {week.previous && (
        <a class="button" href={hrefOf("rota", "week", week.previous)}>
          ← {words.say("rota.previous")}
        </a>
      )}
      {week.week !== week.current && (
        <a class="button" href={hrefOf("rota")}>
          {words.say("rota.this-week")}
        </a>
      )}
      {week.next && (
        <a class="button" href={hrefOf("rota", "week", week.next)}>
          {words.say("rota.next")} →
        </a>
      )}
    </nav>
  );
}

function OneRota({ rota, week, onChanged }: { rota: RotaView; week: RotaWeek; onChanged(): Promise<void> }) {
  const words = useWords();
  const [asked, setAsked] = useState<RotaRow | null>(null);
  const [undone, setUndone] = useState<RotaChangeView | null>(null);
  const about = { rota, week };
  return (
    <section class="rota-one" aria-labelledby={`rota-${rota.id}`}>
      <h2 id={`rota-${rota.id}`}>
        {rota.name} <span class="count">{rota.unit ?? words.say("rota.all-units")}</span>
      </h2>
      <RotaFaults {...about} />
      <OnCall {...about} />
      <WeekGrid {...about} onAsk={setAsked} />
      <DayList {...about} onAsk={setAsked} />
      <Changes {...about} onWithdraw={setUndone} />
      <a
        class="button secondary"
        href={`/api/v1/rotas/${rota.id}/calendar?language=${words.language}`}
        download={`${rota.id}.ics`}
      >
        {words.say("rota.calendar")}
      </a>
      {asked && <ChangeDialog {...about} row={asked} onDone={onChanged} onClose={() => setAsked(null)} />}
      {undone && <WithdrawDialog {...about} change={undone} onDone={onChanged} onClose={() => setUndone(null)} />}
    </section>
  );
}

function OnCall({ rota, week }: { rota: RotaView; week: RotaWeek }) {
  const words = useWords();
  const today = week.now.date;
  if (rota.onCall.length === 0) return <p class="rota-nobody">{words.say("rota.nobody-now")}</p>;
  return (
    <div class="rota-now">
      <h3>{words.say("rota.on-call")}</h3>
      <ul>
        {rota.onCall.map(({ responderId, until, signOn }) => (
          <li key={responderId}>
            <strong>{nameOf(responderId, week.people)}</strong>{" "}
            <span class={signOn === "not-answered" ? "rota-bad" : "small"}>{words.say(`rota.sign-on-${signOn}`)}</span>{" "}
            <span class="small">{words.say("rota.on-call-until", { time: momentText(words, until, today) })}</span>
            {week.people.find(({ id }) => id === responderId)?.getsTexts === false && (
              <strong class="rota-bad"> {words.say("rota.no-texts-short")}</strong>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Changes({
  rota,
  week,
  onWithdraw,
}: {
  rota: RotaView;
  week: RotaWeek;
  onWithdraw(change: RotaChangeView): void;
}) {
  const words = useWords();
  return (
    <div class="rota-changes">
      <h3>{words.say("rota.changes")}</h3>
      {rota.changes.length === 0 && <p class="small">{words.say("rota.no-changes")}</p>}
      <ul>
        {rota.changes.map((change) => (
          <li key={change.id} class={change.state}>
            <div>
              <strong>{changeText(words, change, week.people)}</strong> {spanText(words, change)}{" "}
              <span class="rota-state">{words.say(`rota.state-${change.state}`)}</span>
              <div class="small">
                {words.say("rota.made", {
                  by: change.madeBy ?? words.say("rota.made-by-nobody"),
                  at: momentText(words, change.madeAt),
                })}
              </div>
            </div>
            {rota.mayChange && <Withdraw change={change} onWithdraw={onWithdraw} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Withdraw({ change, onWithdraw }: { change: RotaChangeView; onWithdraw(change: RotaChangeView): void }) {
  const words = useWords();
  const { id, state, what } = change;
  // A swap of which one shift has begun stays; what is left of it is handed over.
  if (state === "over" || state === "withdrawn" || (state === "running" && what.kind === "swap")) return null;
  const key = state === "ahead" ? "rota.undo" : "rota.end";
  return (
    <button
      type="button"
      class="secondary"
      aria-label={words.say(key, { change: id })}
      onClick={() => onWithdraw(change)}
    >
      {words.say(`${key}-short`)}
    </button>
  );
}
