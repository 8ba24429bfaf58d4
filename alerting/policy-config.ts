import { z } from "zod";
import { Id } from "./config-fields.ts";
import { LocalTime } from "./rota/rota-config.ts";

const names = (what: string) => z.array(Id).optional().meta({ description: what });

const Step = z
  .strictObject({
    responders: names("Ids of those who are paged at this step, together"),
    rotas: names("Ids of rotas: whoever is on call then is paged"),
    groups: names("Ids of groups: all their members are paged"),
    waitSeconds: z
      .number()
      .min(1, "wait at least 1 s")
      .max(3600, "wait at most an hour (3600 s) before the next is paged")
      .meta({ description: "Wait before the next step is paged, seconds" }),
  })
  .refine(({ responders = [], rotas = [], groups = [] }) => responders.length + rotas.length + groups.length > 0, {
    message: "name at least one responder, rota or group, such as responders: [patrol-1]",
    path: ["responders"],
  });

const needsSteps = "a policy needs at least one step, such as { responders: [patrol-1], waitSeconds: 120 }";

const Steps = z
  .array(Step, { error: ({ input }) => (input === undefined || input === null ? needsSteps : undefined) })
  .min(1, needsSteps)
  .max(20, "use at most 20 steps")
  .meta({ description: "Who is paged, in order; past the last it begins again and the operators are told" });

const minutes = (most: number, initial: number, description: string) =>
  z.number().min(1).max(most).default(initial).meta({ description });

const limits = {
  setOffWithinMinutes: minutes(
    60,
    5,
    "Taken but not on the way after this long: whoever has it is reminded and, 2 min later, the next are paged, minutes",
  ),
  arriveWithinMinutes: minutes(
    1440,
    30,
    "Taken but nobody there after this long: paged again, minutes; a dwelling can have its own",
  ),
  outcomeWithinMinutes: minutes(1440, 30, "There but nothing reported after this long: asked again, minutes"),
  receiptSeconds: z
    .number()
    .min(5)
    .max(600)
    .default(20)
    .meta({ description: "No phone of a step has the text after this long: the next step is paged too, seconds" }),
  operatorsFirstDays: z.number().int().min(0).max(60).default(0).meta({
    description:
      "Silent period of a new resident, days: for so long a fall of medium evidence goes to the operators first, and to staff where none takes it in 60 s. Help calls and strong falls always page staff",
  }),
};

/** How falls and help calls are paged, where no policy of `policies` is for them. */
export const Policy = z.strictObject({ steps: Steps, ...limits });

export const UnitPolicy = z.strictObject({
  id: Id.meta({ description: "Short id of the policy, for the log" }),
  unit: z.string().trim().min(1).max(60).optional().meta({ description: "The home-care unit it is for; else all" }),
  kinds: z
    .array(z.enum(["fall", "help", "welfare"]))
    .min(1, "name at least one kind, such as [fall, help], or leave the key out")
    .default(["fall", "help"])
    .meta({ description: "The kinds of alarm it is for; a welfare alarm that has no policy of its own has a fall's" }),
  steps: Steps,
  ...limits,
});

export const Group = z.strictObject({
  id: Id.meta({ description: "Short id, used in policies" }),
  members: z.array(Id).min(1, "name at least one member").meta({ description: "Ids of responders" }),
});

/** How technical alarms are told. They are never urgent as a fall is. */
export const Technical = z.strictObject({
  steps: Steps.optional().meta({ description: "Who is told, in order; left out: the operators" }),
  repeatMinutes: minutes(1440, 60, "Told again where nobody takes it, minutes"),
  gatherSeconds: z.number().min(0).max(3600).default(60).meta({
    description: "A text waits this long for others to the same phone, and they go as one, seconds",
  }),
  digestMinutes: z.number().min(0).max(1440).default(15).meta({
    description: "At most one such text to a phone in this time; what comes meanwhile goes in the next, minutes",
  }),
  quietHours: z
    .strictObject({
      from: LocalTime.meta({ description: 'Beginning, local time, such as "22:00"' }),
      to: LocalTime.meta({ description: 'End, local time, such as "06:00"' }),
    })
    .optional()
    .meta({ description: "When none is sent but those that mean that falls raise no alarm; they wait for the end" }),
});

export type StepConfig = z.infer<typeof Step>;
export type PolicyConfig = z.infer<typeof Policy>;
export type TechnicalConfig = z.infer<typeof Technical>;

interface Settings {
  policy: PolicyConfig;
  policies: readonly z.infer<typeof UnitPolicy>[];
  technical: TechnicalConfig;
  groups: readonly z.infer<typeof Group>[];
  operators: readonly string[];
  keyHolders: readonly string[];
  rotas: readonly { id: string }[];
}

/** What the schema of one policy cannot see: each person, group and rota that it names exists. */
export function checkPolicies(
  settings: Settings,
  responderIds: ReadonlySet<string>,
  problem: (path: PropertyKey[], message: string) => void,
): void {
  const groups = new Set<string>();
  const known = { responders: responderIds, groups, rotas: new Set(settings.rotas.map(({ id }) => id)) };
  const unknown = (what: string, id: string, ids: ReadonlySet<string>) =>
    `no ${what} has the id ${id}; known are ${[...ids].join(", ") || "none"}`;
  const person = (path: PropertyKey[], id: string) => {
    if (!responderIds.has(id)) problem(path, unknown("responder", id, responderIds));
  };
  for (const [g, group] of settings.groups.entries()) {
    if (groups.has(group.id)) problem(["groups", g, "id"], `${group.id} stands twice; give each group its own id`);
    groups.add(group.id);
    for (const [m, id] of group.members.entries()) person(["groups", g, "members", m], id);
  }
  const steps = (path: PropertyKey[], list: readonly StepConfig[]) => {
    for (const [s, step] of list.entries()) {
      for (const [key, what] of [
        ["responders", "responder"],
        ["groups", "group"],
        ["rotas", "rota"],
      ] as const) {
        for (const [i, id] of (step[key] ?? []).entries()) {
          if (!known[key].has(id)) problem([...path, "steps", s, key, i], unknown(what, id, known[key]));
        }
      }
    }
  };
  steps(["policy"], settings.policy.steps);
  steps(["technical"], settings.technical.steps ?? []);
  const ids = new Set<string>();
  const covered = new Map<string, string>();
  for (const [p, policy] of settings.policies.entries()) {
    steps(["policies", p], policy.steps);
    if (ids.has(policy.id)) problem(["policies", p, "id"], `${policy.id} stands twice; give each policy its own id`);
    ids.add(policy.id);
    for (const kind of policy.kinds) {
      const key = `${policy.unit ?? ""} ${kind}`;
      const other = covered.get(key);
      if (other !== undefined) {
        const where = policy.unit === undefined ? "every unit" : policy.unit;
        problem(
          ["policies", p, "kinds"],
          `${other} is for ${kind} in ${where} already; take ${kind} out of one of them`,
        );
      }
      covered.set(key, policy.id);
    }
  }
  for (const [i, id] of settings.operators.entries()) person(["operators", i], id);
  for (const [i, id] of settings.keyHolders.entries()) person(["keyHolders", i], id);
}
