import { useEffect, useRef, useState } from "preact/hooks";
import type { DeviceFilter, DeviceItem, Devices } from "../../devices/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { dwellingOf, kindOf, marksOf, surroundingsOf, troubleOf } from "./device-words.ts";

const filters = [
  "all",
  "trouble",
  "battery-low",
  "awaiting-test",
  "in-store",
  "revoked",
] as const satisfies DeviceFilter[];
/** As many as the server answers at once. */
const atOnce = 100;
/** After the last key press, ms. */
const searchAfterMs = 200;

export const filterOf = (word: string | undefined): DeviceFilter => filters.find((one) => one === word) ?? "all";

/** Every device, a page at a time: searched and filtered by the server, so that thousands cost a phone nothing. */
export function DeviceList({ filter }: { filter: DeviceFilter }) {
  const words = useWords();
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [unit, setUnit] = useState("");
  const [from, setFrom] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), searchAfterMs);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => setFrom(0), [search, unit, filter]);

  const query = new URLSearchParams({ filter, ...(search && { search }), ...(unit && { unit }), from: String(from) });
  const answer = useServerData<Devices>(`/devices?${query}`);
  // What stood there stays until the next has come: a list that blinks at each letter cannot be read.
  const last = useRef<Devices | null>(null);
  last.current = answer.data ?? last.current;
  const data = answer.data ?? (answer.failure ? null : last.current);

  // What would show nothing need not be offered, but where it is what is shown.
  const shownFilters = filters.filter((one) => one === "all" || one === filter || (data?.counts[one] ?? 0) > 0);

  return (
    <div class="devices-list">
      <div class="devices-tools">
        <label class="devices-search">
          <span>{words.say("devices.search")}</span>
          <input
            type="search"
            value={typed}
            autocomplete="off"
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        {(data?.units.length ?? 0) > 1 && (
          <label class="devices-unit">
            <span>{words.say("devices.unit")}</span>
            <select value={unit} onChange={(event) => setUnit(event.currentTarget.value)}>
              <option value="">{words.say("devices.unit.all")}</option>
              {data?.units.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <nav class="devices-filters" aria-label={words.say("devices.filters")}>
        {shownFilters.map((one) => (
          <a
            key={one}
            class="button"
            href={one === "all" ? hrefOf("devices") : hrefOf("devices", "-", one)}
            aria-current={one === filter ? "true" : undefined}
          >
            {words.say(`devices.filter.${one}`)} <span class="count">{data ? data.counts[one] : ""}</span>
          </a>
        ))}
      </nav>
      <Loaded of={{ ...answer, data }}>{(devices) => <Rows devices={devices} from={from} onFrom={setFrom} />}</Loaded>
    </div>
  );
}

function Rows({ devices, from, onFrom }: { devices: Devices; from: number; onFrom(from: number): void }) {
  const words = useWords();
  const now = useServerNow();
  const { matching } = devices;
  const until = Math.min(from + atOnce, matching);
  function turn(to: number): void {
    onFrom(to);
    scrollTo(0, 0);
  }
  return (
    <>
      <p role="status" class="small">
        {matching > atOnce
          ? words.say("devices.range", { from: from + 1, to: until, count: matching })
          : words.say("devices.matching", { count: matching })}
      </p>
      <ul class="devices-rows">
        {devices.devices.map((item) => (
          <Row key={item.deviceId} item={item} now={now} />
        ))}
      </ul>
      {matching > atOnce && (
        <div class="devices-turn">
          <button type="button" disabled={from === 0} onClick={() => turn(Math.max(0, from - atOnce))}>
            {words.say("devices.previous")}
          </button>
          <button type="button" disabled={until >= matching} onClick={() => turn(from + atOnce)}>
            {words.say("devices.next")}
          </button>
        </div>
      )}
    </>
  );
}

function Row({ item, now }: { item: DeviceItem; now: number }) {
  const words = useWords();
  const { deviceId, lastSeenAt, battery, troubles, operation } = item;
  const marks = marksOf(words, item, now);
  return (
    <li>
      <a class="devices-row" href={hrefOf("devices", deviceId)}>
        <span class="devices-where">
          <strong>{operation === "in-store" ? deviceId : dwellingOf(words, item)}</strong>
          <span class="small">{surroundingsOf(item)}</span>
        </span>
        <span class="devices-what">
          {operation === "in-store" ? "" : deviceId}
          <span class="small">{kindOf(words, item)}</span>
        </span>
        <span class="devices-life">
          {lastSeenAt === null
            ? words.say("devices.never-heard")
            : words.say("devices.heard", { time: words.time(lastSeenAt, now) })}
          {battery !== null && (
            <span class="small">{words.say("devices.battery", { percent: words.number(battery) })}</span>
          )}
        </span>
        <span class="devices-state">
          {marks.map((mark) => (
            <span key={mark} class="badge">
              {mark}
            </span>
          ))}
          {troubles.map((trouble) => (
            <span key={trouble.trouble} class={trouble.missed ? "devices-missed" : ""}>
              {troubleOf(words, trouble, now)}
              {trouble.missed && ` · ${words.say(`devices.missed.${trouble.missed}`)}`}
            </span>
          ))}
        </span>
      </a>
    </li>
  );
}
