import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { AlertingConfig } from "../config.ts";
import { ActingPerson, actOf } from "../registry/acting.ts";
import type { Store, Via } from "../store/store.ts";
import {
  type ChangeRequest,
  checkRequest,
  checkWithdrawal,
  type HandOverRequest,
  longestOverrideDays,
  type OverrideRequest,
  type RotaNow,
  spanOf,
} from "./change-requests.ts";
import { type MadeChange, type RotaChange, type Shift, type ShiftKey, withKnownPeople } from "./changes.ts";
import { dayMs } from "./local-time.ts";
import { previewOf, type RotaPreview } from "./previews.ts";
import type { RotaConfig } from "./rota-config.ts";
import type { RotaHistoryLine } from "./rota-store.ts";
import { createPlan, type Plan, type Span, type Stint } from "./shifts.ts";
import {
  pagingOrder,
  type SignOn,
  type SignOnDue,
  type SignOnRow,
  type SignOns,
  type SignOnVia,
  type StintKey,
  signOnOf,
  signOnsDue,
  signOnsOf,
} from "./sign-ons.ts";

/** The store is read again this often, for changes that another process has made (`fallvakt rota …`), ms. */
const refreshMs = 60_000;
/** Changes and sign-ons of this long ago are kept at hand, so that the longest override still has its sign-on at its end. */
const rememberedMs = (longestOverrideDays + 1) * dayMs;
/** Who was on a patrol is taken out of the store after this. */
const crewKeptMs = 90 * dayMs;

/** Who is on the patrol: initials, no numbers. */
export const CrewNote = z
  .string()
  .trim()
  .min(1, "say who is on the patrol, in initials")
  .max(40, "at most 40 characters: initials are enough")
  .regex(/^\P{C}*$/u, "letters and punctuation only: it is printed in lists")
  .refine((note) => !/\d[\d\s-]{5,}/.test(note), "initials only: no phone and no identity numbers");

export interface RotasOptions {
  config: AlertingConfig;
  store: Store;
  clock: Clock;
  /** Told where the store could not be read again; what was read last stands meanwhile. */
  log?: { warn(about: object, what: string): void };
  /** From where it is changed, for the audit log; else from within the service. */
  via?: Via;
  /** Reads changes from this time on (wall time, ms), for whoever looks at weeks gone by. */
  since?: number;
}

export interface StintWithSignOn extends Stint {
  signOn: SignOn;
}

/** The rotas as they are worked. What it answers comes from memory; what it changes is in the store when the promise resolves. */
export interface Rotas {
  /** Reads the store, and from then on every minute until `stop`. @throws where it cannot be read the first time. */
  load(): Promise<void>;
  stop(): void;
  readonly list: readonly RotaConfig[];
  /** Whom to page, in order; empty where nobody is on call, or there is no such rota (any more). Never waits. */
  onCall(rotaId: string, at: number): string[];
  /** The same people with since when, until when, and whether they have signed on. */
  onDuty(rotaId: string, at: number): StintWithSignOn[];
  /** Shifts that are running. */
  shiftsAt(rotaId: string, at: number): Shift[];
  /** A plan as of now; it does not follow later changes. @throws where there is no such rota. */
  plan(rotaId: string): Plan;
  /** Spans in which nobody is on call, by rota. */
  gaps(from: number, until: number): (Span & { rotaId: string })[];
  /** Phones to which a test alarm is to be sent now. */
  signOnsDue(since?: number): SignOnDue[];
  signOn(stint: StintKey): SignOn;
  /** Changes of a rota that touch the times at hand, withdrawn ones too, in the order in which they were made. */
  changes(rotaId: string): readonly MadeChange[];
  /** What a change would make of the rota, or the withdrawal of one. Changes nothing. @throws as the change itself would. */
  preview(rotaId: string, request: ChangeRequest | { kind: "withdrawal"; withdraws: number }): Promise<RotaPreview>;

  /**
   * Each of these @throws with the mend where it cannot be so, and then nothing has changed. They return the change's number.
   * `from` is where it was done, for the audit log; left out: as `via` says.
   */
  change(rotaId: string, request: ChangeRequest, by: string, from?: Via): Promise<number>;
  override(rotaId: string, request: OverrideRequest, by: string, from?: Via): Promise<number>;
  swap(rotaId: string, one: ShiftKey, other: ShiftKey, by: string, from?: Via): Promise<number>;
  handOver(rotaId: string, request: HandOverRequest, by: string, from?: Via): Promise<number>;
  /** Ends a change from now on. */
  withdraw(changeId: number, by: string, from?: Via): Promise<void>;
  history(rotaId: string): Promise<RotaHistoryLine[]>;

  /** A test alarm was sent to these phones. Kept before it is sent: an asked phone is due no more. */
  asked(due: readonly SignOnDue[]): Promise<void>;
  /** The phone answered, for all of `rotaIds`. */
  signedOn(phone: Omit<SignOnDue, "endsAt">, via: SignOnVia, by?: string): Promise<void>;
  /** The phone did not answer: it is paged last, until it signs on after all. */
  missed(phone: Omit<SignOnDue, "endsAt">): Promise<void>;
  /** Notes who is on the patrol that is on call now. */
  crew(rotaId: string, responderId: string, note: string, by: string): Promise<void>;
}

export function createRotas({ config, store, clock, log, since, via = "service" }: RotasOptions): Rotas {
  const responders = new Map(config.responders.map((responder) => [responder.id, responder]));
  const rotas = new Map(config.rotas.map((rota) => [rota.id, rota]));
  let changes: readonly MadeChange[] = [];
  let signOns: SignOns = new Map();
  let plans = planAll();
  let begun = 0;
  let done = 0;
  let callOff: (() => void) | null = null;

  function planAll(): Map<string, Plan> {
    return new Map(config.rotas.map((rota) => [rota.id, planWith(rota, changes)]));
  }

  function planWith(rota: RotaConfig, all: readonly RotaChange[]): Plan {
    const { holidays, timeZone } = config;
    return createPlan({ rota, holidays, changes: withKnownPeople(all, (id) => responders.has(id)), timeZone });
  }

  const now = () => Math.round(clock.wallNow());

  async function read(): Promise<void> {
    const from = since ?? now() - rememberedMs;
    const turn = ++begun;
    const [readChanges, rows] = await Promise.all([store.rota.changes(from), store.rota.signOns(from)]);
    // Of two that were under way at once, the one that began later has seen more.
    if (turn < done) return;
    done = turn;
    signOns = signOnsOf(rows);
    // Days that were computed stay at hand where nothing has changed.
    if (JSON.stringify(readChanges) === JSON.stringify(changes)) return;
    changes = readChanges;
    plans = planAll();
  }

  function again(): void {
    callOff = clock.after(refreshMs, () => {
      read()
        .then(() => store.rota.forgetCrews(now() - crewKeptMs))
        .catch((error) => log?.warn({ err: error }, "the rotas could not be read again; what was read last stands"))
        .finally(() => callOff && again());
    });
  }

  function planOf(rotaId: string): Plan {
    const plan = plans.get(rotaId);
    if (!plan) {
      const known = [...rotas.keys()].join(", ") || "none: write one under alerting.rotas";
      throw new Error(`there is no rota ${rotaId}; known are ${known}`);
    }
    return plan;
  }

  /** As the store has it now: another process may have changed it since. */
  async function fresh(rotaId: string): Promise<RotaNow> {
    await read();
    return {
      plan: planOf(rotaId),
      changes: changes.filter((change) => change.rotaId === rotaId),
      responders,
      now: now(),
    };
  }

  async function change(rotaId: string, request: ChangeRequest, by: string, from = via): Promise<number> {
    const act = actOf(clock, by);
    const { change: body, span } = checkRequest(await fresh(rotaId), request);
    const id = await store.rota.addChange(rotaId, body, span, { ...act, via: from });
    await read();
    return id;
  }

  async function note(keys: readonly StintKey[], kind: SignOnRow["kind"], more: Partial<SignOnRow>): Promise<void> {
    const rest = { at: now(), via: null, crew: null, by: null, ...more };
    await store.rota.addSignOns(
      keys.map(({ rotaId, responderId, startsAt }) => ({ rotaId, responderId, startsAt, kind, ...rest })),
    );
    await read();
  }

  const stintsOf = ({ rotaIds, responderId, startsAt }: Omit<SignOnDue, "endsAt">) =>
    rotaIds.map((rotaId) => ({ rotaId, responderId, startsAt }));
  const stintsAt = (rotaId: string, at: number) => plans.get(rotaId)?.stintsAt(at) ?? [];

  return {
    async load() {
      callOff?.();
      callOff = null;
      await read();
      again();
    },
    stop() {
      callOff?.();
      callOff = null;
    },
    list: config.rotas,
    onCall: (rotaId, at) => pagingOrder(stintsAt(rotaId, at), signOns),
    onDuty: (rotaId, at) => stintsAt(rotaId, at).map((stint) => ({ ...stint, signOn: signOnOf(signOns, stint) })),
    shiftsAt: (rotaId, at) =>
      (plans.get(rotaId)?.shiftsBetween(at, at + 1) ?? []).filter(({ stretches }) =>
        stretches.some(({ from, until }) => from <= at && at < until),
      ),
    plan: planOf,
    gaps: (from, until) =>
      [...plans.values()].flatMap((plan) =>
        plan.gapsBetween(from, until).map((gap) => ({ rotaId: plan.rotaId, ...gap })),
      ),
    signOnsDue: (after = Number.NEGATIVE_INFINITY) => signOnsDue([...plans.values()], signOns, after, now()),
    signOn: (stint) => signOnOf(signOns, stint),

    changes: (rotaId) => changes.filter((change) => change.rotaId === rotaId),
    async preview(rotaId, request) {
      const rota = await fresh(rotaId);
      const withOne = (all: readonly RotaChange[]) => planWith(rotas.get(rotaId) as RotaConfig, all);
      if (request.kind === "withdrawal") {
        const { id } = checkWithdrawal(rota.changes, request.withdraws, rota.now);
        const withdrawn = rota.changes.map((one) => (one.id === id ? { ...one, withdrawnAt: rota.now } : one));
        const change = rota.changes.find((one) => one.id === id) as RotaChange;
        const { from, until } = spanOf(change, rota.plan) ?? { from: rota.now, until: rota.now };
        return previewOf(rota.plan, withOne(withdrawn), { from: Math.max(from, rota.now), until });
      }
      const { change, span } = checkRequest(rota, request);
      const made: RotaChange = { ...change, id: Number.MAX_SAFE_INTEGER, rotaId, withdrawnAt: null };
      return previewOf(rota.plan, withOne([...rota.changes, made]), span);
    },

    change,
    override: (rotaId, request, by, from) => change(rotaId, { kind: "override", ...request }, by, from),
    swap: (rotaId, one, other, by, from) => change(rotaId, { kind: "swap", shifts: [one, other] }, by, from),
    handOver: (rotaId, request, by, from) => change(rotaId, { kind: "hand-over", ...request }, by, from),
    async withdraw(changeId, by, from = via) {
      const act = actOf(clock, by);
      await read();
      checkWithdrawal(changes, changeId, act.at);
      await store.rota.withdrawChange(changeId, { ...act, via: from });
      await read();
    },
    async history(rotaId) {
      planOf(rotaId);
      return store.rota.history(rotaId);
    },

    asked: (due) => note(due.flatMap(stintsOf), "asked", {}),
    signedOn: (phone, via, by) => note(stintsOf(phone), "signed-on", { via, by: actOf(clock, by).by }),
    missed: (phone) => note(stintsOf(phone), "missed", {}),
    async crew(rotaId, responderId, text, by) {
      const checked = CrewNote.safeParse(text);
      if (!checked.success) throw new Error(`crew: ${checked.error.issues[0]?.message}`);
      const { plan } = await fresh(rotaId);
      const stints = plan.stintsAt(now()).filter((stint) => stint.responderId === responderId);
      if (stints.length === 0) {
        const here = plan.onCallAt(now()).join(", ") || "nobody";
        throw new Error(`${responders.get(responderId)?.name ?? responderId} is not on call now; on call is ${here}`);
      }
      await note(stints, "crew", { crew: checked.data, by: ActingPerson.parse(by) });
    },
  };
}
