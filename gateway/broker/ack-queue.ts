/** QoS 1 messages of one connection that wait for their commit. */
export interface AckQueue {
  /** A message came. Returns what to call, once, when it may be acknowledged. */
  enter(messageId: number): () => void;
  /** A message came that is to be acknowledged together with the one that entered last; only while something waits. */
  join(messageId: number): void;
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

/** PUBACKs one after another, MQTT 3.1.1 section 3.4; the same bytes say "success" in MQTT 5. */
export function pubacks(messageIds: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(messageIds.length * 4);
  let at = 0;
  for (const id of messageIds) {
    bytes[at] = 0x40;
    bytes[at + 1] = 2;
    bytes[at + 2] = id >> 8;
    bytes[at + 3] = id & 0xff;
    at += 4;
  }
  return bytes;
}

/**
 * PUBACKs leave in the order in which the messages came (MQTT-4.6.0-2), those of one turn of the event loop together.
 * One that is never settled holds up all behind it: its connection has then failed.
 */
export function createAckQueue(options: { max: number; send(bytes: Uint8Array): void }): AckQueue {
  const waiting: { messageIds: number[]; settled: boolean }[] = [];
  let size = 0;
  let isFlushing = false;
  let isClosed = false;
  let proceedLater: (() => void) | null = null;
  let idle: (() => void)[] = [];

  function flush(): void {
    isFlushing = false;
    if (isClosed) return;
    const firstUnsettled = waiting.findIndex((entry) => !entry.settled);
    const settled = waiting.splice(0, firstUnsettled < 0 ? waiting.length : firstUnsettled);
    if (settled.length > 0) {
      const messageIds = settled.flatMap((entry) => entry.messageIds);
      size -= messageIds.length;
      options.send(pubacks(messageIds));
    }
    if (size < options.max) {
      const proceed = proceedLater;
      proceedLater = null;
      proceed?.();
    }
    if (size > 0) return;
    for (const resolve of idle) resolve();
    idle = [];
  }

  return {
    get size() {
      return size;
    },
    join(messageId) {
      waiting.at(-1)?.messageIds.push(messageId);
      size++;
    },
    enter(messageId) {
      const entry = { messageIds: [messageId], settled: false };
      waiting.push(entry);
      size++;
      return () => {
        entry.settled = true;
        if (isFlushing || isClosed) return;
        isFlushing = true;
        setImmediate(flush);
      };
    },
    whenRoom(proceed) {
      if (size < options.max) proceed();
      else proceedLater = proceed;
    },
    settled: () => (size === 0 || isClosed ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
    flush,
    close() {
      isClosed = true;
      proceedLater = null;
      for (const resolve of idle) resolve();
      idle = [];
    },
  };
}
