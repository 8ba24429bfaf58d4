import type { LoggedIn } from "../../api.ts";
import type { DwellingDetail } from "../../residents/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { placeOf } from "../episode-words.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { Loaded, type ServerData, useServerData } from "../server-data.tsx";
import { BlindStrip } from "./blind-strip.tsx";
import { ConsentPanel } from "./consent-panel.tsx";
import { DeviceList } from "./device-list.tsx";
import { dwellingPath, type OfDwelling, unitQuery } from "./dwelling-address.ts";
import { keyWords, watchOf } from "./dwelling-words.ts";
import { Household } from "./household.tsx";
import { PastAlarmList } from "./past-alarms.tsx";
import { PausePanel } from "./pause-panel.tsx";
import { ResidentSheet } from "./resident-sheet.tsx";

interface Props {
  user: LoggedIn;
  dwelling: OfDwelling;
}

/** One dwelling: whether falls raise an alarm there now, the sheet, pauses, consents, blind time, devices and alarms. */
export function DwellingPage({ user, dwelling }: Props) {
  const words = useWords();
  const detail = useServerData<DwellingDetail>(`${dwellingPath(dwelling)}${unitQuery(dwelling)}`);
  return (
    <section class="residents" aria-labelledby="residents-title">
      <p>
        <a class="button secondary" href={hrefOf("residents")}>
          ← {words.say("residents.back")}
        </a>
      </p>
      <h1 id="residents-title" class="residents-key">
        {keyWords(words, dwelling.key)}
      </h1>
      <Loaded of={detail}>{(data) => <Parts user={user} data={data} of={detail} />}</Loaded>
    </section>
  );
}

function Parts({ user, data, of }: { user: LoggedIn; data: DwellingDetail; of: ServerData<DwellingDetail> }) {
  const words = useWords();
  const now = useServerNow();
  // From now on by the unit that the server found.
  const dwelling = { key: data.key, unit: data.unit };
  const watch = watchOf(words, data, now);
  const changed = () => void of.reload();
  return (
    <>
      <p class="place">{[placeOf(data), data.unit].filter(Boolean).join(" · ")}</p>
      <p class={`residents-watch ${watch.isWatched ? "" : "residents-bad"}`}>
        <strong>{watch.text}</strong>
      </p>
      {data.alarms.map((alarm) => (
        <p key={alarm.id}>
          <a class="button residents-open" href={hrefOf("episodes", alarm.id)}>
            {words.say(alarm.status === "open" ? "residents.alarm-open" : "residents.alarm-taken", {
              kind: words.say(`kind.${alarm.kind}`),
            })}{" "}
            · {words.time(alarm.openedAt, now)}
          </a>
        </p>
      ))}
      <div class="residents-parts">
        <ResidentSheet user={user} dwelling={dwelling} onChanged={changed} />
        <PausePanel user={user} dwelling={dwelling} pause={data.pause} onChanged={changed} />
        <ConsentPanel user={user} dwelling={dwelling} consent={data.consent} onChanged={changed} />
        <Household user={user} dwelling={dwelling} data={data} onChanged={of.reload} />
        <BlindStrip dwelling={dwelling} />
        <DeviceList devices={data.devices} />
        {user.permissions.includes("episodes.read") && <PastAlarmList dwelling={dwelling} />}
      </div>
    </>
  );
}
