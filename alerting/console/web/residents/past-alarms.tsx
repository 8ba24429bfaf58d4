import { useState } from "preact/hooks";
import type { PastAlarms } from "../../residents/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { dwellingPath, type OfDwelling, unitQuery } from "./dwelling-address.ts";

const shownAtFirst = 5;

/** The dwelling's alarms of before, the newest first. */
export function PastAlarmList({ dwelling }: { dwelling: OfDwelling }) {
  const words = useWords();
  const alarms = useServerData<PastAlarms>(`${dwellingPath(dwelling, "/alarms")}${unitQuery(dwelling)}`, 60_000);
  const [isWhole, setWhole] = useState(false);
  return (
    <section aria-labelledby="alarms-title">
      <h2 id="alarms-title">{words.say("residents.alarms")}</h2>
      <Loaded of={alarms}>
        {({ alarms: all }) => (
          <>
            {all.length === 0 && <p>{words.say("residents.alarms-none")}</p>}
            <ul class="residents-list">
              {all.slice(0, isWhole ? all.length : shownAtFirst).map((alarm) => (
                <Alarm key={alarm.id} alarm={alarm} />
              ))}
            </ul>
            {!isWhole && all.length > shownAtFirst && (
              <button type="button" class="secondary" onClick={() => setWhole(true)}>
                {words.say("residents.alarms-more", { count: all.length })}
              </button>
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function Alarm({ alarm }: { alarm: PastAlarms["alarms"][number] }) {
  const words = useWords();
  const now = useServerNow();
  const { id, kind, trouble, test, openedAt, closedAt, outcome, floorMinutes, isShown } = alarm;
  const what = `${words.say(`kind.${kind}`)} ${words.time(openedAt, now)}`;
  return (
    <li>
      {isShown ? <a href={hrefOf("episodes", id)}>{what}</a> : <b>{what}</b>}{" "}
      {[
        trouble && words.sayKnown("said", trouble, trouble),
        test && kind !== "test" && words.say("badge.test"),
        closedAt === null ? words.say("residents.alarm-still") : outcome && !trouble && words.say(`outcome.${outcome}`),
        floorMinutes !== null && closedAt !== null && words.say("residents.floor", { minutes: floorMinutes }),
      ]
        .filter(Boolean)
        .join(" · ")}
    </li>
  );
}
