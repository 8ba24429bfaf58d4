import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { AccelFrame } from "../../firmware-contracts/frame.ts";

/** A frame as it arrived, and whether the journal has it. */
export interface RingEntry {
  bootId: number;
  sequence: number;
  frame: AccelFrame;
  /** The frame as its device wrote it; null where it came in another form, and is written anew where it must be kept. */
  bytes: Buffer | null;
  arrivedAt: WallMs;
  /** When its last sample was taken: arrival less age. */
  takenAt: WallMs;
  /** `no`: only here. `owed`: must be committed before the next acknowledgement. `yes`: in the journal. */
  kept: "no" | "owed" | "yes";
}

/**
 * The newest frame of one stream and those of `bufferMs` before it, oldest first: by when they were taken, and by how long they are, for a device that
 * sends what it stored without saying how old it is. At most 2,000 frames, for one that sends sample by sample.
 */
export interface Ring {
  push(entry: RingEntry): void;
  /** Those that are only here. */
  unkept(): RingEntry[];
  /** The journal lets its copies go: from now on they are only here. */
  forgetKept(): void;
}

const maxEntries = 2000;
const lengthMs = ({ frame }: RingEntry) => (frame.samples.length / 3) * (1000 / frame.rateHz);

/** @param letGo called with each entry that is no longer in the ring. */
export function createRing(bufferMs: number, letGo: (entry: RingEntry) => void = () => {}): Ring {
  let entries: RingEntry[] = [];
  let totalMs = 0;
  return {
    push(entry) {
      const newestMs = lengthMs(entry);
      entries.push(entry);
      totalMs += newestMs;
      const since = entry.takenAt - newestMs - bufferMs;
      let drop = 0;
      for (; drop < entries.length - 1; drop++) {
        const oldest = entries[drop]!;
        const isNeeded = oldest.takenAt >= since && totalMs - lengthMs(oldest) - newestMs < bufferMs;
        if (isNeeded && entries.length - drop <= maxEntries) break;
        totalMs -= lengthMs(oldest);
      }
      // Nearly always none or one, of about ten.
      if (drop === 1) letGo(entries.shift()!);
      else if (drop > 0) {
        for (let i = 0; i < drop; i++) letGo(entries[i]!);
        entries = entries.slice(drop);
      }
    },
    unkept: () => entries.filter((entry) => entry.kept === "no"),
    forgetKept() {
      for (const entry of entries) if (entry.kept === "yes") entry.kept = "no";
    },
  };
}
