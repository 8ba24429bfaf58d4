import { useEffect, useState } from "preact/hooks";
import type { EpisodeDetail, EpisodeView } from "../api.ts";
import { EpisodeActions } from "./episode-actions.tsx";
import { EpisodeHead } from "./episode-card.tsx";
import { aliasOf } from "./episode-words.ts";
import { useWords } from "./language.ts";
import { Measured, Reported } from "./measured.tsx";
import { MovementPlot } from "./movement-plot.tsx";
import { CallFailed, getEpisode } from "./server-calls.ts";
import { FallReportLink } from "./shift/report-link.tsx";
import { Timeline } from "./timeline.tsx";

interface Props {
  id: string;
  /** The episode as the board has it; the detail is asked for anew whenever it changes. */
  view: EpisodeView | null;
  othersUntaken: number;
  onChanged(episode: EpisodeView): void;
}

/** One episode: beside the board on a wide screen, instead of it on a phone. */
export function EpisodeDetailView({ id, view, othersUntaken, onChanged }: Props) {
  const words = useWords();
  const [detail, setDetail] = useState<EpisodeDetail | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  useEffect(() => {
    let outdated = false;
    getEpisode(id).then(
      (answer) => {
        if (outdated) return;
        setDetail(answer);
        setFailure(null);
      },
      (error: unknown) => !outdated && setFailure(error instanceof CallFailed ? error.code : "server"),
    );
    return () => {
      outdated = true;
    };
  }, [id, view]);

  const shown = view ?? detail;
  return (
    <aside class="detail" aria-label={words.say("act.details")}>
      <nav>
        <a class="button secondary" href="#/">
          <span class="narrow-only">← {words.say("detail.back")}</span>
          <span class="wide-only">{words.say("detail.close")}</span>
        </a>
        {othersUntaken > 0 && (
          <a class="button others narrow-only" href="#/">
            {words.say("untaken.banner", { count: othersUntaken })}
          </a>
        )}
      </nav>
      {!shown && <p>{failure === "not-found" ? words.say("detail.missing") : words.say("app.waiting")}</p>}
      {shown && (
        <h2 class="wide-only">
          {aliasOf(words, shown)} <span class="code">{words.say("code.label", { code: shown.code })}</span>
        </h2>
      )}
      {shown && (
        <article class={`card ${shown.status}`} aria-labelledby="detail-title">
          <EpisodeHead view={shown} headingId="detail-title" />
          <EpisodeActions view={shown} onChanged={onChanged} link={false} />
          <FallReportLink view={shown} />
        </article>
      )}
      {detail && (
        <>
          {detail.evidence?.window && <MovementPlot evidence={detail.evidence} />}
          {detail.reported ? <Reported fall={detail.reported} /> : <Measured evidence={detail.evidence} />}
          <Timeline entries={detail.timeline} />
        </>
      )}
    </aside>
  );
}
