import "./trouble-list.css";
import { useState } from "preact/hooks";
import type { DeviceInTrouble, GatewayInTrouble, Troubles } from "../../devices/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { useServerData } from "../server-data.tsx";
import { dwellingOf, surroundingsOf, troubleOf } from "./device-words.ts";

/** So many lines are there at once; the rest at a press. */
const shownAtOnce = 6;
const everyMs = 10_000;

/** Devices and gateways with trouble, below the alarms: nothing here rings, and where there is nothing it takes no room. */
export function TroubleList() {
  const words = useWords();
  const now = useServerNow();
  const { data, failure } = useServerData<Troubles>("/troubles", everyMs);
  const [all, setAll] = useState(false);
  if (data === null) return failure ? <p class="small">{words.say("devices.troubles.failed")}</p> : null;
  const { area, gateways, devices, more } = data;
  // An area is one matter; a gateway without its broker is none of it.
  const apart = area ? gateways.filter(({ trouble }) => trouble !== "lost") : gateways;
  const lines = apart.length + devices.length;
  if (lines === 0 && !area) return null;
  const shownDevices = all ? devices : devices.slice(0, Math.max(2, shownAtOnce - apart.length));
  const hidden = devices.length - shownDevices.length;
  return (
    <section class="devices-troubles" aria-labelledby="devices-troubles-title">
      <h2 id="devices-troubles-title">
        {words.say("devices.troubles.title")} <span class="count">{lines + more + (area ? 1 : 0)}</span>
      </h2>
      <ul>
        {area && <AreaLine area={area} now={now} />}
        {apart.map((gateway) => (
          <GatewayLine key={gateway.gatewayId} gateway={gateway} now={now} />
        ))}
        {shownDevices.map((device) => (
          <DeviceLine key={`${device.deviceId} ${device.trouble}`} device={device} now={now} />
        ))}
      </ul>
      {(hidden > 0 || all) && (
        <button type="button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? words.say("devices.troubles.fewer") : words.say("devices.troubles.show", { count: hidden })}
        </button>
      )}
      {more > 0 && all && (
        <p>
          <a href={hrefOf("devices", "-", "trouble")}>{words.say("devices.troubles.more", { count: more })}</a>
        </p>
      )}
    </section>
  );
}

function AreaLine({ area, now }: { area: NonNullable<Troubles["area"]>; now: number }) {
  const words = useWords();
  const { since, gateways, dwellings, alarm } = area;
  return (
    <li>
      <strong>{words.say("devices.troubles.area", { count: gateways, time: words.time(since, now) })}</strong>
      <span class="devices-missed">{words.say("devices.troubles.dwellings", { count: dwellings, gateways })}</span>
      <span>
        <a href={hrefOf("visiting-list")}>{words.say("devices.troubles.list")}</a> <AlarmLink alarm={alarm} />
      </span>
    </li>
  );
}

function GatewayLine({ gateway, now }: { gateway: GatewayInTrouble; now: number }) {
  const words = useWords();
  const { gatewayId, trouble, since, dwellings, alarm } = gateway;
  const values = { gateway: gatewayId, time: words.time(since, now) };
  return (
    <li>
      <strong>{words.say(`devices.troubles.${trouble}`, values)}</strong>
      <span class={dwellings > 0 ? "devices-missed" : "small"}>
        {words.say("devices.troubles.dwellings", { count: dwellings, gateways: 1 })}
      </span>
      <span>
        {trouble === "lost" && dwellings > 0 && (
          <a href={hrefOf("visiting-list")}>{words.say("devices.troubles.list")}</a>
        )}{" "}
        <AlarmLink alarm={alarm} />
      </span>
    </li>
  );
}

function DeviceLine({ device, now }: { device: DeviceInTrouble; now: number }) {
  const words = useWords();
  const { deviceId, missed, alarm, pausedUntil, isInStore } = device;
  return (
    <li>
      <a href={hrefOf("devices", deviceId)}>
        <span>
          <strong>{isInStore ? words.say("devices.short.in-store") : dwellingOf(words, device)}</strong>{" "}
          {surroundingsOf(device)} <span class="small">{deviceId}</span>
        </span>
      </a>
      <span>{troubleOf(words, device, now)}</span>
      <span>
        {missed && <span class="devices-missed">{words.say(`devices.missed.${missed}`)}</span>}{" "}
        {pausedUntil !== null && (
          <span class="small">{words.say("devices.troubles.paused", { time: words.time(pausedUntil, now) })}</span>
        )}{" "}
        <AlarmLink alarm={alarm} />
      </span>
    </li>
  );
}

/** To the technical alarm about it, where there is one. */
function AlarmLink({ alarm }: { alarm: DeviceInTrouble["alarm"] }) {
  const words = useWords();
  if (!alarm) return null;
  return <a href={hrefOf("episodes", alarm.id)}>{words.say("devices.troubles.code", { code: alarm.code })}</a>;
}
