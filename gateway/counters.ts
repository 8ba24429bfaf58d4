/** Counts by name. A name is of a fixed list (see README): never an id, never content. */
export interface Counters {
  add(name: string, by?: number): void;
  /** All counts so far. */
  read(): Record<string, number>;
}

export function createCounters(): Counters {
  const counts = new Map<string, { total: number }>();
  return {
    add(name, by = 1) {
      const count = counts.get(name);
      if (count) count.total += by;
      else counts.set(name, { total: by });
    },
    read: () =>
      Object.fromEntries(
        [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { total }]) => [name, total] as const),
      ),
  };
}
