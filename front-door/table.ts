export const print = (text: string) => void process.stdout.write(`${text}\n`);

/** A wall time as it is read here, or a dash. */
export const timeOf = (at: number | null) => (at === null ? "–" : new Date(at).toLocaleString("sv-SE"));

/** Prints rows under their heads, in columns. */
export function printTable(head: string[], rows: string[][]): void {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  for (const row of all) {
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}
