import type { Logger } from "pino";

/** Tells whoever listens. A listener that throws is logged and holds up nobody. */
export interface Listeners<T> {
  /** Returns how to stop listening. */
  on: (listener: (value: T) => void) => () => void;
  tell: (value: T) => void;
}

export function createListeners<T>(log: Logger): Listeners<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(value) {
      for (const listener of [...listeners]) {
        try {
          listener(value);
        } catch (error) {
          log.error({ err: error }, "a listener failed; the others are told");
        }
      }
    },
  };
}
