import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { AccelFrame } from "../../firmware-contracts/frame.ts";

/** A frame as it arrived, and whether the journal has it. */
export interface RingEntry {
  frame: AccelFrame;
  arrivedAt: WallMs;
  /** When its last sample was taken: arrival less age. */
  takenAt: WallMs;
  /** `no`: only here. `owed`: must be committed before the next acknowledgement. `yes`: in the journal. */
  kept: "no" | "owed" | "yes";
}

/** Frames of one stream from the last seconds, oldest first. Bounded in frames too, for a device that sends them sample by sample. */
export interface Ring {
  push(entry: RingEntry): void;
  /** Those that are only here. */
  unkept(): RingEntry[];
  /** The journal lets its copies go: from now on they are only here. */
  forgetKept(): void;
}

const maxEntries = 2000;

export function createRing(bufferMs: number): Ring {
  let entries: RingEntry[] = [];
  return {
    push(entry) {
      entries.push(entry);
      let drop = Math.max(0, entries.length - maxEntries);
      while (drop < entries.length - 1 && entries[drop]!.takenAt < entry.takenAt - bufferMs) drop++;
      if (drop > 0) entries = entries.slice(drop);
    },
    unkept: () => entries.filter((entry) => entry.kept === "no"),
    forgetKept() {
      for (const entry of entries) if (entry.kept === "yes") entry.kept = "no";
    },
  };
}
