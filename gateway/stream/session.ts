import type { Logger } from "pino";
import type { Conclusion, FallIdentity, WatchedFall } from "../../detector/detector.ts";
import type { OperatingPoints } from "../../detector/operating-points.ts";
import type { FusionState } from "../../detector/presence/fusion.ts";
import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import { type Detection, detectionId, type Evidence, type Placement } from "../../firmware-contracts/detection.ts";
import { type AccelFrame, decodeFrame, encodeFrame } from "../../firmware-contracts/frame.ts";
import type { FallUpdate } from "../../firmware-contracts/intake.ts";
import type { CandidateLog } from "../candidates/log.ts";
import { createCandidateNotes } from "../candidates/notes.ts";
import type { Counters } from "../counters.ts";
import { clockAheadMs, isSuspectClock, type Refused } from "../ingest/admit.ts";
import { heldUntil, openSequence, type Place, place, releaseOverdue, takeNext } from "../ingest/sequence.ts";
import type { KeptWatch } from "../outbox/kept-watch.ts";
import { within } from "../time-limit.ts";
import { createFramePool, ringEntry } from "./frame-pool.ts";
import type { Journal } from "./journal.ts";
import type { JournalRecord } from "./journal-format.ts";
import type { RingEntry } from "./ring.ts";
import type { Scorer } from "./scorer.ts";
import type { SteadyTime } from "./steady-time.ts";
import { createTrack, type Decision, type Track, type TrackHost } from "./track.ts";

/** A fall that reached the gateway later than this after the impact is told as late, ms. */
const lateMs = 120_000;
/** After a decision the journal keeps the device's frames so long, ms: a gate that opens again needs them, and writing them twice costs more. */
const keepDecidedMs = 15_000;
/** A candidate given up in silence can be taken up again; its frames are kept so long for that, ms. */
const keepParkedMs = 600_000;
/** Streams of stored frames beside the live one that are kept when idle. */
const maxEarlierTracks = 4;
/** Frames of one device that may wait for a journal that cannot be written. Beyond, the oldest are judged from memory only. */
const maxOwed = 3000;
/** Written out: a name put together for each frame costs as much as counting it. */
const countedAs: Record<Place, string> = {
  live: "frames.live",
  held: "frames.held",
  earlier: "frames.earlier",
  duplicate: "frames.duplicate",
};

export interface SessionOptions {
  deviceId: string;
  placement(): Placement;
  threshold(): number | undefined;
  /** What the dwelling's presence sensors have told, in the time of `time`; null where there are none. */
  presence(): FusionState | null;
  operatingPoints: OperatingPoints;
  modelVersion: string;
  bufferMs: number;
  clock: Clock;
  time: SteadyTime;
  journal: Journal;
  scorer: Scorer;
  /** Null where no candidates are kept. */
  candidates: CandidateLog | null;
  counters: Counters;
  log: Logger;
  /** Resolves when the Detection, and that its fall is watched, is safe; tries until then. */
  keep(detection: Detection, watch?: KeptWatch): Promise<void>;
  /** The same for what became of somebody after a fall. */
  keepUpdate(update: FallUpdate): Promise<void>;
  endWatch(detectionId: string): void;
  /** Whether this fall's watch had ended before the start: what the journal holds of it does not begin it again. */
  hadEnded(detectionId: string): boolean;
  onDecision(decision: Decision): void;
  onSuspectClock(): void;
}

/** One device's streams. Frames and cancels are taken in in the order of the calls. */
export interface Session {
  /** Takes in the frame that `bytes` hold from `from` to `to`, which are copied; else as `frame`. A refusal where it cannot be read. */
  wire(bytes: Buffer, from: number, to: number, arrivedAt: WallMs): Promise<void> | Refused | undefined;
  /** Takes a frame in. The promise, where there is one, resolves when what must be kept is on the disk; without one nothing must be. */
  frame(frame: AccelFrame, arrivedAt: WallMs): Promise<void> | undefined;
  /** The wearer's own cancel, pressed at `at`. */
  cancel(at: WallMs): Promise<void> | undefined;
  /** Lives again what the journal held at the start. */
  replay(records: readonly JournalRecord[]): Promise<void>;
  /** Goes on watching a fall that was told before the start. */
  watchAgain(watch: KeptWatch): void;
  /** The journal is too large: what it keeps of this device is let go of, unless something is undecided. */
  letGo(): void;
  /** Consent is withdrawn: nothing more is judged, and nothing kept but for a Detection that is not yet safe. The session is of no more use. */
  forget(): void;
  /** When its last frame arrived, in steady time; 0 where none did. */
  readonly heardAt: WallMs;
  /** How far its clock was ahead of the gateway's by that frame, ms; NaN where it is not set. */
  readonly clockAheadMs: number;
  /** Something is undecided, or a Detection is not yet safe. */
  readonly busy: boolean;
  stop(): void;
}

export function createSession(options: SessionOptions): Session {
  const { deviceId, clock, time, journal, counters, candidates } = options;
  const pool = createFramePool();
  const sequence = openSequence<RingEntry>();
  let owed: RingEntry[] = [];
  /** The commit that what is owed now goes into, and how many frames wait for it; and the one under way. */
  let next: Promise<void> | null = null;
  let waiting = 0;
  let committing: Promise<void> | null = null;
  /** The journal holds something of this device. */
  let isKept = false;
  let unsafe = 0;
  let replayNow: WallMs | null = null;
  let clockSuspect = false;
  let aheadMs = Number.NaN;
  let lastFrameAt: WallMs = 0;
  let stopped = false;
  let forgotten = false;
  let callOffHeld = () => {};
  let callOffRelease: (() => void) | null = null;
  const now = () => replayNow ?? time.now();
  /** Detections on their way to the store. */
  const keeping = new Map<string, Promise<void>>();
  const idOf = ({ bootId, sequence: number }: FallIdentity) => detectionId(deviceId, bootId, number, "fall");
  const notes = candidates
    ? createCandidateNotes({
        deviceId,
        modelVersion: options.modelVersion,
        floor: candidates.floor,
        clock,
        now,
        toWall: time.toWall,
        replaying: () => replayNow !== null,
        keep: candidates.keep,
        failed: () => counters.add("candidates.log-failed"),
      })
    : null;

  const host: TrackHost = {
    clock,
    counters,
    scorer: options.scorer,
    operatingPoints: options.operatingPoints,
    bufferMs: options.bufferMs,
    placement: options.placement,
    threshold: options.threshold,
    // Presence is not in the journal: what is lived again is judged as without.
    presence: () => (replayNow === null ? options.presence() : null),
    now,
    replaying: () => replayNow !== null,
    owe,
    letGo: pool.giveBack,
    notes,
    concluded,
    longLie,
    gotUp(fall, why) {
      counters.add(`watches.got-up.${why}`);
      options.endWatch(idOf(fall));
    },
    decided: (candidateId, decision, impactAt) =>
      options.onDecision({
        deviceId,
        candidateId,
        decision,
        impactAt: impactAt === null ? null : time.toWall(impactAt),
      }),
    failed(error) {
      counters.add("detector.failed");
      options.log.error(
        { deviceId, error: error instanceof Error ? error.stack : String(error) },
        "the detector failed",
      );
    },
    changed() {
      // What a timer or the classifier brought on has no publish to wait for it.
      if (owed.length > 0) void commit().catch(() => {});
      settle();
    },
  };
  const live = createTrack(host, true);
  let earlier: Track[] = [];
  const tracks = () => [live, ...earlier];
  const isUndecided = () =>
    live.undecided || sequence.held.length > 0 || (earlier.length > 0 && earlier.some((track) => track.undecided));

  function owe(entries: RingEntry[]): void {
    for (const entry of entries) {
      if (entry.kept !== "no") continue;
      entry.kept = "owed";
      owed.push(entry);
    }
    if (owed.length > maxOwed) {
      counters.add("frames.judged-from-memory-only", owed.length - maxOwed);
      owed = owed.slice(-maxOwed);
    }
  }

  /** Resolves when all that is owed now is in the journal. One promise serves all frames that go into one commit. */
  function commit(): Promise<void> {
    if (next) return next;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let batch: RingEntry[] = [];
    let waited = 0;
    next = promise;
    journal.appendLater({
      records() {
        batch = owed;
        waited = waiting;
        owed = [];
        waiting = 0;
        next = null;
        committing = promise;
        isKept = true;
        return batch.map(({ arrivedAt, bytes, frame }) => ({
          kind: "frame",
          deviceId,
          at: arrivedAt,
          bytes: bytes ?? encodeFrame(frame),
        }));
      },
      ended(error) {
        if (next === promise) next = null;
        if (committing === promise) committing = null;
        if (!error) {
          for (const entry of batch) entry.kept = "yes";
          counters.add("frames.journaled", batch.length);
          return resolve();
        }
        // Still owed: a frame sent again is then known as a duplicate, and yet not acknowledged before this succeeds.
        owed = [...batch, ...owed];
        counters.add("publish.not-committed", waited);
        reject(error);
      },
    });
    return promise;
  }

  function take(entry: RingEntry): void {
    const { frame, bootId, sequence: number, arrivedAt } = entry;
    aheadMs = frame.clockUnset ? Number.NaN : clockAheadMs(frame, time.toWall(arrivedAt));
    const isSuspect = isSuspectClock(aheadMs);
    if (isSuspect) counters.add("frames.clock-suspect");
    if (isSuspect && !clockSuspect) options.onSuspectClock();
    clockSuspect = isSuspect;
    lastFrameAt = arrivedAt;
    if (takeNext(sequence, entry)) {
      counters.add(countedAs.live);
      live.feed(entry);
      return;
    }
    const placed = place(sequence, {
      bootId,
      sequence: number,
      arrivedAt,
      takenAt: entry.takenAt,
      item: entry,
    });
    counters.add(countedAs[placed.place]);
    if (placed.rebooted) counters.add("frames.reboots");
    if (placed.missing > 0) counters.add("frames.missing", placed.missing);
    for (const released of placed.released) live.feed(released);
    if (placed.place === "earlier") earlierTrack(frame).feed(entry);
    // A frame that waits has not been looked at: it may hold the impact.
    if (placed.place === "held") owe([entry]);
    if (placed.place === "duplicate") pool.giveBack(entry);
    watchHeld();
  }

  /** The stream of stored frames that this one carries on; a new one where it carries on none. */
  function earlierTrack(frame: AccelFrame): Track {
    let best: Track | null = null;
    for (const track of earlier) {
      if (track.last?.bootId !== frame.bootId || track.last.sequence >= frame.sequence) continue;
      if (!best || track.last.sequence > best.last!.sequence) best = track;
    }
    if (best) return best;
    const idle = earlier.find((track) => !track.undecided && !track.parked);
    if (idle && earlier.length >= maxEarlierTracks) {
      idle.stop();
      earlier = earlier.filter((track) => track !== idle);
    }
    // Somebody may have got up in what the live stream has shown meanwhile, which this one does not see.
    const track = createTrack(host, false);
    earlier.push(track);
    return track;
  }

  function watchHeld(): void {
    callOffHeld();
    const until = heldUntil(sequence);
    if (until === null || stopped || replayNow !== null) return;
    callOffHeld = clock.after(Math.max(1, until - now()), () => {
      const { released, missing } = releaseOverdue(sequence, now());
      if (missing > 0) counters.add("frames.missing", missing);
      for (const entry of released) live.feed(entry);
      watchHeld();
      host.changed();
    });
  }

  function concluded(candidateId: string, conclusion: Conclusion, watched: WatchedFall | null): void {
    const impactAt = time.toWall(conclusion.impactAt);
    const detection: Detection = {
      v: 1,
      id: idOf(conclusion),
      deviceId,
      kind: "fall",
      strength: conclusion.strength,
      reason: conclusion.reason,
      impactAt,
      detectedAt: time.toWall(now()),
      arrivedAt: time.toWall(conclusion.arrivedAt),
      late: conclusion.arrivedAt - conclusion.impactAt > lateMs,
      clockSuspect,
      evidence: inWallTime(conclusion.evidence),
      model: options.modelVersion,
      test: false,
    };
    counters.add("detections.fall");
    if (conclusion.isLifted) counters.add("candidates.lifted");
    const { id } = detection;
    const isOver = replayNow !== null && options.hadEnded(id);
    if (isOver) live.unwatch(conclusion);
    const watch = watched && !isOver ? { detectionId: id, deviceId, fall: { ...watched, impactAt } } : undefined;
    const kept = options.keep(detection, watch);
    keeping.set(id, kept);
    whenSafe(kept.finally(() => keeping.delete(id)));
    options.onDecision({ deviceId, candidateId, decision: "detected", impactAt });
  }

  function longLie(fall: FallIdentity, lyingSeconds: number, unknownSeconds: number): void {
    const id = idOf(fall);
    const seconds = (value: number) => Math.round(value * 10) / 10;
    const update: FallUpdate = {
      v: 1,
      id: `${id}.long-lie`,
      detectionId: id,
      deviceId,
      at: time.toWall(now()),
      event: "long-lie",
      lyingSeconds: seconds(lyingSeconds),
      unknownSeconds: seconds(unknownSeconds),
    };
    counters.add("watches.long-lie");
    whenSafe((keeping.get(id) ?? Promise.resolve()).then(() => options.keepUpdate(update)));
  }

  /** The device is busy until this is safe. */
  function whenSafe(kept: Promise<void>): void {
    unsafe++;
    void kept.then(
      () => {
        unsafe--;
        if (forgotten) release();
        else settle();
      },
      // Given up only at a stop: the journal keeps the frames, and the store the watch, for the next start.
      () => {},
    );
  }

  function inWallTime(evidence: Evidence): Evidence {
    const { presence } = evidence;
    if (!presence) return evidence;
    const items = presence.items.map((item) => ({ ...item, since: time.toWall(item.since) }));
    return { ...evidence, presence: { ...presence, items } };
  }

  /** Once nothing is undecided, the journal may let go after a while. */
  function settle(): void {
    if (callOffRelease || stopped || !isKept || replayNow !== null || isUndecided() || unsafe > 0) return;
    const wait = tracks().some((track) => track.parked) ? keepParkedMs : keepDecidedMs;
    callOffRelease = clock.after(wait, () => {
      callOffRelease = null;
      const stillParked = tracks().some((track) => track.parked) && now() - lastFrameAt < keepParkedMs;
      if (stillParked || owed.length > 0 || committing) settle();
      else release();
    });
  }

  function release(): void {
    if (!isKept || (isUndecided() && !forgotten) || unsafe > 0) return;
    isKept = false;
    for (const track of tracks()) track.forgetKept();
    earlier = earlier.filter((track) => track.parked);
    journal.release(deviceId, now());
  }

  /** Takes an entry in; what must be kept is on the disk when the promise, if there is one, resolves. */
  function taken(entry: RingEntry): Promise<void> | undefined {
    take(entry);
    settle();
    if (owed.length === 0) return committing ?? undefined;
    waiting++;
    return commit();
  }

  /** The earliest wake of any stream that is due by `by`. */
  function dueTrack(by: WallMs): Track | null {
    let due: Track | null = null;
    for (const track of tracks()) {
      if (track.wakeAt === null || track.wakeAt > by) continue;
      if (!due || track.wakeAt < due.wakeAt!) due = track;
    }
    return due;
  }

  /** A classifier that fails does not keep the gateway from starting: its answer then comes in real time. */
  const scored = (track: Track) => within(clock, 5000, track.scored()).catch(() => {});

  async function liveAgain(record: JournalRecord): Promise<void> {
    for (let due = dueTrack(record.at), turns = 0; due && turns < 100; due = dueTrack(record.at), turns++) {
      replayNow = due.wakeAt;
      due.tick();
      await scored(due);
    }
    replayNow = record.at;
    if (record.kind === "cancel") for (const track of tracks()) track.cancel(record.at);
    if (record.kind !== "frame") return;
    const decoded = decodeFrame(record.bytes);
    if (decoded.ok) take(ringEntry(decoded.value, null, record.at, "yes"));
    for (const track of tracks()) await scored(track);
  }

  function stop(): void {
    stopped = true;
    callOffHeld();
    callOffRelease?.();
    release();
    notes?.stop(forgotten);
    for (const track of tracks()) track.stop();
  }

  return {
    watchAgain({ fall }) {
      counters.add("watches.taken-up");
      live.watch({ ...fall, impactAt: fall.impactAt + time.now() - time.toWall(time.now()) });
    },
    letGo() {
      if (owed.length > 0 || committing || isUndecided() || unsafe > 0) return;
      callOffRelease?.();
      callOffRelease = null;
      release();
    },
    get heardAt() {
      return lastFrameAt;
    },
    get clockAheadMs() {
      return aheadMs;
    },
    get busy() {
      return isUndecided() || unsafe > 0 || owed.length > 0 || committing !== null;
    },
    wire(bytes, from, to, arrivedAt) {
      const read = pool.read(bytes, from, to, arrivedAt);
      return "reason" in read ? read : taken(read);
    },
    frame: (frame, arrivedAt) => taken(ringEntry(frame, null, arrivedAt, "no")),
    cancel(at) {
      const mustKeep = isUndecided();
      for (const track of tracks()) track.cancel(at);
      settle();
      if (!mustKeep) return undefined;
      isKept = true;
      return journal.append([{ kind: "cancel", deviceId, at, bytes: new Uint8Array() }]);
    },
    async replay(records) {
      isKept = true;
      for (const record of records) await liveAgain(record);
      replayNow = null;
      for (const track of tracks()) track.arm();
      watchHeld();
      settle();
    },
    forget() {
      forgotten = true;
      owed = [];
      for (const fall of live.watches) options.endWatch(idOf(fall));
      stop();
    },
    stop,
  };
}
