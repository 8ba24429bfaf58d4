import type { RegisterRow } from "../../residents/api.ts";

/** Those whose key number begins with what was typed, then those that hold it. */
export function matching<T extends Pick<RegisterRow, "key">>(rows: readonly T[], typed: string): readonly T[] {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return rows;
  const holding = rows.filter(({ key }) => key.toLowerCase().includes(wanted));
  const begins = ({ key }: T) => key.toLowerCase().startsWith(wanted);
  return [...holding.filter(begins), ...holding.filter((row) => !begins(row))].sort((a, b) => exact(b) - exact(a));

  function exact({ key }: T): number {
    return key.toLowerCase() === wanted ? 1 : 0;
  }
}

/** Where somebody has something to do: what keeps a fall from being seen, or soon may. */
export const needsLookingAt = ({ consent, reviewDue, state, alarm }: RegisterRow) =>
  consent !== "given" || reviewDue === true || state !== "fine" || alarm !== undefined;
