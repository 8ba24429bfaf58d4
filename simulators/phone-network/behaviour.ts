/** How the network treats messages to a phone. Times are milliseconds of the network's clock. */
export interface Behaviour {
  /** What the sender meets at the API. */
  api: ApiBehaviour;
  /** From a request to the API's answer to it; the message is accepted at once. */
  apiMs: number;
  /** From the API's answer to `sent`. */
  queueMs: number;
  /** From `sent` to the phone's inbox. */
  deliveryMs: number;
  /** What becomes of the message on its way. An error code is one of Twilio's, such as 30003 (handset unreachable). */
  outcome: "delivered" | { undelivered: number } | { failed: number };
  /** Which receipts the sender gets: none, each once, each twice, or the last one before `sent`. */
  receipts: "none" | "once" | "twice" | "out-of-order";
  /** From the inbox (or the failure) to the receipt that tells of it. */
  receiptMs: number;
}

/**
 * `answer`: as the real one does. `reset`: the connection breaks and nothing was accepted. `accept-then-reset`: the message is on its way, but the connection breaks before the answer.
 * `hang`: accepted, and no answer ever comes. `not-json`: accepted, but something on the way answers 201 with a page of its own.
 * A status, such as 503: nothing is accepted; with a code of Twilio's, and how long to wait (a Retry-After header, as it stands).
 */
export type ApiBehaviour =
  | "answer"
  | "reset"
  | "accept-then-reset"
  | "hang"
  | "not-json"
  | { status: number; code?: number; retryAfter?: string };

/** A network on a good day. */
export const goodDay: Behaviour = {
  api: "answer",
  apiMs: 0,
  queueMs: 200,
  deliveryMs: 1_200,
  outcome: "delivered",
  receipts: "once",
  receiptMs: 300,
};

/** Statuses that a message of ours can have, in the order of its life. */
export type MessageStatus = "queued" | "sent" | "delivered" | "undelivered" | "failed" | "received";

/** One thing that happens to an accepted message, `afterMs` after it was accepted. */
export type LifeStep =
  | { afterMs: number; do: "status"; status: MessageStatus; errorCode: number | null }
  | { afterMs: number; do: "arrive" }
  | { afterMs: number; do: "receipt"; status: MessageStatus; errorCode: number | null };

/** The whole life of an accepted message, by the behaviour that was in force when it was accepted. In order of time. */
export function lifeOf(behaviour: Behaviour): LifeStep[] {
  const { queueMs, deliveryMs, receiptMs, outcome, receipts } = behaviour;
  const steps: LifeStep[] = [];
  const ends = queueMs + deliveryMs;
  const told = ends + receiptMs;
  const last = endOf(outcome);

  if (last.status !== "failed") {
    steps.push({ afterMs: queueMs, do: "status", status: "sent", errorCode: null });
    // A late receipt of an earlier state is what callers forget: it must not take a message back from delivered to sent.
    const sentAt = receipts === "out-of-order" ? told + 1 : queueMs;
    for (let i = 0; i < times(receipts); i++) {
      steps.push({ afterMs: sentAt, do: "receipt", status: "sent", errorCode: null });
    }
  }
  if (last.status === "delivered") steps.push({ afterMs: ends, do: "arrive" });
  steps.push({ afterMs: ends, do: "status", ...last });
  for (let i = 0; i < times(receipts); i++) steps.push({ afterMs: told, do: "receipt", ...last });
  return steps.sort((a, b) => a.afterMs - b.afterMs);
}

function times(receipts: Behaviour["receipts"]): number {
  return { none: 0, once: 1, twice: 2, "out-of-order": 1 }[receipts];
}

function endOf(outcome: Behaviour["outcome"]): { status: MessageStatus; errorCode: number | null } {
  if (outcome === "delivered") return { status: "delivered", errorCode: null };
  if ("undelivered" in outcome) return { status: "undelivered", errorCode: outcome.undelivered };
  return { status: "failed", errorCode: outcome.failed };
}
