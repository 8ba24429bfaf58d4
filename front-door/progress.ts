import { MultiBar, Presets, type SingleBar } from "cli-progress";

/** A bar at the foot of the terminal that lines of a story scroll above. Without a terminal there are only the lines. */
export function progressOf(total: number, quiet: boolean, unit = "trials") {
  const shown = Boolean(process.stderr.isTTY) && !quiet;
  const bars = shown
    ? new MultiBar(
        { format: `{bar} {value}/{total} ${unit}`, clearOnComplete: true, hideCursor: true, stream: process.stderr },
        Presets.shades_classic,
      )
    : null;
  const bar: SingleBar | null = bars?.create(total, 0) ?? null;
  return {
    step: () => bar?.increment(),
    /** Shows a line without tearing the bar. */
    say(plainly: (line: string) => void, line: string): void {
      if (bars) bars.log(`${line}\n`);
      else plainly(line);
    },
    stop: () => bars?.stop(),
  };
}
