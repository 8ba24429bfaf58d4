import "./episode.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { EpisodeDetail, EpisodeView, LoggedIn } from "../../api.ts";
import type { EpisodeRecord } from "../../episode/api.ts";
import { useServerHour } from "../clock-hook.ts";
import { EpisodeActions } from "../episode-actions.tsx";
import { EpisodeHead } from "../episode-card.tsx";
import { aliasOf } from "../episode-words.ts";
import { useWords } from "../language.ts";
import { ResidentSheet } from "../residents/resident-sheet.tsx";
import { hrefOf } from "../route.ts";
import { asCallFailed, call, getEpisode } from "../server-calls.ts";
import { FallReportLink } from "../shift/report-link.tsx";
import { Measured, Moments, Reported, Why } from "./measured.tsx";
import { MovementPlot } from "./movement-plot.tsx";
import { ScorePlot } from "./score-plot.tsx";
import { SentTexts } from "./sent-texts.tsx";
import { Timeline } from "./timeline.tsx";
import { momentsIn, whyIn } from "./why-words.ts";

interface Props {
  user: LoggedIn;
  id: string;
  /** The episode as the board has it; the detail is asked for anew whenever it changes. Null: the board does not hold it. */
  view: EpisodeView | null;
  othersUntaken: number;
  onChanged(episode: EpisodeView): void;
}

/** One episode: beside the board on a wide screen, instead of it on a phone. */
export function EpisodeDetailView({ user, id, view, othersUntaken, onChanged }: Props) {
  const words = useWords();
  const now = useServerHour();
  const [detail, setDetail] = useState<EpisodeDetail | null>(null);
  const [record, setRecord] = useState<EpisodeRecord | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  useEffect(() => {
    let outdated = false;
    getEpisode(id).then(
      (answer) => {
        if (outdated) return;
        setDetail(answer);
        setFailure(null);
      },
      (error: unknown) => !outdated && setFailure(asCallFailed(error).code),
    );
    // Without it the page is the poorer, and stands.
    call<EpisodeRecord>(`/episodes/${encodeURIComponent(id)}/record`).then(
      (answer) => !outdated && setRecord(answer),
      () => undefined,
    );
    return () => {
      outdated = true;
    };
  }, [id, view]);

  const why = useMemo(() => detail && whyIn(words, detail, record, now), [words, detail, record, now]);
  const moments = useMemo(() => detail && momentsIn(words, detail, record), [words, detail, record]);
  const shown = view ?? detail;
  const isPast = view === null && detail !== null;
  return (
    <aside class="detail" aria-label={words.say("act.details")}>
      <nav>
        <a class="button secondary" href={isPast ? hrefOf("history") : hrefOf("board")}>
          <span class="narrow-only">← {words.say(isPast ? "episode.to-history" : "detail.back")}</span>
          <span class="wide-only">{words.say("detail.close")}</span>
        </a>
        {othersUntaken > 0 && (
          <a class="button others narrow-only" href={hrefOf("board")}>
            {words.say("untaken.banner", { count: othersUntaken })}
          </a>
        )}
      </nav>
      {!shown && <p>{failure === "not-found" ? words.say("detail.missing") : words.say("app.waiting")}</p>}
      {shown && failure && failure !== "not-found" && (
        <p role="alert" class="failure">
          {words.say("episode.stale")}
        </p>
      )}
      {shown && <h1 class="unseen narrow-only">{aliasOf(words, shown)}</h1>}
      {shown && (
        <h2 class="wide-only">
          {aliasOf(words, shown)} <span class="code">{words.say("code.label", { code: shown.code })}</span>
        </h2>
      )}
      {shown && (
        <article class={`card ${shown.status}`} aria-labelledby="detail-title">
          <EpisodeHead view={shown} headingId="detail-title" />
          <EpisodeActions user={user} view={shown} onChanged={onChanged} on="page" />
        </article>
      )}
      {shown?.ofDwelling && (
        <ResidentSheet user={user} dwelling={{ key: shown.alias, unit: shown.unit }} episode={shown.id} />
      )}
      {shown && <FallReportLink view={shown} />}
      {detail && why && moments && (
        <>
          <Why lines={why} />
          {detail.evidence?.window && <MovementPlot evidence={detail.evidence} detection={detail.detection} />}
          {detail.evidence?.window && detail.evidence.scores && (
            <ScorePlot scores={detail.evidence.scores} judged={detail.evidence.score} window={detail.evidence.window} />
          )}
          <Moments moments={moments} />
          {detail.reported ? <Reported fall={detail.reported} /> : <Measured evidence={detail.evidence} />}
          <Timeline entries={detail.timeline} />
          {record && <SentTexts texts={record.texts} now={now} />}
        </>
      )}
    </aside>
  );
}
