import { useState } from "preact/hooks";
import type { HandoverAnswer } from "../../shift/api.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { asCallFailed, call } from "../server-calls.ts";
import { Loaded, problemText, useServerData } from "../server-data.tsx";
import { CopyText } from "./copy-text.tsx";

type List = HandoverAnswer["list"];
type FollowUp = List["followUps"][number];

/** What one shift hands over to the next: read together at 06.45, ticked, printed, or copied as text. */
export function HandoverPage({ mayWrite }: { mayWrite: boolean }) {
  const words = useWords();
  const [unit, setUnit] = useState("");
  const [span, setSpan] = useState("");
  const [from, until] = span.split("-");
  // Always with its day: several nights stand side by side.
  const withDay = (at: number) => words.time(at, 0);
  const query = new URLSearchParams({
    language: words.language,
    ...(unit && { unit }),
    ...(from && until && { from, until }),
  });
  const data = useServerData<HandoverAnswer>(`/shift/handover?${query}`);
  return (
    <Loaded of={data}>
      {(answer) => (
        <div class="shift-list">
          <h1>
            {words.say("shift.list.title")}
            {answer.list.unit !== null && `, ${answer.list.unit}`}
          </h1>
          <p class="shift-covers">
            {words.say("shift.list.covers", {
              from: withDay(answer.list.from),
              until: withDay(answer.list.until),
              time: words.time(answer.list.at),
            })}
          </p>
          <div class="shift-tools">
            {answer.units.length > 1 && (
              <label>
                {words.say("shift.list.unit")}
                <select value={unit} onChange={(event) => setUnit(event.currentTarget.value)}>
                  <option value="">{words.say("shift.list.all-units")}</option>
                  {answer.units.map((name) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <label>
              {words.say("shift.list.shift")}
              <select value={span} onChange={(event) => setSpan(event.currentTarget.value)}>
                <option value="">{words.say("shift.list.now")}</option>
                {answer.shifts.map((shift) => (
                  <option key={`${shift.from}-${shift.until}`} value={`${shift.from}-${shift.until}`}>
                    {`${withDay(shift.from)}–${words.time(shift.until)}`}
                  </option>
                ))}
              </select>
            </label>
            <button type="button" class="secondary" onClick={() => print()}>
              {words.say("shift.list.print")}
            </button>
          </div>
          <Alarms answer={answer} />
          {(["followUps", "nurse"] as const).map((part) => (
            <Part key={part} title={answer.titles[part]} count={answer.list[part].length}>
              {answer.list[part].map((item) => (
                <TickedItem
                  key={`${item.episodeId} ${item.kind}`}
                  item={item}
                  mayWrite={mayWrite}
                  onTicked={data.reload}
                />
              ))}
            </Part>
          ))}
          {(["charge", "pauses", "blind", "awaitingTest"] as const).map((part) => (
            <Part key={part} title={answer.titles[part]} count={answer.list[part].length}>
              {answer.list[part].map(({ says }) => (
                <li key={says}>{says}</li>
              ))}
            </Part>
          ))}
          <section class="shift-as-text">
            <h2>{words.say("shift.list.copy-title")}</h2>
            <CopyText text={answer.text} />
          </section>
        </div>
      )}
    </Loaded>
  );
}

interface PartProps {
  title: string | undefined;
  count: number;
  children: preact.ComponentChildren;
}

function Part({ title, count, children }: PartProps) {
  const words = useWords();
  return (
    <section class={`shift-part ${count === 0 ? "shift-empty" : ""}`}>
      <h2>
        {count === 0 ? `${title}:` : title}{" "}
        <span class="count">{count === 0 ? words.say("shift.list.none") : count}</span>
      </h2>
      {count > 0 && <ul>{children}</ul>}
    </section>
  );
}

function Alarms({ answer: { list, titles } }: { answer: HandoverAnswer }) {
  const words = useWords();
  const alias = (key: string | null) => (key === null ? "" : words.say("alias.key", { number: key }));
  return (
    <Part title={titles.alarms} count={list.alarms.length}>
      {list.alarms.map(({ episodeId, key, says, hasReport }) => (
        <li key={episodeId}>
          <span>{says}</span>
          <span class="shift-links">
            <a href={hrefOf("episodes", episodeId)} aria-label={`${words.say("shift.list.open")}, ${alias(key)}`}>
              {words.say("shift.list.open")}
            </a>
            {hasReport && (
              <a
                href={hrefOf("shift", "report", episodeId)}
                aria-label={words.say("shift.report.for", { alias: alias(key) })}
              >
                {words.say("shift.report.link")}
              </a>
            )}
          </span>
        </li>
      ))}
    </Part>
  );
}

interface TickedProps {
  item: FollowUp;
  mayWrite: boolean;
  onTicked(): Promise<void>;
}

/** Something to follow up, with a box; what is not closed yet is closed on its own page. */
function TickedItem({ item, mayWrite, onTicked }: TickedProps) {
  const words = useWords();
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const { episodeId, kind, done, says } = item;

  async function tick(isDone: boolean): Promise<void> {
    setSending(true);
    setFailure(null);
    try {
      await call("/shift/follow-ups", "POST", { episodeId, kind, isDone });
      await onTicked();
    } catch (error) {
      const why = problemText(words, asCallFailed(error));
      setFailure(words.say("shift.list.tick-failed", { why }));
    } finally {
      setSending(false);
    }
  }

  return (
    <li class={done ? "shift-done" : ""}>
      {kind === "not-closed" ? (
        <>
          <span>{says}</span>
          <span class="shift-links">
            <a href={hrefOf("episodes", episodeId)}>{words.say("shift.list.open")}</a>
          </span>
        </>
      ) : (
        <label class="shift-tick">
          <input
            type="checkbox"
            checked={done !== null}
            disabled={sending || !mayWrite}
            onChange={(event) => void tick(event.currentTarget.checked)}
          />
          <span>{says}</span>
        </label>
      )}
      {failure && (
        <p role="alert" class="failure">
          {failure}
        </p>
      )}
    </li>
  );
}
