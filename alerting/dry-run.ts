import { dutyOfEpisode, type Staffing } from "./duty.ts";
import { step } from "./episode.ts";
import type {
  Duty,
  EpisodeCommand,
  EpisodeFacts,
  EpisodeInput,
  EpisodePolicy,
  EpisodeState,
  PagePurpose,
  TroubleKind,
} from "./episode-state.ts";
import { operatorsFirstFor } from "./opening.ts";
import type { Policies } from "./policies.ts";
import type { TechnicalConfig } from "./policy-config.ts";
import { technicalNotBefore } from "./technical.ts";

// What an alarm at some time would do: the true state machine is driven through time that is only thought of. It pages nobody and keeps nothing.

/** Longer than any policy waits, ms. */
const longestMs = 24 * 3_600_000;
/** Inputs to one episode; twenty steps of a hundred phones need less. */
const mostInputs = 10_000;
/** Whoever says that they cannot, or takes it, does so after this, ms. */
export const answersAfterMs = 30_000;

export const dryRunKinds = ["fall", "help", "welfare", "technical"] as const;
/** `declined`: whoever is paged first says that they cannot. `not-set-off`: takes it, and does not go. */
export const dryRunAnswers = ["nobody", "declined", "not-set-off"] as const;

export interface DryRunQuestion {
  /** When the alarm comes, wall ms. */
  at: number;
  kind: (typeof dryRunKinds)[number];
  /** The home-care unit of the dwelling; null: of none. */
  unit: string | null;
  /** Of a fall. */
  strength: "strong" | "medium";
  /** Of a technical alarm. */
  trouble: TroubleKind;
  /** The dwelling is so new that a policy's silent period, where it has one, still runs. */
  newResident: boolean;
  answers: (typeof dryRunAnswers)[number];
  /** Responders who have another alarm meanwhile. */
  busy: readonly string[];
}

/** What the service knows when it is asked. */
export interface DryRunCircumstances {
  policies: Policies;
  technical: TechnicalConfig;
  timeZone: string;
  staffing(at: number): Staffing;
  /** Phones that get no texts: it is taken that they still do not then. */
  lost: ReadonlySet<string>;
}

/** Why somebody is paged: as the policy names them, or as one who is told when nobody takes it. */
export type DryRunWay =
  | { by: "name" }
  | { by: "rota"; rotaId: string }
  | { by: "group"; groupId: string }
  | { by: "operator" };

export interface DryRunPage {
  responderId: string;
  purpose: PagePurpose;
  ways: DryRunWay[];
  /** False: this phone gets no texts. */
  getsTexts: boolean;
  /** When the text may go, wall ms: a technical one waits for others. */
  leavesAt: number;
}

/** What made something happen. */
export type DryRunCause =
  | "raised"
  | "no-answer"
  | "no-texts"
  | "operators-did-not"
  | "again"
  | "declined"
  | "taken"
  | "not-set-off"
  | "still-not-set-off"
  | "other";

/** One moment in which somebody is paged, or is to be and is not. */
export interface DryRunMoment {
  /** Wall ms. */
  at: number;
  cause: DryRunCause;
  round: number;
  /** Of the policy, from 0; null where none was paged. */
  step: number | null;
  pages: DryRunPage[];
  /** Whom the policy means, and who is left out in the first round. */
  passedOver: { step: number; responderId: string; why: "busy" | "no-texts" }[];
  /** Rotas of these steps that have nobody on call. */
  gaps: { step: number; rotaId: string }[];
  /** Nothing is paged before this, wall ms: quiet hours. */
  heldUntil: number | null;
}

export interface DryRun {
  question: DryRunQuestion;
  policy: EpisodePolicy;
  /** As the settings call it; null: the common one. Of a technical alarm there is one only. */
  policyId: string | null;
  moments: DryRunMoment[];
  /** `again`: from here on the last of it comes again and again. `long`: it did not come to that within a day. */
  ends: "again" | "long";
}

interface Waiting {
  at: number;
  input: EpisodeInput;
  cause?: DryRunCause;
}

/** Who would be paged when, until the policy begins again. */
export function dryRun(question: DryRunQuestion, around: DryRunCircumstances): DryRun {
  const { at } = question;
  const { facts, policyId } = factsOf(question, around.policies);
  const moments: DryRunMoment[] = [];
  const lastTechnical = new Map<string, number>();
  let waiting: Waiting[] = [{ at, input: { type: "opened", facts }, cause: "raised" }];
  let state: EpisodeState | null = null;
  let answered = false;

  for (let inputs = 0; inputs < mostInputs; inputs++) {
    const next = nextOf(state, waiting);
    if (!next || next.at > at + longestMs) break;
    waiting = waiting.filter((one) => one !== next);
    const duty = dutyAt(next.at, facts, question, around);
    const before: EpisodeState | null = state;
    const [after, commands] = step(before, { ...next.input, duty }, next.at);
    state = after;
    const moment = momentOf(next, before, after, commands, duty, around);
    for (const page of moment.pages) {
      if (page.purpose === "technical") {
        page.leavesAt = technicalNotBefore(
          question.trouble,
          around.technical,
          lastTechnical.get(page.responderId) ?? null,
          next.at,
        );
        lastTechnical.set(page.responderId, page.leavesAt);
      }
    }
    for (const command of commands) if (command.do === "page") waiting.push(...fateOf(command, next.at, around.lost));
    const answers = answered ? [] : answersOf(question, after, next.at, around.lost);
    if (answers.length > 0) answered = true;
    waiting.push(...answers);
    if (moment.pages.length + moment.passedOver.length + moment.gaps.length > 0 || moment.heldUntil !== null) {
      moments.push(moment);
    }
    if (after.round > 1 && moment.pages.length > 0)
      return { question, policy: facts.policy, policyId, moments, ends: "again" };
  }
  return { question, policy: facts.policy, policyId, moments, ends: "long" };
}

/** What comes next: what phones and people do, and then the deadline that is due first. */
function nextOf(state: EpisodeState | null, waiting: readonly Waiting[]): Waiting | null {
  const [first] = waiting.toSorted((a, b) => a.at - b.at);
  const [due] = Object.entries(state?.due ?? {}).toSorted(([, a], [, b]) => a - b);
  if (!due || (first && first.at <= due[1])) return first ?? null;
  const purpose = due[0] as keyof EpisodeState["due"];
  return { at: due[1], input: { type: "due", purpose }, ...causeOfDue(state, purpose) };
}

function causeOfDue(state: EpisodeState | null, purpose: string): { cause: DryRunCause } {
  if (purpose === "receipt") return { cause: "no-texts" };
  if (purpose === "set-off") return { cause: state?.reminded ? "still-not-set-off" : "not-set-off" };
  if (purpose !== "next-page") return { cause: "other" };
  return { cause: state?.operatorsFirst ? "operators-did-not" : state?.betweenRounds ? "again" : "no-answer" };
}

function dutyAt(at: number, facts: EpisodeFacts, { busy }: DryRunQuestion, around: DryRunCircumstances): Duty {
  const { staffing, lost, technical, timeZone } = around;
  const unreachable = [...lost].sort();
  const { quietHours } = technical;
  const duty = dutyOfEpisode(facts, { staffing: staffing(at), others: [], unreachable, quietHours, timeZone }, at);
  return { ...duty, busy: [...busy].sort() };
}

/** What the provider says of a page: it is there at once, or never. */
function fateOf(
  { pageId, responderId, purpose }: Extract<EpisodeCommand, { do: "page" }>,
  at: number,
  lost: ReadonlySet<string>,
): Waiting[] {
  const page = { pageId, responderId, purpose };
  if (lost.has(responderId)) {
    const result = { outcome: "permanent", reason: "no-texts", fault: "phone" } as const;
    return [{ at, input: { type: "page-result", ...page, tries: 1, result }, cause: "no-texts" }];
  }
  const receipt = { type: "receipt", ...page, status: "delivered", errorCode: null } as const;
  return [
    { at, input: { type: "page-result", ...page, tries: 1, result: { outcome: "accepted", providerId: "" } } },
    { at, input: receipt },
  ];
}

/** What those do who were paged first, and have the text. */
function answersOf(
  { answers }: DryRunQuestion,
  { current }: EpisodeState,
  at: number,
  lost: ReadonlySet<string>,
): Waiting[] {
  if (answers === "nobody") return [];
  const people = Object.values(current).flatMap(({ responderId }) => (lost.has(responderId) ? [] : [responderId]));
  const letter = answers === "declined" ? "N" : "T";
  const cause = answers === "declined" ? "declined" : "taken";
  return (answers === "declined" ? people : people.slice(0, 1)).map((responderId) => ({
    at: at + answersAfterMs,
    input: { type: "reply", responderId, letter },
    cause,
  }));
}

function momentOf(
  { at, cause = "other" }: Waiting,
  before: EpisodeState | null,
  after: EpisodeState,
  commands: readonly EpisodeCommand[],
  duty: Duty,
  around: DryRunCircumstances,
): DryRunMoment {
  const policySteps = after.facts.policy.steps;
  const staffing = around.staffing(at);
  const pages = commands.flatMap((command): DryRunPage[] => {
    if (command.do !== "page") return [];
    const { pageId, responderId, purpose } = command;
    const isCalled = pageId in after.current && !after.operatorsFirst;
    const ways = isCalled ? waysTo(responderId, policySteps[after.step], staffing) : [];
    if (!isCalled && duty.operators.includes(responderId)) ways.push({ by: "operator" });
    return [{ responderId, purpose, ways, getsTexts: !around.lost.has(responderId), leavesAt: at }];
  });
  const called = pages.some(({ ways }) => ways.some(({ by }) => by !== "operator"));
  const looked = stepsLookedAt(before, after, called);
  return {
    at,
    cause,
    round: after.round,
    step: called ? after.step : null,
    pages,
    passedOver: looked.flatMap(({ round, step: index }) => (round > 1 ? [] : passedOver(duty, index))),
    gaps: looked.flatMap(({ step: index }) =>
      (policySteps[index]?.rotas ?? [])
        .filter((id) => staffing.rota(id).length === 0)
        .map((rotaId) => ({ step: index, rotaId })),
    ),
    heldUntil: before === null && after.betweenRounds && after.round === 0 ? (duty.quietUntil ?? null) : null,
  };
}

/** Whom a step means, and who is left out of it in the first round. */
function passedOver({ steps, busy, unreachable }: Duty, index: number): DryRunMoment["passedOver"] {
  return [...new Set(steps[index] ?? [])].flatMap((responderId): DryRunMoment["passedOver"] => {
    if (busy.includes(responderId)) return [{ step: index, responderId, why: "busy" }];
    return unreachable.includes(responderId) ? [{ step: index, responderId, why: "no-texts" }] : [];
  });
}

/** The steps that were tried for somebody to page, by the round they were tried in. */
function stepsLookedAt(
  before: EpisodeState | null,
  after: EpisodeState,
  called: boolean,
): { round: number; step: number }[] {
  const count = after.facts.policy.steps.length;
  const range = (round: number, from: number, until: number) =>
    Array.from({ length: Math.max(0, until - from) }, (_, i) => ({ round, step: from + i }));
  const wasRunning = before !== null && before.round > 0 && !before.betweenRounds && !before.operatorsFirst;
  const roundEnded = after.betweenRounds || after.round > (before?.round ?? 0);
  const hasMoved = before === null || after.round !== before.round || after.step !== before.step || roundEnded;
  if (!hasMoved || after.operatorsFirst || after.round === 0) return [];
  const rest = wasRunning && before.status === "open" && roundEnded ? range(before.round, before.step + 1, count) : [];
  if (after.round > (before?.round ?? 0)) return [...rest, ...range(after.round, 0, called ? after.step + 1 : count)];
  if (roundEnded) return rest;
  return range(after.round, (before?.step ?? -1) + 1, after.step + 1);
}

function waysTo(
  responderId: string,
  step: EpisodePolicy["steps"][number] | undefined,
  staffing: Staffing,
): DryRunWay[] {
  const { responders = [], rotas = [], groups = [] } = step ?? {};
  return [
    ...(responders.includes(responderId) ? [{ by: "name" as const }] : []),
    ...rotas.filter((id) => staffing.rota(id).includes(responderId)).map((rotaId) => ({ by: "rota" as const, rotaId })),
    ...groups
      .filter((id) => staffing.group(id).includes(responderId))
      .map((groupId) => ({ by: "group" as const, groupId })),
  ];
}

/** What the episode would be opened with. */
function factsOf(question: DryRunQuestion, policies: Policies): { facts: EpisodeFacts; policyId: string | null } {
  const { at, kind, unit, strength, trouble, newResident } = question;
  const bare: Omit<EpisodeFacts, "kind" | "policy"> = {
    id: "dry-run",
    code: "000",
    dwelling: "dry-run",
    place: { alias: null, area: null, areaInTexts: false, room: null, unit },
    test: false,
    since: at,
    detection: null,
    trouble: null,
    signOn: null,
    operatorsFirstMs: null,
  };
  if (kind === "technical") {
    const about = { kind: trouble, subject: "dry-run", since: at };
    return { facts: { ...bare, kind, trouble: about, policy: policies.technical }, policyId: null };
  }
  const { id: policyId, policy } = policies.forAlarm(kind, unit);
  if (kind === "welfare") return { facts: { ...bare, kind, policy }, policyId };
  const detection = {
    ...{ v: 1 as const, id: "dry-run", deviceId: "dry-run", kind, strength },
    reason: kind === "help" ? ("help-button" as const) : ("still" as const),
    ...{ impactAt: at, detectedAt: at, arrivedAt: at, late: false, clockSuspect: false, test: false },
  };
  const where = { unit, notInOperation: null };
  const operatorsFirstMs = operatorsFirstFor(policies, detection, where, newResident ? at : null, at);
  return { facts: { ...bare, kind, policy, detection, operatorsFirstMs }, policyId };
}
