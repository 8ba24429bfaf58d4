import type { BlindReason, DwellingCauses, Span } from "../blind-time/causes.ts";

/** A dwelling with what bears on whether a fall there would be seen. */
export interface DwellingWithCauses {
  dwellingId: string;
  alias: string;
  unit: string | null;
  causes: DwellingCauses;
}

/** All that bears on blind time, of one moment. */
export interface BlindTimeCauses {
  /** Since when outages are written down, wall ms; null: never. Of before nothing is known. */
  knownSince: number | null;
  /** When the service was last known to live. */
  lastBeatAt: number | null;
  serviceGaps: Span[];
  gatewayOutages: (Span & { gatewayId: string })[];
  /** Every gateway that was ever heard and not forgotten. */
  gateways: string[];
  /** Without those that were erased. */
  dwellings: DwellingWithCauses[];
}

/** Blind time of one dwelling in one hour, by one reason. */
export interface ToldBlindTime {
  dwellingId: string;
  /** When the hour began, wall ms. */
  hourAt: number;
  reason: BlindReason;
  seconds: number;
}

/** Causes of blind time, each with its beginning and its end, and what was told of it. */
export interface BlindTimeStore {
  /**
   * The service lives at `at`. Where it was last known to live longer ago than `limitMs`, the time between counts as a gap.
   * `isSure` is false where `at` may be of a clock that is not set yet: a time before the last beat then changes nothing, and false is returned.
   */
  beat(at: number, limitMs: number, isSure: boolean): Promise<boolean>;
  /** A gateway hears no devices, because it has lost its broker, or does again. Twice is once. */
  brokerLost(gatewayId: string, at: number): Promise<void>;
  brokerBack(gatewayId: string, at: number): Promise<void>;
  /** What bears on any time from `from` on; of one dwelling where it is named. */
  causes(from: number, dwellingId?: string): Promise<BlindTimeCauses>;
  /** What the event log was told of hours of these dwellings from `from` on. */
  told(from: number, dwellingIds: readonly string[]): Promise<ToldBlindTime[]>;
  /** From now on it was told these, in place of what it was told of the same hours and reasons. */
  tell(told: readonly ToldBlindTime[]): Promise<void>;
  /** Of hours before `before` nothing is corrected any more: what was told of them is forgotten. */
  forgetTold(before: number): Promise<void>;
}
