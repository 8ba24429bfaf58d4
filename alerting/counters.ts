/** Counts by name; names are of a fixed list in the code, never from outside. */
export interface Counters {
  count(name: string, by?: number): void;
  read(): Record<string, number>;
}

export function createCounters(): Counters {
  const counts = new Map<string, number>();
  return {
    count: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
    read: () => Object.fromEntries([...counts].sort()),
  };
}
