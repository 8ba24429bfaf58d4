import { useState } from "preact/hooks";
import type { FallReport } from "../../../shift/fall-report.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import { CopyText } from "./copy-text.tsx";

/** The fall report, filled in from the alarm: changed by whoever was there, and copied from here. */
export function FallReportPage({ id }: { id: string }) {
  const words = useWords();
  const path = `/episodes/${encodeURIComponent(id)}/fall-report?language=${words.language}`;
  // What was typed is not to be replaced by what is fetched: it is asked for once.
  const data = useServerData<FallReport>(path, 24 * 3_600_000);
  return (
    <>
      <h1>{words.say("shift.report.title")}</h1>
      <p>
        <a href={hrefOf("episodes", id)}>{words.say("shift.report.back")}</a>
      </p>
      <Loaded of={data}>{(report) => <Editable key={`${id} ${words.language}`} report={report} />}</Loaded>
    </>
  );
}

function Editable({ report }: { report: FallReport }) {
  const words = useWords();
  const [text, setText] = useState(report.text);
  return (
    <>
      <p>{words.say("shift.report.help")}</p>
      {report.floor?.isLeast && <p class="shift-hint">{words.say("shift.report.least")}</p>}
      <CopyText text={text} onInput={setText} />
    </>
  );
}
