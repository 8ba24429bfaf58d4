import { statfs } from "node:fs/promises";
import type { Clock } from "../firmware-contracts/clock.ts";

/** The disk is looked at this often, ms. */
const lookMs = 2000;
/** With less room than this, bytes, the next fall may not fit: the ten seconds of a device and SQLite's log are some 200 kB. */
const leastBytes = 1 << 20;

/** Knows that a disk has filled up before a fall finds it out. Looks only: writing every few seconds would wear a memory card out. */
export interface DiskWatch {
  start(): void;
  stop(): void;
  /** False where there is less than 1 MiB of room, or nobody can say. */
  readonly hasRoom: boolean;
}

export function createDiskWatch(folder: string, clock: Clock): DiskWatch {
  let hasRoom = true;
  let stopped = true;
  let callOff = () => {};

  async function look(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(folder);
      hasRoom = bavail * bsize >= leastBytes;
    } catch {
      hasRoom = false;
    }
    if (!stopped) callOff = clock.after(lookMs, () => void look());
  }

  return {
    get hasRoom() {
      return hasRoom;
    },
    start() {
      stopped = false;
      void look();
    },
    stop() {
      stopped = true;
      callOff();
    },
  };
}
