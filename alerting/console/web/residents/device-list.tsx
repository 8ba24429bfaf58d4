import type { DwellingDetail } from "../../residents/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";

/** The dwelling's devices: what each is, whether it is heard, and what is wrong with it. */
export function DeviceList({ devices }: Pick<DwellingDetail, "devices">) {
  const words = useWords();
  const now = useServerNow();
  return (
    <section aria-labelledby="devices-title">
      <h2 id="devices-title">{words.say("residents.devices")}</h2>
      {devices.length === 0 && <p>{words.say("residents.devices-none")}</p>}
      <ul class="residents-list">
        {devices.map(({ deviceId, placement, room, operation, role, lastSeenAt, battery, troubles }) => (
          <li key={deviceId}>
            <a href={hrefOf("devices", deviceId)}>{deviceId}</a>{" "}
            {[words.say(`residents.role.${role}`, { placement }), room].filter(Boolean).join(" · ")}
            <br />
            {troubles.length > 0 && (
              <b class="residents-bad">
                {troubles.map((trouble) => words.sayKnown("residents.trouble", trouble, trouble)).join(", ")}{" "}
              </b>
            )}
            <span class="small">
              {[
                words.say(`residents.operation.${operation}`),
                lastSeenAt === null
                  ? words.say("residents.heard-never")
                  : words.say("residents.heard", { time: words.time(lastSeenAt, now) }),
                battery !== null && words.say("residents.battery", { percent: words.number(battery * 100) }),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
