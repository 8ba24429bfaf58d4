import { minutesOfTime, type Zone } from "./rota/local-time.ts";
import type { OperationStore, SetTime } from "./store/store.ts";

/** The next of these local times after `now`, wall ms; null where there is none. */
export function nextOf(times: readonly string[], zone: Zone, now: number): number | null {
  const today = zone.dayOf(now);
  const all = [today, today + 1].flatMap((day) => times.map((time) => zone.at(day, minutesOfTime(time))));
  const later = all.filter((at) => at > now);
  return later.length === 0 ? null : Math.min(...later);
}

/**
 * Does something at set times of the day. When it is next to be done is a row in the store: a restart at that time loses nothing, and what is done late is
 * done once. `take` is asked often; true where it is to be done now, and is then not due before the next time.
 */
export function createSetTimes(options: {
  store: OperationStore;
  what: SetTime;
  times: readonly string[];
  zone: Zone;
}): { take(now: number): Promise<boolean> } {
  const { store, what, times, zone } = options;
  let at: number | null | undefined;
  return {
    async take(now) {
      const next = nextOf(times, zone, now);
      if (next === null) return false;
      if (at === undefined) at = await store.findSetTime(what);
      const isDue = at !== null && at <= now;
      // The settings, or the clock, may have been another when it was written.
      if (!isDue && at !== null && at <= next) return false;
      await store.putSetTime(what, next);
      at = next;
      return isDue;
    },
  };
}
