import { type AckQueue, createAckQueue, pubacks } from "./ack-queue.ts";

/** Frames of one connection that wait for their commit at most; beyond, its bytes are left in the socket until some are there. */
const mostWaiting = 512;

/** What became of a frame: it goes the long way after all, it is taken, or it is taken once the promise resolves. */
export type Taken = "long-way" | "taken" | Promise<void>;

export interface FrameLaneOptions {
  /** The device's own topic for frames, as UTF-8. */
  topic: Uint8Array;
  /** The payload is `bytes` from `from` to `to`, for the time of the call. What must be durable is durable when this has returned or resolved. */
  take(bytes: Buffer, from: number, to: number): Taken;
  send(bytes: Uint8Array): void;
  /** A frame could not be committed: nothing more is acknowledged. */
  failed(error: unknown): void;
  /** `read` may be called again: it had stopped, as too many frames waited. */
  resume(): void;
}

/**
 * The short way of a device's own frames, in front of the broker. Nearly all that a gateway hears is PUBLISH on one topic from the device it belongs to, which
 * concerns nobody but the gateway; here such packets go straight to it, and only the others to aedes, in the order in which they came.
 * PUBACKs of the frames of one read leave as one write.
 */
export interface FrameLane {
  /**
   * Takes bytes as they come (the first at the beginning of a packet) and returns what the broker is to parse: whole packets that are no frames of the device. What came
   * behind those stays here until the next call, which is to be made once the broker is done with them; null where there is nothing now.
   */
  read(bytes: Buffer | null): Buffer | null;
  /** Too many frames wait: bytes are to be left where they are until `resume`. */
  readonly full: boolean;
  /** Nothing is acknowledged any more. */
  close(): void;
}

export function createFrameLane({ topic, take, send, failed, resume }: FrameLaneOptions): FrameLane {
  let rest: Buffer | null = null;
  let isFull = false;
  let isClosed = false;
  /** Only of a connection that ever had a frame to wait for. */
  let queue: AckQueue | null = null;
  /** What the last in the queue waits for. */
  let latest: Promise<void> | null = null;
  let ready: number[] = [];
  /** A frame of these bytes was not taken: those behind it go the long way too. */
  let isLongWay = false;

  /** Where the packet at `at` ends; −1 where its length is not there yet. Whatever is no length has been refused before. */
  function endOf(bytes: Buffer, at: number): number {
    let length = 0;
    for (let i = at + 1, scale = 1; i < bytes.length && i < at + 5; i++, scale *= 128) {
      const byte = bytes[i]!;
      length += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) return i + 1 + length;
    }
    return -1;
  }

  /** Where the packet's variable header begins: the topic's length. */
  const headOf = (bytes: Buffer, at: number) => {
    let i = at + 1;
    while ((bytes[i]! & 0x80) !== 0) i++;
    return i + 1;
  };

  function isOwnTopic(bytes: Buffer, at: number, end: number): boolean {
    const { length } = topic;
    if (at + 2 + length > end || ((bytes[at]! << 8) | bytes[at + 1]!) !== length) return false;
    // From the end, where topics differ.
    for (let i = length - 1; i >= 0; i--) if (bytes[at + 2 + i] !== topic[i]) return false;
    return true;
  }

  function acknowledge(messageId: number, committed: Promise<void> | null): void {
    if (!queue || queue.size === 0) {
      if (!committed) return void ready.push(messageId);
      latest = null;
    }
    // Many wait for the same commit; and what need not wait stays in its place behind those that do.
    if (!committed || committed === latest) {
      queue?.join(messageId);
      return;
    }
    queue ??= createAckQueue({ max: mostWaiting, send });
    latest = committed;
    committed.then(queue.enter(messageId), (error: unknown) => void (isClosed || failed(error)));
  }

  /** Takes the frame at `at` if it is one that goes the short way. */
  function tookFrame(bytes: Buffer, at: number, end: number): boolean {
    const flags = bytes[at]!;
    // PUBLISH at QoS 1, sent again or not, or at QoS 0; not to be retained.
    if ((flags & 0xf7) !== 0x32 && flags !== 0x30) return false;
    const head = headOf(bytes, at);
    if (!isOwnTopic(bytes, head, end)) return false;
    let payloadAt = head + 2 + topic.length;
    let messageId = 0;
    if (flags !== 0x30) {
      if (payloadAt + 2 > end) return false;
      messageId = (bytes[payloadAt]! << 8) | bytes[payloadAt + 1]!;
      // No packet id has 0: the broker says what it thinks of that.
      if (messageId === 0) return false;
      payloadAt += 2;
    }
    const taken = take(bytes, payloadAt, end);
    if (taken === "long-way") {
      isLongWay = true;
      return false;
    }
    if (flags !== 0x30) acknowledge(messageId, taken === "taken" ? null : taken);
    return true;
  }

  function flush(): void {
    if (ready.length === 0) return;
    const acknowledged = ready;
    ready = [];
    send(pubacks(acknowledged));
  }

  function waitForRoom(): void {
    if (isFull) return;
    isFull = true;
    queue?.whenRoom(() => {
      isFull = false;
      resume();
    });
  }

  return {
    get full() {
      return isFull;
    },
    read(chunk) {
      if (isClosed) return null;
      const bytes: Buffer | null = rest && chunk ? Buffer.concat([rest, chunk]) : (rest ?? chunk);
      rest = null;
      isLongWay = false;
      if (!bytes) return null;
      let at = 0;
      /** Where the packets for the broker begin. */
      let othersFrom = -1;
      while (at < bytes.length) {
        if (isFull || (queue && queue.size >= mostWaiting)) {
          waitForRoom();
          break;
        }
        const end = endOf(bytes, at);
        if (end < 0 || end > bytes.length) break;
        if (othersFrom < 0) {
          if (!tookFrame(bytes, at, end)) othersFrom = at;
        } else if (!isLongWay && bytes[at]! >> 4 === 3 && isOwnTopic(bytes, headOf(bytes, at), end)) break;
        at = end;
      }
      flush();
      // A packet that is only begun is copied: what it is part of may be many times as large.
      if (at < bytes.length) rest = othersFrom < 0 && at > 0 ? Buffer.from(bytes.subarray(at)) : bytes.subarray(at);
      return othersFrom < 0 ? null : bytes.subarray(othersFrom, at);
    },
    close() {
      isClosed = true;
      rest = null;
      queue?.close();
    },
  };
}
