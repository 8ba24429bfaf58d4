import type { EpisodeView } from "../../api.ts";
import { aliasOf } from "../episode-words.ts";
import { useWords } from "../language.ts";
import { hrefOf } from "../route.ts";

const fallen = ["injury", "unhurt", "already-up", "unknown"];

/** To the fall report, where one can be made: of a fall or a press of the button that somebody has been to. */
export function FallReportLink({ view }: { view: EpisodeView }) {
  const words = useWords();
  const { kind, status, outcome, test } = view;
  const isOver = status === "arrived" || (status === "closed" && fallen.includes(outcome ?? ""));
  if (test || (kind !== "fall" && kind !== "help") || !isOver) return null;
  const label = words.say("shift.report.for", { alias: aliasOf(words, view) });
  return (
    <a class="button secondary" href={hrefOf("shift", "report", view.id)} aria-label={label}>
      {words.say("shift.report.link")}
    </a>
  );
}
