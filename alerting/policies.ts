import { createHash } from "node:crypto";
import type { AlertingConfig } from "./config.ts";
import type { EpisodePolicy, PolicyStep } from "./episode-state.ts";
import type { PolicyConfig, StepConfig } from "./policy-config.ts";

/** A round that nobody answered is not begun again sooner than this, ms: failing pages must not go round in a circle. */
const shortestRoundMs = 60_000;
/** From the reminder to set off until the next are paged, ms (practice: reminded at 03.18, the next at 03.20). */
const graceMs = 2 * 60_000;
/** A test alarm of a shift's phone is answered within this, ms (practice, rule 1). */
export const signOnMs = 10 * 60_000;
/** Whoever leads is told again that a phone does not answer, ms. */
const signOnAgainMs = 30 * 60_000;
/** How long operators have a new resident's medium fall to themselves, ms (practice, rule 2). */
export const operatorsFirstMs = 60_000;
const dayMs = 86_400_000;

export interface AlarmPolicy {
  /** As the settings call it; null: the one for whatever has none of its own. */
  id: string | null;
  policy: EpisodePolicy;
  /** A resident newer than this, ms, has the operators asked first. 0: never. */
  operatorsFirstForMs: number;
}

/** The policies in force. Each is made once: episodes keep the one that they began with. */
export interface Policies {
  /** A welfare alarm has a fall's policy in its unit where it has none of its own. */
  forAlarm(kind: "fall" | "help" | "welfare", unit: string | null): AlarmPolicy;
  readonly technical: EpisodePolicy;
  /** Those of the settings, the common one last. */
  readonly all: readonly AlarmPolicy[];
  forSignOn(responderId: string): EpisodePolicy;
  /** A test alarm that is awaited for so long goes to this phone, or to whoever is on call in the unit. */
  forTest(responderId: string | null, unit: string | null, forMs: number): EpisodePolicy;
  /** How long operators have an alarm of a sensor that is not in operation to themselves, ms. */
  readonly notInOperationMs: number;
}

export function createPolicies(config: AlertingConfig): Policies {
  const { operators } = config;
  const alarm = (policy: PolicyConfig, id: string | null): AlarmPolicy => ({
    id,
    policy: fingerprinted({
      steps: policy.steps.map(stepOf),
      operators,
      shortestRoundMs,
      receiptWithinMs: policy.receiptSeconds * 1000,
      setOffWithinMs: policy.setOffWithinMinutes * 60_000,
      graceMs,
      arriveWithinMs: policy.arriveWithinMinutes * 60_000,
      outcomeWithinMs: policy.outcomeWithinMinutes * 60_000,
    }),
    operatorsFirstForMs: policy.operatorsFirstDays * dayMs,
  });
  const common = alarm(config.policy, null);
  const special = config.policies.map((policy) => ({ ...policy, made: alarm(policy, policy.id) }));
  const repeatMs = config.technical.repeatMinutes * 60_000;
  const lower = { operators, receiptWithinMs: null, setOffWithinMs: repeatMs, graceMs, arriveWithinMs: repeatMs };
  const own = (kind: "fall" | "help" | "welfare", unit: string | null) =>
    (
      special.find((one) => one.unit !== undefined && one.unit === unit && one.kinds.includes(kind)) ??
      special.find((one) => one.unit === undefined && one.kinds.includes(kind))
    )?.made;
  const forAlarm: Policies["forAlarm"] = (kind, unit) =>
    own(kind, unit) ?? (kind === "welfare" ? own("fall", unit) : undefined) ?? common;
  return {
    forAlarm,
    all: [...special.map(({ made }) => made), common],
    notInOperationMs: config.operation.operatorsFirstSeconds * 1000,
    forTest(responderId, unit, forMs) {
      const { version: _version, ...rest } = forAlarm("fall", unit).policy;
      const steps = responderId === null ? rest.steps : [{ responders: [responderId], waitMs: forMs }];
      return fingerprinted({ ...rest, receiptWithinMs: null, steps: steps.map((one) => ({ ...one, waitMs: forMs })) });
    },
    technical: fingerprinted({
      ...lower,
      steps: config.technical.steps?.map(stepOf) ?? [{ responders: operators, waitMs: repeatMs }],
      shortestRoundMs: repeatMs,
      outcomeWithinMs: 24 * 3_600_000,
    }),
    forSignOn: (responderId) =>
      fingerprinted({
        ...lower,
        steps: [{ responders: [responderId], waitMs: signOnMs }],
        shortestRoundMs: signOnAgainMs,
        outcomeWithinMs: signOnAgainMs,
      }),
  };
}

function stepOf({ responders = [], groups, rotas, waitSeconds }: StepConfig): PolicyStep {
  return { responders, ...(groups ? { groups } : {}), ...(rotas ? { rotas } : {}), waitMs: waitSeconds * 1000 };
}

function fingerprinted(content: Omit<EpisodePolicy, "version">): EpisodePolicy {
  const version = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 12);
  return { version, ...content };
}
