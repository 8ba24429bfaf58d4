import { type BlindReason, blindReasons, type DwellingCauses, type SharedCauses, type Span } from "./causes.ts";

/** A stretch in which a fall could not have been seen, and why. Wall time, ms. */
export interface BlindSpan {
  from: number;
  until: number;
  reason: BlindReason;
}

/** Switches something on or off at a moment. */
interface Switch {
  at: number;
  flip: () => void;
}

/** What is so now of a wearable; counts, for outages may overlap. */
interface WearableNow {
  isRegistered: boolean;
  isHeard: boolean;
  gatewayDown: number;
  overdue: number;
  notWorn: number;
}

/**
 * When and why a fall in a dwelling could not have been seen, from `from` up to `until`: spans in order that neither overlap nor touch with the same
 * reason. A dwelling is seen while it may be watched, the service runs, and at least one of its wearables is heard and worn.
 *
 * It is computed from causes, each with its own beginning and end, and never from what was thought at the time: an outage that is told late, as one that
 * began before its gateway was lost, is right as soon as it is known.
 */
export function blindSpans(causes: DwellingCauses, shared: SharedCauses, from: number, until: number): BlindSpan[] {
  const start = Math.max(from, causes.since);
  if (!(start < until)) return [];
  const switches: Switch[] = [];
  const between = (span: Span, on: () => void, off: () => void) => {
    if (span.until !== null && span.until <= span.from) return;
    switches.push({ at: span.from, flip: on });
    if (span.until !== null) switches.push({ at: span.until, flip: off });
  };

  let hasConsent = false;
  for (const { at, isGiven } of inWallOrder(causes.consents)) {
    switches.push({
      at,
      flip: () => {
        hasConsent = isGiven;
      },
    });
  }
  let paused = 0;
  for (const pause of causes.pauses) {
    between(
      pause,
      () => paused++,
      () => paused--,
    );
  }
  let serviceDown = 0;
  for (const gap of shared.serviceDown) {
    between(
      gap,
      () => serviceDown++,
      () => serviceDown--,
    );
  }
  const wearables = causes.wearables.map((wearable): WearableNow => {
    const now: WearableNow = { isRegistered: false, isHeard: false, gatewayDown: 0, overdue: 0, notWorn: 0 };
    between(
      wearable.registered,
      () => {
        now.isRegistered = true;
      },
      () => {
        now.isRegistered = false;
      },
    );
    if (wearable.firstHeardAt !== null) {
      switches.push({
        at: wearable.firstHeardAt,
        flip: () => {
          now.isHeard = true;
        },
      });
    }
    for (const { reason, ...span } of wearable.outages) {
      const count = reason === "overdue" ? "overdue" : "notWorn";
      between(
        span,
        () => now[count]++,
        () => now[count]--,
      );
    }
    for (const down of gatewayDownOf(wearable.heardThrough, shared.gatewaysDown)) {
      between(
        down,
        () => now.gatewayDown++,
        () => now.gatewayDown--,
      );
    }
    return now;
  });

  const reasonNow = (): BlindReason | null => {
    if (!hasConsent) return "no-consent";
    if (paused > 0) return "paused";
    const registered = wearables.filter((one) => one.isRegistered);
    if (registered.length === 0) return "no-device";
    if (serviceDown > 0) return "service-down";
    return leastOf(registered.map(reasonOfWearable));
  };

  // A stable sort: what was written down first is switched first.
  switches.sort((a, b) => a.at - b.at);
  const spans: BlindSpan[] = [];
  let at = start;
  const upTo = (end: number) => {
    const reason = end > at ? reasonNow() : null;
    if (reason !== null) {
      const last = spans.at(-1);
      if (last && last.until === at && last.reason === reason) last.until = end;
      else spans.push({ from: at, until: end, reason });
    }
    at = Math.max(at, end);
  };
  for (const one of switches) {
    if (one.at >= until) break;
    upTo(one.at);
    one.flip();
  }
  upTo(until);
  return spans;
}

function reasonOfWearable({ isHeard, gatewayDown, overdue, notWorn }: WearableNow): BlindReason | null {
  if (gatewayDown > 0) return "gateway-down";
  if (!isHeard || overdue > 0) return "overdue";
  return notWorn > 0 ? "not-worn" : null;
}

/** Of several wearables the one counts that is nearest to seeing: null where one sees, else the last of the list of reasons. */
function leastOf(reasons: readonly (BlindReason | null)[]): BlindReason | null {
  if (reasons.includes(null)) return null;
  return blindReasons.findLast((reason) => reasons.includes(reason)) ?? null;
}

/** A clock that was set back gives a later change an earlier time: what came before it then ended no later. */
function inWallOrder<T extends { at: number }>(changes: readonly T[]): T[] {
  let latest = Number.POSITIVE_INFINITY;
  return changes
    .toReversed()
    .map((change) => {
      latest = Math.min(latest, change.at);
      return { ...change, at: latest };
    })
    .reverse();
}

/** While the gateway through which a device is heard was down. */
function gatewayDownOf(
  heardThrough: DwellingCauses["wearables"][number]["heardThrough"],
  gatewaysDown: SharedCauses["gatewaysDown"],
): Span[] {
  const inOrder = inWallOrder(heardThrough);
  return inOrder.flatMap(({ gatewayId, at }, i) => {
    const from = i === 0 ? Number.NEGATIVE_INFINITY : at;
    const until = inOrder[i + 1]?.at ?? null;
    return (gatewaysDown.get(gatewayId) ?? []).map((down) => ({
      from: Math.max(from, down.from),
      until: until === null ? down.until : Math.min(until, down.until ?? until),
    }));
  });
}

/** Blind time by reason, ms; a reason that there was none of is left out. */
export function sumsByReason(spans: readonly BlindSpan[]): Partial<Record<BlindReason, number>> {
  const sums: Partial<Record<BlindReason, number>> = {};
  for (const reason of blindReasons) {
    const ms = spans.reduce((sum, span) => (span.reason === reason ? sum + span.until - span.from : sum), 0);
    if (ms > 0) sums[reason] = ms;
  }
  return sums;
}

/** The same spans, cut at `from` and `until`. */
export function clipped(spans: readonly BlindSpan[], from: number, until: number): BlindSpan[] {
  return spans.flatMap((span) => {
    const cut = { ...span, from: Math.max(span.from, from), until: Math.min(span.until, until) };
    return cut.from < cut.until ? [cut] : [];
  });
}
