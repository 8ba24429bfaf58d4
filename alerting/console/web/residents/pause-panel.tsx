import { useEffect, useState } from "preact/hooks";
import type { PauseReason } from "../../../../firmware-contracts/intake.ts";
import type { LoggedIn } from "../../api.ts";
import type { DwellingDetail } from "../../residents/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { FormDialog } from "../form-dialog.tsx";
import { useWords } from "../language.ts";
import { asCallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";
import { localInput } from "./day-input.ts";
import { type OfDwelling, unitBody } from "./dwelling-address.ts";
import { keyWords } from "./dwelling-words.ts";
import { clockOf } from "./resident-sheet.tsx";

/** As long as a staff's tag holds it. */
const hereMinutes = 30;
const lengths = [15, 30, 60, 120, 240];
/** What a responder may pause for; the server has the last word. */
const responders: readonly PauseReason[] = ["staff-in-dwelling", "visit", "bath"];
const all: readonly PauseReason[] = [...responders, "hospital", "other"];
const longestMs = 30 * 86_400_000;

interface Props {
  user: LoggedIn;
  dwelling: OfDwelling;
  pause: DwellingDetail["pause"];
  onChanged(): void;
}

/** The pause that runs, counting down, and how to begin and end one. */
export function PausePanel({ user, dwelling, pause, onChanged }: Props) {
  const words = useWords();
  const now = useServerNow();
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [isChoosing, setChoosing] = useState(false);
  const running = pause && pause.until > now ? pause : null;
  const isOver = pause !== null && running === null;
  useEffect(() => {
    if (isOver) onChanged();
  }, [isOver]);
  const body = { key: dwelling.key, ...unitBody(dwelling) };

  async function send(path: string, value: object): Promise<void> {
    setSending(true);
    setFailure(null);
    try {
      const { ended } = await call<{ ended?: boolean }>(path, "POST", { ...body, ...value });
      if (ended === false) setFailure(words.say("residents.pause-ended"));
    } catch (error) {
      setFailure(problemText(words, asCallFailed(error)));
    }
    setSending(false);
    onChanged();
  }

  return (
    <section aria-labelledby="pause-title">
      <h2 id="pause-title">{words.say("residents.pause")}</h2>
      {running ? (
        <div class="residents-paused">
          <p>
            <strong>{words.say("residents.pause-until", { time: words.time(running.until, now) })}</strong>{" "}
            <span role="timer">
              {words.say("residents.pause-left", {
                time: clockOf(Math.min(running.until - now, running.until - running.from)),
              })}
            </span>
          </p>
          <p>
            {words.say("residents.pause-by", {
              reason: words.say(`residents.reason.${running.reason}`),
              who: running.by,
            })}
          </p>
        </div>
      ) : (
        <p>{words.say("residents.pause-none")}</p>
      )}
      {user.permissions.includes("pauses.write") && (
        <div class="actions">
          {running ? (
            <button type="button" class="primary" disabled={isSending} onClick={() => void send("/pauses/end", {})}>
              {words.say(isSending ? "form.sending" : "residents.pause-end")}
            </button>
          ) : (
            <>
              <button
                type="button"
                class="primary"
                disabled={isSending}
                onClick={() => void send("/pauses", { reason: "staff-in-dwelling", minutes: hereMinutes })}
              >
                {words.say(isSending ? "form.sending" : "residents.pause-here")}
              </button>
              <button type="button" class="secondary" onClick={() => setChoosing(true)}>
                {words.say("residents.pause-other")}
              </button>
            </>
          )}
        </div>
      )}
      <div role="alert" class="failure">
        {failure}
      </div>
      <p class="small">{words.say("residents.pause-about")}</p>
      {isChoosing && (
        <PauseForm
          dwelling={dwelling}
          isResponder={user.role === "responder"}
          now={now}
          onBegin={async (value) => {
            await call("/pauses", "POST", { ...body, ...value });
            onChanged();
          }}
          onClose={() => setChoosing(false)}
        />
      )}
    </section>
  );
}

interface FormProps {
  dwelling: OfDwelling;
  isResponder: boolean;
  now: number;
  onBegin(pause: { reason: PauseReason; minutes?: number; until?: number }): Promise<void>;
  onClose(): void;
}

function PauseForm({ dwelling, isResponder, now, onBegin, onClose }: FormProps) {
  const words = useWords();
  const [length, setLength] = useState("60");

  async function submit(form: FormData): Promise<string | undefined> {
    const reason = String(form.get("reason")) as PauseReason;
    if (length !== "until") await onBegin({ reason, minutes: Number(length) });
    else {
      const until = new Date(String(form.get("until"))).getTime();
      if (!(until > now && until <= now + longestMs)) return words.say("residents.pause-end-needed");
      await onBegin({ reason, until });
    }
    return undefined;
  }

  return (
    <FormDialog
      title={words.say("residents.pause-title", { alias: keyWords(words, dwelling.key) })}
      submit={words.say("residents.pause-begin")}
      onSubmit={submit}
      onClose={onClose}
    >
      <div class="residents-form">
        <label>
          {words.say("residents.pause-reason")}
          <select name="reason">
            {(isResponder ? responders : all).map((reason) => (
              <option key={reason} value={reason}>
                {words.say(`residents.reason.${reason}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.say("residents.pause-length")}
          <select value={length} onChange={(event) => setLength(event.currentTarget.value)}>
            {lengths.map((minutes) => (
              <option key={minutes} value={minutes}>
                {minutes < 60
                  ? words.say("residents.minutes", { minutes })
                  : words.say("residents.hours", { hours: minutes / 60 })}
              </option>
            ))}
            {!isResponder && <option value="until">{words.say("residents.pause-length-until")}</option>}
          </select>
        </label>
        {length === "until" && (
          <label>
            {words.say("residents.pause-end-at")}
            <input type="datetime-local" name="until" defaultValue={localInput(now + 86_400_000)} />
          </label>
        )}
        <p class="small">{words.say("residents.pause-about")}</p>
      </div>
    </FormDialog>
  );
}
