import type { Gateways, GatewayView } from "../../devices/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { lengthOf } from "../episode-words.ts";
import { useWords, type Words } from "../language.ts";
import { Loaded, useServerData } from "../server-data.tsx";

/** A clock that is off by less is right: its word takes its time on the way. */
const rightWithinMs = 10_000;

/** Every gateway: whether it is heard, and whether it follows. */
export function GatewayList() {
  const words = useWords();
  const now = useServerNow();
  const answer = useServerData<Gateways>("/gateways", 10_000);
  return (
    <Loaded of={answer}>
      {({ gateways, version }) =>
        gateways.length === 0 ? (
          <p class="calm">{words.say("devices.gateway.none")}</p>
        ) : (
          <ul class="devices-rows devices-gateways">
            {gateways.map((one) => (
              <GatewayRow key={one.gatewayId} gateway={one} newest={version} now={now} />
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

function GatewayRow({ gateway, newest, now }: { gateway: GatewayView; newest: number; now: number }) {
  const words = useWords();
  const { gatewayId, lastSeenAt, lostAt, brokerLostAt, isCurrent, controlVersion, version, devices } = gateway;
  const isWell = lostAt === null && brokerLostAt === null;
  return (
    <li>
      <span class="devices-where">
        <strong>{gatewayId}</strong>
        <span class="small">{words.say("devices.gateway.devices", { count: devices })}</span>
      </span>
      <span class={isWell ? "" : "devices-missed"}>
        {lostAt !== null
          ? words.say("devices.gateway.lost", { time: words.time(lostAt, now) })
          : brokerLostAt !== null
            ? words.say("devices.gateway.broker-lost", { time: words.time(brokerLostAt, now) })
            : words.say("devices.gateway.heard")}
        <span class="small">{words.say("devices.gateway.last", { time: words.time(lastSeenAt, now) })}</span>
      </span>
      <span class={isCurrent ? "" : "devices-missed"}>
        {isCurrent
          ? words.say("devices.gateway.current", { version: controlVersion })
          : words.say("devices.gateway.behind", { version: controlVersion, newest })}
        {version !== null && <span class="small">{words.say("devices.gateway.program", { version })}</span>}
      </span>
      <Clock gateway={gateway} words={words} />
    </li>
  );
}

function Clock({ gateway: { clockAheadMs }, words }: { gateway: GatewayView; words: Words }) {
  if (clockAheadMs === null) return <span />;
  if (Math.abs(clockAheadMs) <= rightWithinMs) return <span>{words.say("devices.gateway.clock-right")}</span>;
  const direction = clockAheadMs > 0 ? "ahead" : "behind";
  const length = lengthOf(words, Math.abs(clockAheadMs));
  return <span class="devices-missed">{words.say("devices.gateway.clock-wrong", { direction, length })}</span>;
}
