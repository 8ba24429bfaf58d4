import type { DryRunRequest, DryRunView } from "../../policies/api.ts";
import { useWords, type Words } from "../language.ts";
import { momentText, timeText } from "./rota-words.ts";

type Moment = DryRunView["moments"][number];

/** Who would be paged when, and why; in words, and in the order of time. */
export function DryRunResult({ asked, view }: { asked: DryRunRequest; view: DryRunView }) {
  const words = useWords();
  const { id, version } = view.policy;
  const policy = asked.kind === "technical" ? "technical" : id === null ? "common" : null;
  return (
    <div class="rota-result">
      <h3>
        {words.say("rota.try-result", {
          kind: words.say(`rota.kind-${asked.kind ?? "fall"}`),
          when: momentText(words, view.at),
          unit: asked.unit ?? "none",
        })}
      </h3>
      <p class="small">
        {words.say("rota.try-policy", {
          policy:
            policy === null ? words.say("rota.policy-named", { id: id ?? "" }) : words.say(`rota.policy-${policy}`),
          version,
        })}
      </p>
      <table>
        <caption class="unseen">{words.say("rota.try-caption")}</caption>
        <thead>
          <tr>
            <th scope="col">{words.say("rota.try-after")}</th>
            <th scope="col">{words.say("rota.try-clock")}</th>
            <th scope="col">{words.say("rota.try-why")}</th>
            <th scope="col">{words.say("rota.try-who")}</th>
          </tr>
        </thead>
        <tbody>
          {view.moments.map((moment, index) => (
            <MomentRow key={index} moment={moment} day={view.at.date} />
          ))}
        </tbody>
      </table>
      <p>{words.say(view.ends === "again" ? "rota.try-again" : "rota.try-long")}</p>
      <p class="small">{words.say("rota.try-assumes")}</p>
    </div>
  );
}

/** `0:00`, `2:30`, `1:05:00`. */
function clockText(seconds: number): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function MomentRow({ moment, day }: { moment: Moment; day: string }) {
  const words = useWords();
  const { at, afterSeconds, cause, step, round, pages, passedOver, gaps, heldUntil } = moment;
  return (
    <tr>
      <th scope="row">{clockText(Math.round(afterSeconds))}</th>
      <td>{momentText(words, at, day)}</td>
      <td>
        {words.say(`rota.cause-${cause}`)}
        {step !== null && (
          <div class="small">
            {round > 1
              ? words.say("rota.step-again", { step: step + 1, round })
              : words.say("rota.step", { step: step + 1 })}
          </div>
        )}
      </td>
      <td>
        <ul>
          {gaps.map(({ rotaId, name, step: of }) => (
            <li key={`${of} ${rotaId}`} class="rota-bad">
              {words.say("rota.gap-in", { name })}
            </li>
          ))}
          {passedOver.map(({ responderId, name, why, step: of }) => (
            <li key={`${of} ${responderId}`} class={why === "no-texts" ? "rota-bad" : ""}>
              {words.say(`rota.passed-${why}`, { name })}
            </li>
          ))}
          {heldUntil !== null && <li>{words.say("rota.held", { time: timeText(heldUntil) })}</li>}
          {pages.map((page, index) => (
            <li key={index}>
              <strong>{page.name}</strong> {words.sayKnown("rota.purpose", page.purpose, page.purpose)}
              <span class="small">
                {page.ways.map((way) => ` · ${wayText(words, way)}`)}
                {page.leavesAt.at > at.at && ` · ${words.say("rota.leaves", { time: timeText(page.leavesAt) })}`}
              </span>
              {!page.getsTexts && <strong class="rota-bad"> {words.say("rota.no-texts-short")}</strong>}
            </li>
          ))}
        </ul>
      </td>
    </tr>
  );
}

const wayText = (words: Words, { by, name }: Moment["pages"][number]["ways"][number]) =>
  words.say(`rota.way-${by}`, { name: name ?? "" });
