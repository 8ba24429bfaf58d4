import { useState } from "preact/hooks";
import type { LoggedIn } from "../../api.ts";
import type { DeviceDetail, DeviceSetUp } from "../../devices/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords, type Words } from "../language.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { type DeviceAct, DeviceActDialog } from "./device-acts.tsx";
import { daysOf, dwellingOf, kindOf, marksOf, operationOf, surroundingsOf, troubleOf } from "./device-words.ts";
import { SetUp } from "./set-up.tsx";

/** One device: what is known of it, what may be done to it, and what it has been through. */
export function DevicePage({ id, user }: { id: string; user: LoggedIn }) {
  const words = useWords();
  const answer = useServerData<DeviceDetail>(`/devices/${encodeURIComponent(id)}`, 10_000);
  const [setUp, setSetUp] = useState<DeviceSetUp | null>(null);
  if (setUp) {
    return (
      <SetUp
        setUp={setUp}
        isNew={false}
        onDone={() => {
          setSetUp(null);
          void answer.reload();
        }}
      />
    );
  }
  return (
    <section class="devices-page" aria-labelledby="devices-page-title">
      <a class="devices-back" href={hrefOf("devices")}>
        ← {words.say("devices.back")}
      </a>
      <h1 id="devices-page-title">{id}</h1>
      <Loaded of={answer}>
        {(device) => (
          <>
            <State device={device} />
            {user.permissions.includes("devices.write") && !(device.revoked || device.kind === "self-test") && (
              <Acts device={device} onChanged={answer.reload} onSecret={setSetUp} />
            )}
            <Facts device={device} />
            <History device={device} />
            <PastTroubles device={device} />
          </>
        )}
      </Loaded>
    </section>
  );
}

function State({ device }: { device: DeviceDetail }) {
  const words = useWords();
  const now = useServerNow();
  const marks = marksOf(words, device, now);
  return (
    <div class="devices-now">
      <p>
        <strong class="devices-dwelling">{dwellingOf(words, device)}</strong> <span>{surroundingsOf(device)}</span>
      </p>
      {marks.length > 0 && (
        <p class="badges">
          {marks.map((mark) => (
            <span key={mark} class="badge">
              {mark}
            </span>
          ))}
        </p>
      )}
      {device.troubles.map((trouble) => (
        <p key={trouble.trouble}>
          {troubleOf(words, trouble, now)}{" "}
          {trouble.missed && <span class="devices-missed">{words.say(`devices.missed.${trouble.missed}`)}</span>}
        </p>
      ))}
    </div>
  );
}

interface ActsProps {
  device: DeviceDetail;
  onChanged(): Promise<void>;
  onSecret(setUp: DeviceSetUp): void;
}

function Acts({ device, onChanged, onSecret }: ActsProps) {
  const words = useWords();
  const [asked, setAsked] = useState<DeviceAct | null>(null);
  const isInStore = device.operation === "in-store";
  const acts: DeviceAct[] = ["move", ...(isInStore ? [] : (["placement", "store"] as const)), "secret", "revoke"];
  return (
    <section aria-labelledby="devices-acts-title" class="devices-acts">
      <h2 id="devices-acts-title">{words.say("devices.acts")}</h2>
      {(device.needsTest || device.testUntil !== null) && (
        <a class="button primary" href={hrefOf("devices", device.deviceId, "test")}>
          {words.say(device.testUntil === null ? "devices.act.test" : "devices.act.follow")}
        </a>
      )}
      {acts.map((act) => (
        <button key={act} type="button" class="secondary" onClick={() => setAsked(act)}>
          {words.say(`devices.act.${act}`)}
        </button>
      ))}
      {asked && (
        <DeviceActDialog
          act={asked}
          device={device}
          onSecret={onSecret}
          onClose={() => {
            setAsked(null);
            void onChanged();
          }}
        />
      )}
    </section>
  );
}

function Facts({ device }: { device: DeviceDetail }) {
  const words = useWords();
  const now = useServerNow();
  const { lastSeenAt, online, battery, gatewayId, threshold, consent, addedAt, kind } = device;
  const daysLeft = device.troubles.find(({ trouble }) => trouble === "battery-low")?.daysLeft ?? null;
  const isSomebodys = device.operation !== "in-store" && kind !== "self-test";
  const facts: [Parameters<Words["say"]>[0], string | null][] = [
    ["devices.fact.kind", kindOf(words, device)],
    ["devices.fact.operation", kind === "self-test" ? null : operationWithWho(words, device, now)],
    ["devices.fact.consent", isSomebodys ? words.say(`devices.consent.${consent}`) : null],
    [
      "devices.fact.heard",
      lastSeenAt === null
        ? words.say("devices.never-heard")
        : [
            words.time(lastSeenAt, now),
            online === null ? null : words.say(online ? "devices.online" : "devices.offline"),
          ]
            .filter(Boolean)
            .join(", "),
    ],
    ["devices.fact.gateway", gatewayId],
    [
      "devices.fact.battery",
      battery === null ? null : [`${words.number(battery)} %`, daysOf(words, daysLeft)].filter(Boolean).join(", "),
    ],
    [
      "devices.fact.threshold",
      kind !== "wearable" || !isSomebodys
        ? null
        : threshold === null
          ? words.say("devices.threshold.model")
          : words.say("devices.threshold.own", { score: words.number(threshold, 2) }),
    ],
    ["devices.fact.firmware", device.firmware],
    ["devices.fact.added", words.time(addedAt, now)],
  ];
  return (
    <section aria-labelledby="devices-facts-title">
      <h2 id="devices-facts-title">{words.say("devices.facts")}</h2>
      <dl class="devices-facts">
        {facts.map(([key, value]) =>
          value === null ? null : (
            <div key={key}>
              <dt>{words.say(key)}</dt>
              <dd>
                {value}
                {key === "devices.fact.threshold" && <span class="small">{words.say("devices.threshold.note")}</span>}
              </dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}

function operationWithWho(words: Words, device: DeviceDetail, now: number): string {
  const { since, how, by } = device;
  const what = words.say("devices.since", { what: operationOf(words, device), time: words.time(since, now) });
  return [what, howOf(words, how, by)].filter(Boolean).join(", ");
}

/** By what it came into operation, and by whom. */
function howOf(words: Words, how: DeviceDetail["how"], by: string | null): string | null {
  if (how === "bulk") return words.say("devices.how.bulk", { who: by ?? "–" });
  if (how === "test-alarm")
    return words.say("devices.by", { what: words.say("devices.how.test-alarm"), who: by ?? "–" });
  return by;
}

function History({ device: { history } }: { device: DeviceDetail }) {
  const words = useWords();
  const now = useServerNow();
  if (history.length === 0) return null;
  return (
    <section aria-labelledby="devices-history-title">
      <h2 id="devices-history-title">{words.say("devices.history")}</h2>
      <ol class="timeline">
        {history.map(({ at, state, key, by, how, reason }) => (
          <li key={`${at} ${state}`}>
            <time dateTime={new Date(at).toISOString()}>{words.time(at, now)}</time>
            <span>
              <b>{words.say(`devices.was.${state}`)}</b>{" "}
              {[key === null ? null : words.say("devices.key", { key }), howOf(words, how, by), reason]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function PastTroubles({ device: { pastTroubles } }: { device: DeviceDetail }) {
  const words = useWords();
  const now = useServerNow();
  return (
    <section aria-labelledby="devices-past-title">
      <h2 id="devices-past-title">{words.say("devices.past")}</h2>
      {pastTroubles.length === 0 && <p class="small">{words.say("devices.past.none")}</p>}
      <ol class="timeline">
        {pastTroubles.map((one) => {
          const from = words.time(one.since, now);
          return (
            <li key={`${one.since} ${one.trouble}`}>
              <span class="small">
                {one.endedAt === null
                  ? words.say("devices.past.lasts", { from })
                  : words.say("devices.past.until", { from, until: words.time(one.endedAt, now) })}
              </span>
              <span>
                {[
                  words.sayKnown("devices.was", one.trouble, one.trouble),
                  one.battery === null ? null : `${words.number(one.battery)} %`,
                ]
                  .filter(Boolean)
                  .join(", ")}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
