import { useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { EvidenceScores, EvidenceWindow } from "../../../../firmware-contracts/detection.ts";
import { useWords } from "../language.ts";
import { leftPx, mark, useDrawn } from "./drawn-plot.ts";
import { endsOf, highestScore, scoreData, scoresBySecond } from "./movement.ts";

const heightPx = 150;

interface Props {
  scores: EvidenceScores;
  /** The score that decided. */
  judged: number;
  window: EvidenceWindow;
}

/** How the detector's answer moved, on the same seconds as the movement above it, with the scores that ask for an alarm. */
export function ScorePlot({ scores, judged, window }: Props) {
  const words = useWords();
  const holder = useRef<HTMLDivElement>(null);
  const { medium, strong, judgedMs } = scores;
  const [from, to] = endsOf(window);

  useDrawn(
    holder,
    heightPx,
    ({ element, colour, axis }) => ({
      scales: { x: { range: [from, to] }, y: { range: [0, 1.1] } },
      axes: [
        { ...axis, size: 22, splits: () => evenSeconds(from, to), values: (_, at) => at.map((s) => words.number(s)) },
        {
          ...axis,
          size: leftPx,
          splits: () => [0, 0.5, 1],
          values: (_, at) => at.map((score) => words.number(score, 1)),
        },
      ],
      series: [
        {},
        { stroke: colour("--plot-total"), width: 2.5, points: { show: true, size: 5, fill: colour("--plot-total") } },
      ],
      hooks: {
        draw: [
          (drawn) => {
            mark(drawn, 0, colour("--impact"), "", [5, 4]);
            level(drawn, strong, colour("--link"), words.say("episode.scores.strong"), "above");
            level(drawn, medium, colour("--text"), words.say("episode.scores.medium"), "below");
            ring(drawn, judgedMs / 1000, judged, colour("--impact"));
            const y = (score: number) => Math.round(drawn.valToPos(score, "y"));
            element.dataset.levels = JSON.stringify({ medium: y(medium), strong: y(strong), judged: y(judged) });
          },
        ],
      },
    }),
    scoreData(scores),
    words,
  );

  const { score: most, at } = highestScore(scores);
  const said = words.say("episode.scores.words", {
    most: words.number(most, 2),
    at: words.number(at, Number.isInteger(at) ? 0 : 2),
    judged: words.number(judged, 2),
    medium: words.number(medium, 2),
    strong: words.number(strong, 2),
  });
  return (
    <section aria-labelledby="scores-title">
      <h3 id="scores-title">{words.say("episode.scores.title")}</h3>
      <div
        ref={holder}
        class="plot episode-scores"
        role="img"
        aria-label={words.say("episode.scores.title")}
        aria-describedby="scores-words"
      />
      <p id="scores-words" class="small episode-plot-words">
        {said}
      </p>
      <details>
        <summary>{words.say("episode.scores.show")}</summary>
        <table class="episode-table">
          <caption>{words.say("episode.scores.caption")}</caption>
          <thead>
            <tr>
              <th scope="col">{words.say("episode.table.second")}</th>
              <th scope="col">{words.say("episode.scores.score")}</th>
            </tr>
          </thead>
          <tbody>
            {scoresBySecond(scores).map(({ second, score }) => (
              <tr key={second}>
                <th scope="row">{words.number(second)}</th>
                <td>{score === null ? words.say("measured.not-known") : words.number(score, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

/** The seconds that the movement's plot has at its foot. */
function evenSeconds(from: number, to: number): number[] {
  const first = Math.ceil(from / 2) * 2;
  return Array.from({ length: Math.floor((to - first) / 2) + 1 }, (_, index) => first + 2 * index);
}

/** A score that asks for something, across the plot. */
function level(plot: uPlot, score: number, colour: string, label: string, side: "above" | "below"): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(score, "y", true));
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  // At the right: a fall that was told at once has no scores there.
  ctx.textAlign = "right";
  ctx.textBaseline = side === "above" ? "bottom" : "top";
  ctx.fillText(
    label,
    bbox.left + bbox.width - 4 * devicePixelRatio,
    y + (side === "above" ? -3 : 3) * devicePixelRatio,
  );
  ctx.restore();
}

/** Around the score that decided. */
function ring(plot: uPlot, at: number, score: number, colour: string): void {
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2.5 * devicePixelRatio;
  ctx.beginPath();
  ctx.arc(plot.valToPos(at, "x", true), plot.valToPos(score, "y", true), 6 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.stroke();
  ctx.restore();
}
