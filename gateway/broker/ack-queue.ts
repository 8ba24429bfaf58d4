/** QoS 1 messages of one connection that wait for their commit. */
export interface AckQueue {
  /** A message came. Returns what to call, once, when it may be acknowledged. */
  enter(messageId: number): () => void;
  /** Calls `proceed` when fewer than `max` wait: at once, or as soon as there is room. One may wait at a time. */
  whenRoom(proceed: () => void): void;
  /** How many wait, those included that are only behind others. */
  readonly size: number;
  /** Resolves when nothing waits, or the queue is closed. */
  settled(): Promise<void>;
  /** Sends what may be acknowledged now. */
  flush(): void;
  /** Nothing is sent any more. */
  close(): void;
}

/** PUBACK, MQTT 3.1.1 section 3.4; the same bytes say "success" in MQTT 5. */
const puback = 0x40;

/**
 * PUBACKs leave in the order in which the messages came (MQTT-4.6.0-2), those of one turn of the event loop together.
 * One that is never settled holds up all behind it: its connection has then failed.
 */
export function createAckQueue(options: { max: number; send(bytes: Uint8Array): void }): AckQueue {
  let waiting: { messageId: number; settled: boolean }[] = [];
  let isFlushing = false;
  let isClosed = false;
  let proceedLater: (() => void) | null = null;
  let idle: (() => void)[] = [];

  function flush(): void {
    isFlushing = false;
    if (isClosed) return;
    const firstUnsettled = waiting.findIndex((entry) => !entry.settled);
    const count = firstUnsettled < 0 ? waiting.length : firstUnsettled;
    if (count > 0) {
      const bytes = waiting.slice(0, count).flatMap(({ messageId }) => [puback, 2, messageId >> 8, messageId & 0xff]);
      options.send(Uint8Array.from(bytes));
      waiting = waiting.slice(count);
    }
    if (waiting.length < options.max) {
      const proceed = proceedLater;
      proceedLater = null;
      proceed?.();
    }
    if (waiting.length > 0) return;
    for (const resolve of idle) resolve();
    idle = [];
  }

  return {
    get size() {
      return waiting.length;
    },
    enter(messageId) {
      const entry = { messageId, settled: false };
      waiting.push(entry);
      return () => {
        entry.settled = true;
        if (isFlushing || isClosed) return;
        isFlushing = true;
        setImmediate(flush);
      };
    },
    whenRoom(proceed) {
      if (waiting.length < options.max) proceed();
      else proceedLater = proceed;
    },
    settled: () =>
      waiting.length === 0 || isClosed ? Promise.resolve() : new Promise((resolve) => idle.push(resolve)),
    flush,
    close() {
      isClosed = true;
      proceedLater = null;
      for (const resolve of idle) resolve();
      idle = [];
    },
  };
}
