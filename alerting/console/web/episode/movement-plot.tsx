import { useMemo, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Evidence } from "../../../../firmware-contracts/detection.ts";
import type { EpisodeDetail } from "../../api.ts";
import { useWords } from "../language.ts";
import { leftPx, mark, useDrawn } from "./drawn-plot.ts";
import { endsOf, type MovementSpan, plotData, secondsOf, spansOf } from "./movement.ts";

const lines = [
  { key: "plot.magnitude", colour: "--plot-total", width: 2.5, dash: [] },
  { key: "plot.x", colour: "--plot-x", width: 1, dash: [] },
  { key: "plot.y", colour: "--plot-y", width: 1, dash: [6, 3] },
  { key: "plot.z", colour: "--plot-z", width: 1, dash: [2, 2] },
] as const;
const heightPx = 240;
const spanColours: Record<MovementSpan["what"], string> = {
  weightless: "--plot-weightless",
  still: "--plot-still",
  gap: "--plot-gap",
};

interface Props {
  evidence: Evidence;
  detection: EpisodeDetail["detection"];
}

/** The total and the three axes around the impact; the impact, stillness, gaps and the moment of the decision are marked. Told apart by dashes and words as well as by colour. */
export function MovementPlot({ evidence, detection }: Props) {
  const words = useWords();
  const holder = useRef<HTMLDivElement>(null);
  const window = evidence.window!;
  const spans = useMemo(() => spansOf(window), [window]);
  const [first, last] = endsOf(window);
  const decidedAt = detection ? (detection.detectedAt - detection.impactAt) / 1000 : null;
  // What was decided later is told in words.
  const decided = decidedAt !== null && decidedAt <= last ? decidedAt : null;

  useDrawn(
    holder,
    heightPx,
    ({ element, colour, axis }) => ({
      axes: [
        {
          ...axis,
          label: words.say("plot.seconds"),
          labelSize: 20,
          size: 28,
          values: (_, at) => at.map((s) => words.number(s)),
        },
        { ...axis, size: leftPx, values: (_, at) => at.map((g) => `${words.number(g)} g`) },
      ],
      series: [
        {},
        ...lines.map(({ colour: name, width, dash }) => ({
          stroke: colour(name),
          width,
          dash: [...dash],
          points: { show: false },
        })),
      ],
      hooks: {
        drawClear: [
          (drawn) => {
            for (const span of spans) {
              const label = words.say(`episode.plot.${span.what}`);
              shade(drawn, span, colour(spanColours[span.what]), label, colour("--text"));
            }
          },
        ],
        draw: [
          (drawn) => {
            mark(drawn, 0, colour("--impact"), words.say("plot.impact"), [5, 4]);
            if (decided !== null) mark(drawn, decided, colour("--link"), words.say("episode.plot.decided"), [2, 3]);
            tellMarks(element, drawn, spans, decided);
          },
        ],
      },
    }),
    plotData(window),
    words,
  );

  const label = words.say("plot.label", {
    from: words.number(first, 1),
    to: words.number(last, 1),
    peak: `${words.number(evidence.peakG, 1)} g`,
  });
  const shown = [...new Set(spans.map(({ what }) => what))];
  return (
    <section aria-labelledby="plot-title">
      <h3 id="plot-title">{words.say("plot.title")}</h3>
      <div ref={holder} class="plot" role="img" aria-label={label} aria-describedby="plot-words" />
      <ul class="legend" aria-hidden="true">
        {lines.map(({ key }) => (
          <li key={key} class={key.replace("plot.", "line-")}>
            {words.say(key)}
          </li>
        ))}
        {shown.map((what) => (
          <li key={what} class={`episode-swatch ${what}`}>
            {words.say(`episode.plot.${what}`)}
          </li>
        ))}
      </ul>
      <MovementInWords evidence={evidence} spans={spans} />
    </section>
  );
}

/** The same for whoever cannot see it. */
function MovementInWords({ evidence, spans }: { evidence: Evidence; spans: readonly MovementSpan[] }) {
  const words = useWords();
  const s = (value: number) => words.number(value, 1);
  const seen = spans.map(({ what, from, to }) => words.say(`episode.seen.${what}`, { from: s(from), to: s(to) }));
  const peak = words.say("episode.seen.peak", { peak: words.number(evidence.peakG, 1) });
  return (
    <>
      <p id="plot-words" class="small episode-plot-words">
        {[peak, ...seen].join(" ")}
      </p>
      <details>
        <summary>{words.say("episode.table.show")}</summary>
        <table class="episode-table">
          <caption>{words.say("episode.table.caption")}</caption>
          <thead>
            <tr>
              <th scope="col">{words.say("episode.table.second")}</th>
              <th scope="col">{words.say("episode.table.least")}</th>
              <th scope="col">{words.say("episode.table.most")}</th>
            </tr>
          </thead>
          <tbody>
            {secondsOf(evidence.window!).map(({ second, least, most }) => (
              <tr key={second}>
                <th scope="row">{words.number(second)}</th>
                {least === null || most === null ? (
                  <td colSpan={2}>{words.say("episode.plot.gap")}</td>
                ) : (
                  <>
                    <td>{words.number(least, 1)} g</td>
                    <td>{words.number(most, 1)} g</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

/** Where things stand in the picture, px from its left edge: for whoever tries the page. */
function tellMarks(element: HTMLElement, plot: uPlot, spans: readonly MovementSpan[], decided: number | null): void {
  const x = (at: number) => Math.round(plot.valToPos(at, "x"));
  element.dataset.marks = JSON.stringify([
    { what: "impact", from: x(0), to: x(0) },
    ...(decided === null ? [] : [{ what: "decided", from: x(decided), to: x(decided) }]),
    ...spans.map(({ what, from, to }) => ({ what, from: x(from), to: x(to) })),
  ]);
}

function shade(plot: uPlot, { from, to }: MovementSpan, colour: string, label: string, ink: string): void {
  const { ctx, bbox } = plot;
  const left = plot.valToPos(from, "x", true);
  const width = Math.max(1, plot.valToPos(to, "x", true) - left);
  ctx.save();
  ctx.fillStyle = colour;
  ctx.fillRect(left, bbox.top, width, bbox.height);
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  // A label that does not fit stands in the legend alone.
  if (ctx.measureText(label).width < width - 6 * devicePixelRatio) {
    ctx.fillStyle = ink;
    ctx.textAlign = "center";
    ctx.fillText(label, left + width / 2, bbox.top + bbox.height - 6 * devicePixelRatio);
  }
  ctx.restore();
}
