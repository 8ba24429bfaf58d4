import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import uPlot from "uplot";

/** Room for the numbers at the left, px: the same in plots that stand below each other, so that their seconds do too. */
export const leftPx = 40;

/** What a plot is drawn with: the page's colours by their names, as they are now. */
export interface Brush {
  element: HTMLElement;
  colour(name: string): string;
  axis: uPlot.Axis;
}

/**
 * Draws a plot into an element, as wide as that is, and again where its size, the language or the colours change.
 * @param data of an episode's evidence, which never changes: a new answer of the server is only a new copy
 */
export function useDrawn(
  holder: RefObject<HTMLElement | null>,
  height: number,
  options: (brush: Brush) => Pick<uPlot.Options, "axes" | "series" | "hooks" | "scales">,
  data: (number | null)[][],
  language: unknown,
): void {
  const scheme = useColourScheme();
  useEffect(() => {
    const element = holder.current!;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--text"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const { scales, ...drawn } = options({ element, colour, axis });
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, ...scales },
        ...drawn,
      },
      data as uPlot.AlignedData,
      element,
    );
    const resizing = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      plot.destroy();
    };
  }, [language, scheme]);
}

/** A line across the plot at a moment, with its word beside it. */
export function mark(plot: uPlot, at: number, colour: string, label: string, dash: number[]): void {
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(at, "x", true));
  const isLeft = at <= 0;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash(dash.map((px) => px * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `bold ${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = isLeft ? "right" : "left";
  ctx.fillText(label, x + (isLeft ? -5 : 5) * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
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
