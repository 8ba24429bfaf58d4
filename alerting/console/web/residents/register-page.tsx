import { useMemo, useState } from "preact/hooks";
import type { LoggedIn } from "../../api.ts";
import type { Register, RegisterRow } from "../../residents/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords, type Words } from "../language.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { dwellingHref } from "./dwelling-address.ts";
import { NewDwellingForm } from "./new-dwelling-form.tsx";
import { matching, needsLookingAt } from "./search.ts";

/** Rows that are drawn at first, and with each press for more: thousands at once would hold up a phone. */
const rowsAtOnce = 100;
/** The register changes seldom, and can be long. */
const refreshMs = 120_000;

/** Every dwelling that the account may see, searched by key. */
export function RegisterPage({ user }: { user: LoggedIn }) {
  const words = useWords();
  const register = useServerData<Register>("/residents", refreshMs);
  const [isAdding, setAdding] = useState(false);
  return (
    <section class="residents" aria-labelledby="residents-title">
      <div class="residents-head">
        <h1 id="residents-title">{words.say("residents.title")}</h1>
        {user.permissions.includes("residents.write") && (
          <button type="button" class="secondary" onClick={() => setAdding(true)}>
            {words.say("residents.new-dwelling")}
          </button>
        )}
      </div>
      <Loaded of={register}>{({ dwellings }) => <Rows dwellings={dwellings} />}</Loaded>
      {isAdding && (
        <NewDwellingForm
          user={user}
          dwellings={register.data?.dwellings ?? []}
          onDone={(added) => {
            location.hash = dwellingHref(added);
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </section>
  );
}

function Rows({ dwellings }: { dwellings: readonly RegisterRow[] }) {
  const words = useWords();
  const now = useServerNow();
  const [search, setSearch] = useState("");
  const [isAttention, setAttention] = useState(false);
  const [most, setMost] = useState(rowsAtOnce);
  const found = useMemo(() => {
    const matched = matching(dwellings, search);
    return isAttention ? matched.filter(needsLookingAt) : matched;
  }, [dwellings, search, isAttention]);
  const hasUnits = useMemo(() => new Set(dwellings.map(({ unit }) => unit)).size > 1, [dwellings]);
  const shown = found.slice(0, most);
  // Drawn anew only where something in them has changed, not each time the clock ticks.
  const minute = Math.floor(now / 60_000);
  const rows = useMemo(
    () =>
      shown.map((row) => <Row key={`${row.unit}/${row.key}`} row={row} hasUnits={hasUnits} now={minute * 60_000} />),
    [found, most, hasUnits, minute, words],
  );

  if (dwellings.length === 0) return <p class="calm">{words.say("residents.empty")}</p>;
  return (
    <>
      <div class="residents-search">
        <label>
          {words.say("residents.search")}
          <input
            type="search"
            autocomplete="off"
            value={search}
            onInput={(event) => {
              setSearch(event.currentTarget.value);
              setMost(rowsAtOnce);
            }}
          />
        </label>
        <label>
          {words.say("residents.show")}
          <select
            value={isAttention ? "attention" : "all"}
            onChange={(event) => setAttention(event.currentTarget.value === "attention")}
          >
            <option value="all">{words.say("residents.show-all")}</option>
            <option value="attention">{words.say("residents.show-attention")}</option>
          </select>
        </label>
      </div>
      <p class="small" role="status">
        {found.length === 0 ? words.say("residents.none") : words.say("residents.count", { count: found.length })}
      </p>
      {shown.length > 0 && (
        <table class="residents-table">
          <caption class="unseen">{words.say("residents.caption")}</caption>
          <thead>
            <tr>
              <th scope="col">{words.say("residents.col-key")}</th>
              <th scope="col" class="residents-wide">
                {words.say("residents.col-home")}
              </th>
              <th scope="col">{words.say("residents.col-consent")}</th>
              <th scope="col">{words.say("residents.col-devices")}</th>
              <th scope="col">{words.say("residents.col-now")}</th>
            </tr>
          </thead>
          <tbody>{rows}</tbody>
        </table>
      )}
      {found.length > most && (
        <button type="button" class="secondary" onClick={() => setMost(most + 5 * rowsAtOnce)}>
          {words.say("residents.more", { count: Math.min(5 * rowsAtOnce, found.length - most) })}
        </button>
      )}
    </>
  );
}

function Row({ row, hasUnits, now }: { row: RegisterRow; hasUnits: boolean; now: number }) {
  const words = useWords();
  const { key, unit, consent, reviewDue, state, pausedUntil, alarm, residents, household } = row;
  return (
    <tr>
      <th scope="row">
        <a href={dwellingHref({ key, unit })}>
          <b>{key}</b> {hasUnits && <span class="small">{unit ?? words.say("residents.no-unit")}</span>}{" "}
          <span class="small">
            {row.area}
            {row.room && <span class="residents-wide">{row.area ? ` · ${row.room}` : row.room}</span>}
          </span>
        </a>
      </th>
      <td class="residents-wide">
        {words.say("residents.people", { count: residents })}
        <br />
        <span class="small">{words.say(`residents.household.${household ?? "unknown"}`)}</span>
      </td>
      <td class={consent === "given" ? "" : "residents-bad"}>
        {words.say(`residents.consent.${consent}`)}
        {reviewDue && <span class="residents-mind">{words.say("residents.review-due")}</span>}
      </td>
      <td class={stateClass(state)}>{words.say(`residents.state.${state}`)}</td>
      <td>
        {alarm && <AlarmLink alarm={alarm} words={words} />}
        {pausedUntil !== undefined && pausedUntil > now && (
          <span class="residents-mind">{words.say("residents.paused", { time: words.time(pausedUntil, now) })}</span>
        )}
      </td>
    </tr>
  );
}

const stateClass = (state: RegisterRow["state"]) =>
  state === "fine" ? "" : state === "trouble" ? "residents-mind" : "residents-bad";

function AlarmLink({ alarm, words }: { alarm: NonNullable<RegisterRow["alarm"]>; words: Words }) {
  const said = alarm.status === "open" ? "residents.alarm-open" : "residents.alarm-taken";
  return (
    <a class="residents-alarm" href={hrefOf("episodes", alarm.id)}>
      {words.say(said, { kind: words.say(`kind.${alarm.kind}`) })}
    </a>
  );
}
