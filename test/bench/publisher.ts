import { connect, type Socket } from "node:net";
import { frameHeaderLayout } from "../../firmware-contracts/frame.ts";
import { frameOf } from "./frames.ts";
import { connackLength, connectPacket, disconnectPacket, framePacket, pubackLength } from "./packets.ts";

/** Where a server is, and the secret that all devices of the benchmark have. */
export interface Target {
  port: number;
  secret: string;
}

export const deviceName = (number: number) => `bench-${String(number).padStart(5, "0")}`;

/** Opens a connection and resolves once the broker has let it in. Rejects where it refuses or does not answer within 60 s. */
export function openConnection(target: Target, deviceId: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`${deviceId} was not let in: ${why}`));
    };
    const onClose = () => fail("the connection was closed");
    const onTimeout = () => fail("no answer within 60 s");
    socket.setTimeout(60_000, onTimeout);
    socket.once("error", (error) => fail(error.message));
    socket.once("close", onClose);
    socket.once("connect", () => socket.write(connectPacket(deviceId, target.secret)));
    socket.once("data", (answer: Buffer) => {
      if (answer.length !== connackLength || answer[0] !== 0x20 || answer[3] !== 0) {
        fail(`it answered ${answer.toString("hex")}`);
        return;
      }
      socket.setTimeout(0);
      socket.off("timeout", onTimeout);
      socket.off("close", onClose);
      resolve(socket);
    });
  });
}

const at = Object.fromEntries(frameHeaderLayout.fields.map(({ name, offset }) => [name, offset]));

/** What one publisher plays over and over, as packets one after another in memory. */
export interface Tape {
  deviceId: string;
  bytes: Buffer;
  packets: number;
  packetLength: number;
  payloadAt: number;
}

export function recordTape(deviceId: string, seconds: readonly Int16Array[], rateHz: number, rangeG: number): Tape {
  const made = seconds.map((samples, i) => {
    const payload = frameOf(samples, { rateHz, rangeG, bootId: 0, sequence: i });
    return { bytes: framePacket(deviceId, i + 1, payload), payload: payload.length };
  });
  const packetLength = made[0]!.bytes.length;
  return {
    deviceId,
    bytes: Buffer.concat(made.map(({ bytes }) => bytes)),
    packets: made.length,
    packetLength,
    payloadAt: packetLength - made[0]!.payload,
  };
}

/** A device that sends its next frame as soon as one is acknowledged: `window` frames are on their way at most. */
export interface Publisher {
  readonly acknowledged: number;
  start(): void;
  /** Sends no more; resolves when all that was sent is acknowledged. */
  finish(): Promise<void>;
}

/** @param bootId names this run: the device counts its frames and its time from 0 again. */
export async function openPublisher(target: Target, tape: Tape, window: number, bootId: number): Promise<Publisher> {
  const socket = await openConnection(target, tape.deviceId);
  const { bytes, packets, packetLength, payloadAt } = tape;
  if (window > packets) throw new Error(`a window of ${window} is more than the ${packets} frames played`);
  let sent = 0;
  let answered = 0;
  let isRunning = false;
  let finished: (() => void) | null = null;
  let failed: ((error: Error) => void) | null = null;
  let failure: Error | null = null;

  /** A packet is written again only when it was acknowledged, so its bytes have long left. */
  function stamp(place: number, sequence: number): void {
    const payload = place * packetLength + payloadAt;
    const time = sequence * 1000;
    bytes.writeUInt32LE(bootId, payload + at.bootId!);
    bytes.writeUInt32LE(sequence, payload + at.sequence!);
    bytes.writeUInt32LE(time >>> 0, payload + at.deviceTimeMs!);
    bytes.writeUInt32LE(Math.floor(time / 2 ** 32), payload + at.deviceTimeMs! + 4);
  }

  function fill(): void {
    let room = window - (sent - Math.floor(answered / pubackLength));
    while (room > 0) {
      const first = sent % packets;
      const count = Math.min(room, packets - first);
      for (let i = 0; i < count; i++) stamp(first + i, sent + i);
      socket.write(bytes.subarray(first * packetLength, (first + count) * packetLength));
      sent += count;
      room -= count;
    }
  }

  socket.on("data", (chunk: Buffer) => {
    // After CONNACK nothing but PUBACKs of four bytes comes.
    answered += chunk.length;
    if (isRunning) fill();
    else if (answered === sent * pubackLength) finished?.();
  });
  const onLost = () => {
    failure = new Error(
      `${tape.deviceId}: the connection was lost with ${sent - answered / pubackLength} frames unanswered`,
    );
    failed?.(failure);
  };
  socket.on("close", onLost);

  return {
    get acknowledged() {
      if (failure) throw failure;
      return Math.floor(answered / pubackLength);
    },
    start() {
      isRunning = true;
      fill();
    },
    async finish() {
      isRunning = false;
      if (failure) throw failure;
      if (answered < sent * pubackLength) {
        await new Promise<void>((resolve, reject) => {
          finished = resolve;
          failed = reject;
        });
      }
      socket.off("close", onLost);
      await new Promise<void>((resolve) => {
        socket.once("close", () => resolve());
        socket.end(disconnectPacket);
        socket.resume();
      });
    },
  };
}
