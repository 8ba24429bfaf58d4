import type { Clock } from "../../../firmware-contracts/clock.ts";
import type { AlertingConfig } from "../../config.ts";
import { type DryRun, type DryRunWay, dryRun } from "../../dry-run.ts";
import type { EpisodePolicy, PolicyStep } from "../../episode-state.ts";
import { createPolicies } from "../../policies.ts";
import type { Rotas } from "../../rota/duty-rota.ts";
import { dayMs, zoneOf } from "../../rota/local-time.ts";
import type { Staff } from "../../staff.ts";
import { givenTime, localMoment } from "../local-moment.ts";
import { notFound, Refusal, refusing } from "../problems.ts";
import { type Account, maySeeShared, maySeeUnit } from "../roles.ts";
import type { RotaPerson } from "../rota/api.ts";
import { peopleOf } from "../rota/view.ts";
import type { ConsoleArea } from "../routes.ts";
import { DryRunRequest, DryRunView, PoliciesView, type PolicyStepView, type PolicyView } from "./api.ts";

const tag = "Policies";
/** How far from now a dry run may be: changes of the rotas are at hand for that long. */
const mostBackMs = 50 * dayMs;
const mostAheadMs = 366 * dayMs;

export interface PoliciesAreaOptions {
  config: AlertingConfig;
  clock: Clock;
  rotas: () => Rotas;
  staff: () => Staff;
}

/** Who is paged in which order, and whom an alarm at some time would page. */
export function policiesArea({ config, clock, rotas, staff }: PoliciesAreaOptions): ConsoleArea {
  const zone = zoneOf(config.timeZone);
  const policies = createPolicies(config);
  const now = () => Math.round(clock.wallNow());
  const rotaName = (id: string) => config.rotas.find((rota) => rota.id === id)?.name ?? id;

  const person = (id: string): RotaPerson => ({
    ...{ id, name: staff().nameOf(id), getsTexts: !staff().lost.has(id) },
  });

  const stepView = ({ responders, groups = [], rotas: named = [], waitMs }: PolicyStep): PolicyStepView => ({
    responders: responders.map(person),
    groups: groups.map((id) => ({ id, members: staff().at(now()).group(id).map(person) })),
    rotas: named.map((id) => ({ id, name: rotaName(id), onCall: rotas().onCall(id, now()).map(person) })),
    waitSeconds: waitMs / 1000,
  });

  function policyView(
    { id, policy, operatorsFirstForMs }: { id: string | null; policy: EpisodePolicy; operatorsFirstForMs: number },
    about: Pick<PolicyView, "unit" | "kinds">,
  ): PolicyView {
    return {
      ...{ id, ...about, version: policy.version, steps: policy.steps.map(stepView) },
      receiptSeconds: policy.receiptWithinMs === null ? null : policy.receiptWithinMs / 1000,
      setOffMinutes: policy.setOffWithinMs / 60_000,
      graceMinutes: policy.graceMs / 60_000,
      arriveMinutes: policy.arriveWithinMs / 60_000,
      outcomeMinutes: policy.outcomeWithinMs / 60_000,
      operatorsFirstDays: operatorsFirstForMs / dayMs,
    };
  }

  function unitsOf(account: Account): string[] {
    const named = [...config.policies, ...config.rotas].flatMap(({ unit }) => unit ?? []);
    return [...new Set([...named.filter((unit) => maySeeUnit(account, unit)), ...(account.units ?? [])])].sort();
  }

  return (api) => {
    api.route(
      {
        ...{ method: "GET", url: "/policies", tag, needs: "policies.read", answer: PoliciesView },
        summary: "Each escalation policy: who is paged in which order, and how long each waits",
      },
      ({ account }) => {
        const { technical, operators, keyHolders } = config;
        return {
          policies: policies.all.flatMap((one) => {
            const own = config.policies.find(({ id }) => id === one.id);
            if (one.id !== null && !maySeeShared(account, own ?? {})) return [];
            return [policyView(one, { unit: own?.unit ?? null, kinds: own?.kinds ?? ["fall", "help", "welfare"] })];
          }),
          technical: {
            version: policies.technical.version,
            steps: policies.technical.steps.map(stepView),
            repeatMinutes: technical.repeatMinutes,
            gatherSeconds: technical.gatherSeconds,
            digestMinutes: technical.digestMinutes,
            quietHours: technical.quietHours ?? null,
          },
          operators: operators.map(person),
          keyHolders: keyHolders.map(person),
          people: peopleOf({ config, staff: staff() }),
          units: unitsOf(account),
          now: localMoment(now(), zone),
        };
      },
    );
    api.route(
      {
        ...{ method: "POST", url: "/policies/dry-run", tag, needs: "policies.read", answer: DryRunView },
        summary: "Whom an alarm at that time would page, and when. Pages nobody, keeps nothing",
        body: DryRunRequest,
        problems: ["refused"],
      },
      ({ account, body }) => {
        const { at: given, ...asked } = body;
        if (asked.unit !== null && !maySeeUnit(account, asked.unit)) throw notFound("unit");
        const unknown = asked.busy.find((id) => !staff().responders.has(id));
        if (unknown !== undefined) throw notFound("responder");
        return refusing(async () => {
          const at = given === undefined ? now() : givenTime(given, zone, now());
          if (at < now() - mostBackMs || at > now() + mostAheadMs) {
            throw new Refusal(422, "refused", "give a time within a year from now, or of the last weeks");
          }
          return viewOf(
            dryRun(
              { ...asked, at },
              {
                ...{ policies, technical: config.technical, timeZone: config.timeZone },
                staffing: staff().at,
                lost: new Set(staff().lost.keys()),
              },
            ),
          );
        });
      },
    );
  };

  function viewOf({ question, policy, policyId, moments, ends }: DryRun) {
    const moment = (at: number) => localMoment(at, zone);
    const named = (id: string) => ({ responderId: id, name: staff().nameOf(id) });
    return {
      at: moment(question.at),
      policy: { id: policyId, version: policy.version },
      moments: moments.map(({ at, pages, passedOver, gaps, heldUntil, ...rest }) => ({
        ...{ ...rest, at: moment(at), afterSeconds: (at - question.at) / 1000 },
        pages: pages.map(({ responderId, ways, leavesAt, ...page }) => ({
          ...{ ...page, ...named(responderId), leavesAt: moment(leavesAt) },
          ways: ways.map((way) => ({ by: way.by, name: nameOfWay(way) })),
        })),
        passedOver: passedOver.map(({ responderId, ...one }) => ({ ...one, ...named(responderId) })),
        gaps: gaps.map(({ step, rotaId }) => ({ step, rotaId, name: rotaName(rotaId) })),
        heldUntil: heldUntil === null ? null : moment(heldUntil),
      })),
      ends,
    };
  }

  function nameOfWay(way: DryRunWay): string | null {
    return way.by === "rota" ? rotaName(way.rotaId) : way.by === "group" ? way.groupId : null;
  }
}
