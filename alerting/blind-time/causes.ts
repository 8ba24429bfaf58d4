/** A stretch of wall time, ms: from `from` up to and without `until`; null goes on. */
export interface Span {
  from: number;
  until: number | null;
}

/**
 * Why nobody would have seen a fall. The first of this list that is so is the one that counts: what somebody wants, or what is missing altogether, goes
 * before faults, and a fault of many before one device's, which it keeps from being known.
 */
export const blindReasons = [
  "no-consent",
  "paused",
  "no-device",
  "service-down",
  "gateway-down",
  "overdue",
  "not-worn",
] as const;
export type BlindReason = (typeof blindReasons)[number];

/** An outage of one device: it is not heard, or it is heard and nobody wears it. */
export interface DeviceOutage extends Span {
  deviceId: string;
  reason: "overdue" | "not-worn";
}

/** A device of a dwelling that can see a fall. */
export interface Wearable {
  /** From when it was put into the register until it was revoked. */
  registered: Span;
  /** When anything was first heard of it; null: never, and until then it is overdue. */
  firstHeardAt: number | null;
  /** Through which gateway it was heard, from when on, in order; before the first, through the first. Empty: nobody knows. */
  heardThrough: readonly { gatewayId: string; at: number }[];
  outages: readonly Pick<DeviceOutage, "from" | "until" | "reason">[];
}

/** What bears on whether a fall would be seen in one dwelling, as far as is known now. */
export interface DwellingCauses {
  /** When its first device was put into the register: the ledger begins there. */
  since: number;
  /** In the order in which they were written down. Before the first there is none. */
  consents: readonly { at: number; isGiven: boolean }[];
  pauses: readonly Span[];
  wearables: readonly Wearable[];
}

/** What bears on all dwellings, or on all that are heard through one gateway. */
export interface SharedCauses {
  serviceDown: readonly Span[];
  gatewaysDown: ReadonlyMap<string, readonly Span[]>;
}
