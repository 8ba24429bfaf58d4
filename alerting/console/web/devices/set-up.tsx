import { useEffect, useRef } from "preact/hooks";
import type { DeviceSetUp } from "../../devices/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { QrCode } from "./qr-code.tsx";

interface Props {
  setUp: DeviceSetUp;
  isNew: boolean;
  onDone(): void;
}

/** A device's credentials, once: whoever leaves the page has seen them. Kept nowhere, not even by the page. */
export function SetUp({ setUp, isNew, onDone }: Props) {
  const words = useWords();
  const now = useServerNow();
  const heading = useRef<HTMLHeadingElement>(null);
  const { deviceId, secret, note, consent, oldUntil } = setUp;
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="devices-setup" aria-labelledby="devices-setup-title">
      <h1 id="devices-setup-title" tabIndex={-1} ref={heading}>
        {words.say(isNew ? "devices.setup.added" : "devices.setup.renewed", { device: deviceId })}
      </h1>
      <p class="warning">
        <strong>{words.say("devices.setup.once")}</strong>
      </p>
      {note ? (
        <>
          <QrCode text={JSON.stringify(note)} label={words.say("devices.setup.qr")} />
          <p>{words.say("devices.setup.scan")}</p>
        </>
      ) : (
        <p>{words.say("devices.setup.no-qr")}</p>
      )}
      <dl class="devices-credentials">
        <dt>{words.say("devices.setup.id")}</dt>
        <dd>{deviceId}</dd>
        <dt>{words.say("devices.setup.secret")}</dt>
        <dd>{secret}</dd>
        {note && (
          <>
            <dt>{words.say("devices.setup.broker")}</dt>
            <dd>{note.broker}</dd>
          </>
        )}
        {note?.ca && (
          <>
            <dt>{words.say("devices.setup.ca")}</dt>
            <dd>{note.ca}</dd>
          </>
        )}
      </dl>
      {!isNew && (
        <p>
          {oldUntil === null
            ? words.say("devices.setup.old-ended")
            : words.say("devices.setup.old", { time: words.time(oldUntil, now) })}
        </p>
      )}
      {isNew && consent !== "given" && <p class="warning">{words.say("devices.setup.consent")}</p>}
      <a class="button primary" href={hrefOf("devices", deviceId)} onClick={onDone}>
        {words.say("devices.setup.done")}
      </a>
    </section>
  );
}
