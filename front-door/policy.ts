import { Command, InvalidArgumentError, Option } from "commander";
import type { AlertingConfig } from "../alerting/config.ts";
import {
  type DryRun,
  type DryRunCause,
  type DryRunMoment,
  type DryRunQuestion,
  type DryRunWay,
  dryRun,
  dryRunAnswers,
  dryRunKinds,
} from "../alerting/dry-run.ts";
import { type TroubleKind, troubleKinds } from "../alerting/episode-state.ts";
import { type AlarmPolicy, createPolicies } from "../alerting/policies.ts";
import type { StepConfig } from "../alerting/policy-config.ts";
import { momentOf } from "../alerting/rota/typed-times.ts";
import { staffingOf } from "../alerting/staff.ts";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import { print, printTable } from "./table.ts";
import { withConfig } from "./with-register.ts";
import { type AtHand, type RotaOptions, rotasOpener } from "./with-rotas.ts";

interface DryRunOptions extends RotaOptions {
  at: string;
  unit?: string;
  kind: DryRunQuestion["kind"];
  strength: DryRunQuestion["strength"];
  trouble: TroubleKind;
  newResident: boolean;
  answers: DryRunQuestion["answers"];
  busy: string[];
}

/** `fallvakt policy`: who is paged in which order, and whom an alarm at some time would page. */
export function policyCommand(clock: Clock = systemClock()): Command {
  const open = rotasOpener(clock);
  const command = new Command("policy")
    .description("who is paged in which order; whom an alarm would page")
    .addHelpText(
      "after",
      `
Examples:
  fallvakt policy show
  fallvakt policy dry-run --at "2026-11-29 03:10" --unit Gustavsberg
  fallvakt policy dry-run --at 03:10 --kind help --answers declined --json`,
    );

  withConfig(command.command("show"))
    .description("each policy with its steps and its fingerprint")
    .action(async (options: RotaOptions) => {
      await open(options, ({ config, rotas, nameOf, now }) => {
        const rows = policiesIn(config);
        if (options.json) return print(JSON.stringify(rows));
        printTable(
          ["policy", "unit", "kinds", "fingerprint", "steps"],
          rows.map(({ id, unit, kinds, version, steps }) => [
            id ?? "(common)",
            unit ?? "all",
            kinds.join(", "),
            version,
            steps.map((one) => stepInWords(one, (id) => rotas.onCall(id, now).map(nameOf))).join(" → "),
          ]),
        );
      });
    });

  withConfig(command.command("dry-run"))
    .description("whom an alarm at that time would page, and when; pages nobody and keeps nothing")
    .requiredOption("--at <time>", 'when it comes, local time: 03:10 or "2026-11-29 03:10"')
    .option("--unit <unit>", "the home-care unit of the dwelling; left out: of none")
    .addOption(new Option("--kind <kind>", "what alarms").choices(dryRunKinds).default("fall"))
    .addOption(new Option("--strength <strength>", "of a fall").choices(["strong", "medium"]).default("strong"))
    .addOption(new Option("--trouble <trouble>", "of a technical alarm").choices(troubleKinds).default("gateway-lost"))
    .option("--new-resident", "in the policy's silent period, where it has one", false)
    .addOption(
      new Option(
        "--answers <what>",
        "nobody; declined: the first say that they cannot; not-set-off: the first takes it and does not go",
      )
        .choices(dryRunAnswers)
        .default("nobody"),
    )
    .option("--busy <responder...>", "who has another alarm", [])
    .addHelpText(
      "after",
      `
The service's own rules are played through time that is only thought of, with the rotas as they are changed, the phones that get no texts as known now, and everybody
else's phone getting its text at once. The last line says where it begins again.

Examples:
  fallvakt policy dry-run --at "2026-11-29 03:10" --unit Gustavsberg
  fallvakt policy dry-run --at 03:10 --kind technical --trouble battery-low
  fallvakt policy dry-run --at 03:10 --answers not-set-off --busy patrol-3 --json`,
    )
    .action(async (options: DryRunOptions) => {
      await open({ ...options, language: "en" }, (at) => {
        const { at: time, unit = null, kind, strength, trouble, newResident, answers, busy } = options;
        const unknown = busy.find((id) => !at.config.responders.some((one) => one.id === id));
        if (unknown !== undefined) throw new InvalidArgumentError(`--busy: no responder has the id ${unknown}`);
        const question = { kind, unit, strength, trouble, newResident, answers, busy };
        const answer = dryRun(
          { ...question, at: momentOf(time, at.zone, at.now) },
          {
            policies: createPolicies(at.config),
            ...{ technical: at.config.technical, timeZone: at.config.timeZone, lost: at.unreachable },
            staffing: staffingOf(at.config, at.rotas.onCall),
          },
        );
        if (options.json) return print(JSON.stringify(asJson(answer, at)));
        printAnswer(answer, at);
      });
    });
  return command;
}

/** Every policy of the settings, the common one last. */
function policiesIn(config: AlertingConfig) {
  const { all, technical } = createPolicies(config);
  const alarms = all.map(({ id, policy }: AlarmPolicy) => {
    const own = config.policies.find((one) => one.id === id);
    const kinds: string[] = own?.kinds ?? ["fall", "help", "welfare"];
    const { steps } = own ?? config.policy;
    return { id, unit: own?.unit ?? null, kinds, version: policy.version, steps };
  });
  const steps = config.technical.steps ?? [
    { responders: config.operators, waitSeconds: config.technical.repeatMinutes * 60 },
  ];
  return [...alarms, { id: "technical", unit: null, kinds: ["technical"], version: technical.version, steps }];
}

function stepInWords(
  { responders = [], rotas = [], groups = [], waitSeconds }: StepConfig,
  onCall: (rotaId: string) => string[],
) {
  const who = [
    ...responders,
    ...rotas.map((id) => `rota ${id} (now ${onCall(id).join(", ") || "nobody"})`),
    ...groups.map((id) => `group ${id}`),
  ];
  return `${who.join(" + ")}, ${waitSeconds} s`;
}

const causes: Record<DryRunCause, string> = {
  raised: "raised",
  "no-answer": "no answer",
  "no-texts": "its text does not arrive",
  "operators-did-not": "no operator took it",
  again: "again",
  declined: "cannot",
  taken: "taken",
  "not-set-off": "not set off",
  "still-not-set-off": "still not set off",
  other: "",
};

function printAnswer({ question, policy, policyId, moments, ends }: DryRun, at: AtHand): void {
  const { words } = at;
  const about = question.kind === "technical" ? `technical alarm (${question.trouble})` : `${question.kind}`;
  print(
    `${about} at ${words.moment(question.at)}, ${question.unit ?? "no unit"}: policy ${policyId ?? "common"} (${policy.version})`,
  );
  const shown = moments.flatMap((one) => rowsOf(one, question.at, at));
  printTable(["after", "at", "why", "step", "what"], shown);
  print(ends === "again" ? "From there it begins again, until somebody takes it." : "Nothing more within a day.");
}

function rowsOf(one: DryRunMoment, since: number, { words, nameOf, config }: AtHand): string[][] {
  const seconds = Math.round((one.at - since) / 1000);
  const after = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const step = one.step === null ? "–" : `${one.round}.${one.step + 1}`;
  const what = [
    ...one.pages.map(({ responderId, purpose, ways, getsTexts, leavesAt }) => {
      const by = ways.map(wayInWords).join(", ");
      const late = leavesAt > one.at ? `, sent ${words.time(leavesAt)}` : "";
      return `${purpose}: ${nameOf(responderId)}${by ? ` (${by})` : ""}${getsTexts ? "" : " GETS NO TEXTS"}${late}`;
    }),
    ...one.gaps.map(({ rotaId }) => `GAP: nobody on call in ${config.rotas.find(({ id }) => id === rotaId)?.name}`),
    ...one.passedOver.map(
      ({ responderId, why }) =>
        `passed over: ${nameOf(responderId)}, ${why === "busy" ? "has another alarm" : "gets no texts"}`,
    ),
    ...(one.heldUntil === null ? [] : [`quiet hours: held until ${words.time(one.heldUntil)}`]),
  ];
  return what.map((text, index) =>
    index === 0 ? [after, words.time(one.at), causes[one.cause], step, text] : ["", "", "", "", text],
  );
}

function wayInWords(way: DryRunWay): string {
  if (way.by === "rota") return `rota ${way.rotaId}`;
  return way.by === "group" ? `group ${way.groupId}` : way.by === "operator" ? "operator" : "by name";
}

/** Times are ISO 8601 in UTC. */
function asJson({ question, policy, policyId, moments, ends }: DryRun, { nameOf }: AtHand) {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    question: { ...question, at: iso(question.at) },
    policy: { id: policyId, version: policy.version },
    moments: moments.map(({ at, pages, heldUntil, ...rest }) => ({
      ...{ at: iso(at), afterSeconds: (at - question.at) / 1000, ...rest },
      pages: pages.map((page) => ({ ...page, name: nameOf(page.responderId), leavesAt: iso(page.leavesAt) })),
      heldUntil: heldUntil === null ? null : iso(heldUntil),
    })),
    ends,
  };
}
