import type { ResponderConfig } from "../config.ts";
import { type ChangeBody, keyOf, type RotaChange, type Shift, type ShiftKey } from "./changes.ts";
import { dayMs, minuteMs } from "./local-time.ts";
import type { PlannedShift } from "./pattern.ts";
import type { Plan, Span } from "./shifts.ts";

// What is asked of a rota, looked through before it is kept: each refusal says what is wrong and the mend. Nothing here does I/O or reads a clock.

/** The longest override. */
export const longestOverrideDays = 62;

export interface OverrideRequest {
  mode: "instead" | "also";
  /** Wall time, ms; left out: now. */
  from?: number | undefined;
  until: number;
  responders: readonly string[];
}

export interface HandOverRequest {
  /** Who has it, and who takes the rest of the shift. */
  from: string;
  to: string;
  /** Wall time, ms; left out: now. */
  at?: number | undefined;
  /** Until when; left out: the shift's end. */
  until?: number | undefined;
  /** Where `from` is in several shifts at that time: which. */
  shiftId?: string | undefined;
}

/** Whatever may be asked of a rota. */
export type ChangeRequest =
  | ({ kind: "override" } & OverrideRequest)
  | { kind: "swap"; shifts: readonly [ShiftKey, ShiftKey] }
  | ({ kind: "hand-over" } & HandOverRequest);

/** A change to keep, and all that it touches. */
export interface CheckedChange {
  change: ChangeBody;
  span: Span;
}

export interface RotaNow {
  plan: Plan;
  /** Of this rota, in force and withdrawn. */
  changes: readonly RotaChange[];
  responders: ReadonlyMap<string, ResponderConfig>;
  now: number;
}

/** @throws with the mend. */
export function checkRequest(rota: RotaNow, request: ChangeRequest): CheckedChange {
  if (request.kind === "override") return checkOverride(rota, request);
  return request.kind === "swap" ? checkSwap(rota, ...request.shifts) : checkHandOver(rota, request);
}

/** A change made now may begin this long ago: the clock on the wall has minutes. */
const toleranceMs = minuteMs;

/** @throws with the mend. */
export function checkOverride({ responders, now }: RotaNow, request: OverrideRequest): CheckedChange {
  if (request.responders.length === 0) throw new Error("name at least one responder who is on call in that time");
  for (const id of request.responders) checkKnown(responders, id);
  if (new Set(request.responders).size < request.responders.length) {
    throw new Error("a responder stands twice; name each once");
  }
  const from = notPast(request.from ?? now, now, "an override");
  const { until } = request;
  if (until <= from) throw new Error("it ends before it begins; give an end that is later");
  if (until - from > longestOverrideDays * dayMs) {
    throw new Error(
      `an override lasts ${longestOverrideDays} days at most; for longer, change the rota in the settings`,
    );
  }
  const { mode } = request;
  return {
    change: { kind: "override", mode, from, until, responders: [...request.responders] },
    span: { from, until },
  };
}

/** @throws with the mend. */
export function checkSwap(rota: RotaNow, one: ShiftKey, other: ShiftKey): CheckedChange {
  if (keyOf(one) === keyOf(other)) throw new Error("a shift cannot be swapped with itself; name two");
  const [first, second] = [swappable(rota, one), swappable(rota, other)];
  return {
    change: { kind: "swap", shifts: [keyIn(first), keyIn(second)] },
    span: { from: Math.min(first.startsAt, second.startsAt), until: Math.max(first.endsAt, second.endsAt) },
  };
}

function swappable({ plan, changes, now }: RotaNow, key: ShiftKey): PlannedShift {
  const shift = plan.planned(key);
  if (!shift) {
    throw new Error(
      `no shift ${key.shiftId} of the pattern begins then; \`fallvakt rota show --week\` lists them, an override is withdrawn and made anew`,
    );
  }
  if (shift.startsAt <= now) {
    throw new Error(`shift ${key.shiftId} has begun: hand its rest over instead (\`fallvakt rota hand-over\`)`);
  }
  const handed = changes.find((c) => c.kind === "hand-over" && c.withdrawnAt === null && keyOf(c.shift) === keyOf(key));
  if (handed) throw new Error(`shift ${key.shiftId} is handed over by change ${handed.id}; withdraw that first`);
  return shift;
}

const keyIn = ({ shiftId, startsAt }: ShiftKey): ShiftKey => ({ shiftId, startsAt });

/** @throws with the mend. */
export function checkHandOver({ plan, responders, now }: RotaNow, request: HandOverRequest): CheckedChange {
  checkKnown(responders, request.to);
  if (request.from === request.to) throw new Error("it is handed over to the same phone; name another");
  const at = notPast(request.at ?? now, now, "a hand-over");
  const shifts = shiftsWith(plan, request.from, at).filter(
    ({ shiftId }) => request.shiftId === undefined || shiftId === request.shiftId,
  );
  const [shift, another] = shifts;
  if (!shift) {
    const who = responders.get(request.from)?.name ?? request.from;
    const here = plan.onCallAt(at).join(", ") || "nobody";
    throw new Error(`${who} is not on call at that time${request.shiftId ? " in that shift" : ""}; on call is ${here}`);
  }
  if (another) {
    const ids = shifts.map(({ shiftId }) => shiftId).join(", ");
    throw new Error(`${request.from} is in several shifts at that time (${ids}); say which`);
  }
  const { from, to } = request;
  const until = Math.round(request.until ?? shift.endsAt);
  if (!(until > at)) throw new Error("it ends before it begins; give an end that is later");
  if (until > shift.endsAt) throw new Error("that is after the shift's end; hand over the next shift by itself");
  const part = until < shift.endsAt ? { until } : {};
  return { change: { kind: "hand-over", shift: keyIn(shift), at, ...part, from, to }, span: { from: at, until } };
}

/** All that a change touches; null where its shifts are in the pattern no more. */
export function spanOf(change: RotaChange, plan: Plan): Span | null {
  if (change.kind === "override") return { from: change.from, until: change.until };
  const shifts = (change.kind === "swap" ? change.shifts : [change.shift]).flatMap((key) => plan.planned(key) ?? []);
  if (change.kind === "hand-over") {
    const until = change.until ?? shifts[0]?.endsAt;
    return until === undefined ? null : { from: change.at, until };
  }
  if (shifts.length === 0) return null;
  return {
    from: Math.min(...shifts.map(({ startsAt }) => startsAt)),
    until: Math.max(...shifts.map(({ endsAt }) => endsAt)),
  };
}

/** @throws with the mend where a change cannot be withdrawn. */
export function checkWithdrawal(changes: readonly RotaChange[], changeId: number, now: number): RotaChange {
  const change = changes.find(({ id }) => id === changeId);
  if (!change) throw new Error(`there is no change ${changeId} of late; \`fallvakt rota changes\` lists them`);
  if (change.withdrawnAt !== null) throw new Error(`change ${changeId} is withdrawn already`);
  if (change.kind === "swap" && change.shifts.some(({ startsAt }) => startsAt <= now)) {
    throw new Error("one of the two shifts has begun: hand the rest over instead (`fallvakt rota hand-over`)");
  }
  return change;
}

/** Shifts in which somebody is on call at a time. */
export function shiftsWith(plan: Plan, responderId: string, at: number): Shift[] {
  return plan
    .shiftsBetween(at, at + 1)
    .filter(({ stretches }) =>
      stretches.some(({ from, until, responders }) => from <= at && at < until && responders.includes(responderId)),
    );
}

function checkKnown(responders: RotaNow["responders"], id: string): void {
  if (!responders.has(id))
    throw new Error(`no responder has the id ${id}; known are ${[...responders.keys()].join(", ")}`);
}

function notPast(at: number, now: number, what: string): number {
  if (!Number.isFinite(at)) throw new Error(`${what} needs a time`);
  if (at < now - toleranceMs) throw new Error(`${what} cannot begin in the past; leave the time out for now`);
  return Math.round(at);
}
