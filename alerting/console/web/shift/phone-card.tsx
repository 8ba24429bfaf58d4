import { useState } from "preact/hooks";
import type { ShiftPhone } from "../../../shift/phones.ts";
import type { ShiftNow } from "../../shift/api.ts";
import { aliasOf } from "../episode-words.ts";
import { useWords, type Words } from "../language.ts";
import { hrefOf } from "../route.ts";
import { asCallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";
import { CrewDialog, HandOverDialog } from "./shift-dialogs.tsx";
import { heldWords, testWords } from "./shift-words.ts";

interface Props {
  rotaId: string;
  phone: ShiftPhone;
  shift: ShiftNow;
  others: ShiftNow["responders"];
  mayWrite: boolean;
  /** Something was done; what is said of it. */
  onDone(said: string): void;
}

/** One phone of the shift, large: whether it is signed on, who is with it, what it has taken, and what can be done. */
export function PhoneCard({ rotaId, phone, shift, others, mayWrite, onDone }: Props) {
  const words = useWords();
  const [asking, setAsking] = useState<"crew" | "hand-over" | null>(null);
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const { name, responderId, lostSince, holds, crew } = phone;
  const standing = lostSince !== null ? "lost" : phone.state;
  const time = (at: number) => words.time(at, shift.now);

  async function signOn(): Promise<void> {
    setSending(true);
    setFailure(null);
    try {
      await call("/shift/sign-on", "POST", { rotaId, responderId });
      onDone(words.say("shift.sign-on.sent", { name }));
    } catch (error) {
      setFailure(problemText(words, asCallFailed(error)));
    } finally {
      setSending(false);
    }
  }

  // One that was asked has its text: another would make the code in it void.
  const isAsked = phone.state === "signed-on" || phone.state === "asked";
  const signOnText = words.say(isAsked ? "shift.sign-on.act-again" : "shift.sign-on.act");
  const named = (act: string) => words.say("shift.act.for", { act, name });
  return (
    <article class={`shift-phone shift-${standing}`}>
      <h3>{name}</h3>
      <p class="shift-state">
        <strong>{words.say(`shift.state.${standing}`, { time: time(phone.since ?? phone.from) })}</strong>
        <span>{whyOf(words, phone, time)}</span>
      </p>
      <p>{testWords(words, phone, shift.now)}</p>
      <p class="shift-span">
        {words.say("shift.span", {
          shift: phone.shift ?? words.say("shift.change"),
          from: time(phone.from),
          until: time(phone.until),
        })}
      </p>
      <p>{crew === null ? words.say("shift.crew.none") : words.say("shift.crew", { crew })}</p>
      {holds.length > 0 && (
        <div>
          <h4>{words.say("shift.holds")}</h4>
          <ul class="shift-holds">
            {holds.map((held) => (
              <li key={held.id}>
                <a href={hrefOf("episodes", held.id)}>
                  {words.say("shift.held", {
                    alias: aliasOf(words, held),
                    kind: words.sayKnown("kind", held.kind, ""),
                  })}
                </a>{" "}
                <span>{heldWords(words, held, shift.now)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {mayWrite && (
        <div class="actions">
          {standing !== "lost" && (
            <button
              type="button"
              class={isAsked ? "secondary" : "primary"}
              aria-label={named(signOnText)}
              disabled={sending}
              onClick={() => void signOn()}
            >
              {sending ? words.say("act.sending") : signOnText}
            </button>
          )}
          <button
            type="button"
            class={standing === "lost" ? "primary" : "secondary"}
            aria-label={named(words.say("shift.hand-over.act"))}
            onClick={() => setAsking("hand-over")}
          >
            {words.say("shift.hand-over.act")}
          </button>
          <button
            type="button"
            class="secondary"
            aria-label={named(words.say("shift.crew.act"))}
            onClick={() => setAsking("crew")}
          >
            {words.say("shift.crew.act")}
          </button>
        </div>
      )}
      <div role="alert" class="failure">
        {failure}
      </div>
      {asking === "crew" && (
        <CrewDialog rotaId={rotaId} phone={phone} onDone={onDone} onClose={() => setAsking(null)} />
      )}
      {asking === "hand-over" && (
        <HandOverDialog
          rotaId={rotaId}
          phone={phone}
          others={others}
          now={shift.now}
          onDone={onDone}
          onClose={() => setAsking(null)}
        />
      )}
    </article>
  );
}

function whyOf(words: Words, { state, lostSince, test }: ShiftPhone, time: (at: number) => string): string {
  if (lostSince !== null) return words.say("shift.why.lost", { time: time(lostSince) });
  if (state !== "asked") return words.say(`shift.why.${state}`);
  if (!test) return words.say("shift.why.not-asked");
  const sms = words.sayKnown("page", test.sms ?? "waiting", "");
  return words.say("shift.why.asked", { time: time(test.at), by: time(test.answerBy), sms });
}
