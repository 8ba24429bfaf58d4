import type { Result } from "./measure.ts";

const whole = (value: number) => Math.round(value).toLocaleString("en");
const percent = (value: number) => `${(value * 100).toFixed(1)} %`;

/** The result for a reader. The last line is `ratio 0.xx`. */
export function tableOf(result: Result): string {
  const { load, rows, memory, shares, notes } = result;
  const hours = (load.dailySeconds / 3600).toFixed(1);
  const lines = [
    `${load.publishers} publishers, QoS 1, ${load.window} frames of each on their way, packets of ${load.packetBytes} bytes: a second of ${load.source} at ` +
      `${load.rateHz} Hz (${hours} h of daily life, ${load.placement})`,
    `Node ${result.node}, classifier ${result.classifier}; ${load.rounds} alternating rounds of ${load.seconds} s, medians`,
    "",
    ...columns([
      ["", "messages/s", "CPU s per 100,000", "load's cores", "delivered", "journaled", "falls told"],
      ...rows.map((row) => [
        row.name,
        whole(row.messagesPerSecond),
        row.cpuSecondsPer100k.toFixed(2),
        row.loadCores.toFixed(2),
        row.delivered === null ? "" : percent(row.delivered),
        row.journaled === null ? "" : percent(row.journaled),
        row.detections === null ? "" : whole(row.detections),
      ]),
    ]),
  ];
  if (Object.keys(shares).length > 0) {
    lines.push(
      "",
      "Share of frames journaled, in the recordings' own time (session, gate and classifier; without broker and disk)",
      ...columns([
        ["", "journaled", "frames", "hours", "gates/h"],
        ...Object.entries(shares).map(([name, share]) => [
          name,
          percent(share.journaled / share.frames),
          whole(share.frames),
          share.hours.toFixed(1),
          whole(share.gatesAnHour),
        ]),
      ]),
    );
  }
  if (memory[0]) {
    const counts = memory[0].mib.map(({ connections }) => `${whole(connections)} idle`);
    lines.push(
      "",
      "Resident memory, MiB",
      ...columns([["", ...counts], ...memory.map(({ name, mib }) => [name, ...mib.map((one) => one.mib.toFixed(0))])]),
    );
  }
  for (const note of notes) lines.push("", `Note: ${note}`);
  lines.push(
    "",
    `gateway to aedes without subscribers: ${result.ratio.toFixed(2)} by messages a second (must 0.60, goal 0.80), ${result.ratioByCpu.toFixed(2)} by CPU; ` +
      `quiet frames ${result.quietRatio.toFixed(2)}`,
    `ratio ${result.ratio.toFixed(2)}`,
  );
  return lines.join("\n");
}

/** Rows of text in columns, the first at its left and the others at their right. */
export function columns(cells: readonly (readonly string[])[]): string[] {
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}
