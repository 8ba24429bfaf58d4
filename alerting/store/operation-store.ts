import type { Placement } from "../../firmware-contracts/detection.ts";
import type { SelfTestLink } from "../../firmware-contracts/self-test.ts";
import type { Via } from "./audit-store.ts";
import type { NewPage } from "./episode-store.ts";
import type { Act, Dwelling, OperationHow, OperationState } from "./registry-store.ts";

/** What became of the time in which a device's next alarm was a test. */
export type OperationTestOutcome = "passed" | "no-alarm" | "unanswered" | "called-off";

/** A time in which a device's next alarm is a test: whoever gets it reads the key number back. Times are wall time, ms. */
export interface OperationTest {
  id: string;
  deviceId: string;
  dwellingId: string;
  /** Whose phone is asked; null: whoever is on call. */
  responderId: string | null;
  by: string;
  openedAt: number;
  untilAt: number;
  /** The test alarm, once one has come. */
  episodeId: string | null;
  /** Key numbers that were read back and are not the dwelling's. */
  wrong: number;
  endedAt: number | null;
  outcome: OperationTestOutcome | null;
}

/** What a step of a test alarm does to its test: it came, a wrong key number was read back, the right one was, or it is over. */
export type OperationTestStep =
  | { testId: string; what: "came" | "wrong" }
  | { testId: string; what: "passed"; by: string }
  | { testId: string; what: "ended"; outcome: "unanswered" | "called-off" };

/** A line in the history of one device. */
export interface OperationChange {
  deviceId: string;
  dwellingId: string | null;
  state: OperationState;
  at: number;
  by: string | null;
  how: OperationHow | null;
  reason: string | null;
}

/** A self-test of the whole chain. Wall times, ms. */
export interface SelfTestRow {
  id: string;
  askedAt: number;
  /** Who asked for it; null: it was its time. */
  by: string | null;
  device: string;
  /** The limit of each link, seconds. */
  limits: Record<SelfTestLink, number>;
  /** How long each link that held took, ms. */
  links: Partial<Record<SelfTestLink, number>>;
  episodeId: string | null;
  endedAt: number | null;
  /** The link that did not hold, and why; null where all held, or it is under way. */
  failed: SelfTestLink | null;
  detail: string | null;
  /** Alerting was restarted meanwhile: nobody knows. */
  isCutOff: boolean;
}

/** Self-tests of the whole chain, and their device. */
export interface SelfTestStore {
  /** Gateways are told of it. @throws where one is under way. */
  ask(test: Pick<SelfTestRow, "id" | "askedAt" | "by" | "device" | "limits">): Promise<void>;
  findById(id: string): Promise<SelfTestRow | null>;
  /** The one that is under way, or null. */
  findOpen(): Promise<SelfTestRow | null>;
  /** The newest first. */
  list(limit: number): Promise<SelfTestRow[]>;
  /** Keeps how far it has come. Of those that have ended the newest 500 are kept. */
  put(test: SelfTestRow): Promise<void>;
  /** Puts the test device into the register, or gives it another secret. @throws where a resident's device has its id. */
  putDevice(deviceId: string, secretHash: string, act: Act): Promise<void>;
}

/** What is done at set times of the day. */
export type SetTime = "daily-check" | "self-test";

/** Whether devices are in operation. What changes it writes a line in the history of what gateways follow, and an act. */
export interface OperationStore {
  /** Puts devices that await their test into operation. Null: all that do. Returns which. */
  commission(deviceIds: readonly string[] | null, act: Act & { by: string }, reason: string): Promise<string[]>;
  /** Takes a device out of its dwelling. False where there is no such device, or it was revoked. */
  putInStore(deviceId: string, act: Act & { by: string }): Promise<boolean>;
  /** Puts a device into a dwelling, which may be new; it awaits its test there. False where there is no such device, or it was revoked. */
  moveDevice(
    deviceId: string,
    to: { dwelling: Dwelling; placement: Placement; room: string | null },
    act: Act & { by: string },
  ): Promise<boolean>;
  /** Every change of a device, the oldest first. */
  readChanges(deviceId: string): Promise<OperationChange[]>;
  /** Instead of one that may be open. */
  openTest(test: Omit<OperationTest, "episodeId" | "wrong" | "endedAt" | "outcome">, via?: Via): Promise<void>;
  /** Ends the one that is open before its time, and returns it; null where none is. */
  callOffTest(deviceId: string, act: Act & { by: string }): Promise<OperationTest | null>;
  /** A device's newest. */
  findTest(deviceId: string): Promise<OperationTest | null>;
  findTestById(id: string): Promise<OperationTest | null>;
  listOpenTests(): Promise<OperationTest[]>;
  /** One that no alarm came in; the pages tell of it. */
  endTest(id: string, outcome: OperationTestOutcome, at: number, pages: readonly NewPage[]): Promise<void>;
  /** When something is next to be done, wall ms; null where nobody has set it. */
  findSetTime(what: SetTime): Promise<number | null>;
  putSetTime(what: SetTime, at: number): Promise<void>;
}
