import { useEffect, useState } from "preact/hooks";
import type { RotaPreview, RotaPreviewRequest, RotaView, RotaWeek } from "../../rota/api.ts";
import { useWords } from "../language.ts";
import { asCallFailed, type CallFailed, call } from "../server-calls.ts";
import { problemText } from "../server-data.tsx";
import { nameOf, peopleText, spanText } from "./rota-words.ts";

interface Props {
  rota: RotaView;
  week: RotaWeek;
  change: RotaPreviewRequest["change"];
}

/** What a change would make of the rota, and what of that must be known before it is made. Put up anew for each change (`key`). */
export function ChangePreview({ rota, week, change }: Props) {
  const words = useWords();
  const [preview, setPreview] = useState<RotaPreview | null>(null);
  const [failure, setFailure] = useState<CallFailed | null>(null);
  useEffect(() => {
    let stopped = false;
    call<RotaPreview>(`/rotas/${encodeURIComponent(rota.id)}/preview`, "POST", { change }).then(
      (made) => !stopped && setPreview(made),
      (error) => !stopped && setFailure(asCallFailed(error)),
    );
    return () => {
      stopped = true;
    };
  }, []);
  if (failure) return <p class="failure">{problemText(words, failure)}</p>;
  if (!preview) return <p class="small">{words.say("frame.loading")}</p>;
  return <PreviewText rota={rota} week={week} preview={preview} />;
}

function PreviewText({ rota, week, preview }: { rota: RotaView; week: RotaWeek; preview: RotaPreview }) {
  const words = useWords();
  const { before, after, gaps, warnings } = preview;
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  return (
    <section class="rota-preview" aria-live="polite">
      <h3>{words.say("rota.preview")}</h3>
      {!rota.mayChange && <p>{words.say("rota.proposal")}</p>}
      {isSame && <p>{words.say("rota.preview-same")}</p>}
      <ul>
        {!isSame &&
          [...cuts(before, after)].map(({ from, until, was, will }) => (
            <li key={from.at}>
              <strong>
                {rota.name} {spanText(words, { from, until })}
              </strong>
              <div>{words.say("rota.preview-before", { people: peopleText(words, was, week.people) })}</div>
              <div>{words.say("rota.preview-after", { people: peopleText(words, will, week.people) })}</div>
            </li>
          ))}
      </ul>
      {warnings.map((warning) => (
        <p key={JSON.stringify(warning)} class={warning.kind === "no-texts" ? "failure" : "warning"}>
          {warning.kind === "no-texts"
            ? words.say("rota.preview-no-texts", { name: nameOf(warning.responderId, week.people) })
            : words.say("rota.preview-also", { name: nameOf(warning.responderId, week.people), rota: warning.rota })}
        </p>
      ))}
      {gaps.map((gap) => (
        <p key={gap.from.at} class="failure">
          {words.say("rota.preview-gap", { span: spanText(words, gap) })}
        </p>
      ))}
      {gaps.length > 0 && rota.mayChange && (
        <label class="choice">
          <input type="checkbox" name="accept-gaps" />
          {words.say("rota.preview-accept")}
        </label>
      )}
    </section>
  );
}

type Times = Pick<RotaPreview, "from" | "until">;

/** The times in which something differs, each with who is on call before and after. */
function* cuts(
  before: RotaPreview["before"],
  after: RotaPreview["after"],
): Generator<Times & { was: string[]; will: string[] }> {
  for (const { responders: will, ...there } of after) {
    for (const { responders: was, ...here } of before) {
      const from = here.from.at > there.from.at ? here.from : there.from;
      const until = here.until.at < there.until.at ? here.until : there.until;
      if (from.at < until.at && was.join() !== will.join()) yield { from, until, was, will };
    }
  }
}
