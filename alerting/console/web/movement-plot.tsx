import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Evidence, EvidenceWindow } from "../../../firmware-contracts/detection.ts";
import { useWords } from "./language.ts";

/** Seconds from the impact, then total, x, y and z in g; null where the signal has a gap. */
export function plotData(window: EvidenceWindow): [number[], ...(number | null)[][]] {
  const seconds = window.x.map((_, index) => (window.startMs + (index * 1000) / window.rateHz) / 1000);
  const inG = (axis: (number | null)[]) => axis.map((value) => (value === null ? null : value / 1000));
  const [x, y, z] = [inG(window.x), inG(window.y), inG(window.z)];
  const total = x.map((value, index) => {
    const [b, c] = [y[index] ?? null, z[index] ?? null];
    return value === null || b === null || c === null ? null : Math.hypot(value, b, c);
  });
  return [seconds, total, x, y, z];
}

const lines = [
  { key: "plot.magnitude", colour: "--plot-total", width: 2.5, dash: [] },
  { key: "plot.x", colour: "--plot-x", width: 1, dash: [] },
  { key: "plot.y", colour: "--plot-y", width: 1, dash: [6, 3] },
  { key: "plot.z", colour: "--plot-z", width: 1, dash: [2, 2] },
] as const;
const heightPx = 200;

/** The total and the three axes around the impact, which is marked. Told apart by dashes as well as by colour. */
export function MovementPlot({ evidence }: { evidence: Evidence }) {
  const words = useWords();
  const holder = useRef<HTMLDivElement>(null);
  const scheme = useColourScheme();
  const window = evidence.window!;

  useEffect(() => {
    const element = holder.current!;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--text"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: heightPx,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false } },
        axes: [
          {
            ...axis,
            label: words.say("plot.seconds"),
            labelSize: 20,
            size: 28,
            values: (_, at) => at.map((s) => words.number(s)),
          },
          { ...axis, size: 40, values: (_, at) => at.map((g) => `${words.number(g)} g`) },
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
        hooks: { draw: [(drawn) => markImpact(drawn, colour("--impact"), words.say("plot.impact"))] },
      },
      plotData(window) as uPlot.AlignedData,
      element,
    );
    const resizing = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: heightPx }));
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      plot.destroy();
    };
    // The evidence of an episode never changes; a new answer of the server is only a new copy.
  }, [words, scheme]);

  const last = window.startMs + ((window.x.length - 1) * 1000) / window.rateHz;
  const label = words.say("plot.label", {
    from: words.number(window.startMs / 1000, 1),
    to: words.number(last / 1000, 1),
    peak: `${words.number(evidence.peakG, 1)} g`,
  });
  return (
    <section aria-labelledby="plot-title">
      <h3 id="plot-title">{words.say("plot.title")}</h3>
      <div ref={holder} class="plot" role="img" aria-label={label} />
      <ul class="legend" aria-hidden="true">
        {lines.map(({ key }) => (
          <li key={key} class={key.replace("plot.", "line-")}>
            {words.say(key)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function markImpact(plot: uPlot, colour: string, label: string): void {
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(0, "x", true));
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `bold ${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.fillText(label, x - 5 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
  ctx.restore();
}

/** Changes when the device goes from light to dark: a canvas keeps the colours that it was drawn with. */
function useColourScheme(): string {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return dark ? "dark" : "light";
}
