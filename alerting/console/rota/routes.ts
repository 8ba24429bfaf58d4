import { z } from "zod";
import type { Clock } from "../../../firmware-contracts/clock.ts";
import { type AlertingConfig, Language } from "../../config.ts";
import { rotaCalendar } from "../../rota/calendar.ts";
import type { ChangeRequest } from "../../rota/change-requests.ts";
import type { Rotas } from "../../rota/duty-rota.ts";
import { mondayOfWeek, weekdayOf, weekOfDay, zoneOf } from "../../rota/local-time.ts";
import { onCallBetween, type RotaPreview as Preview } from "../../rota/previews.ts";
import type { RotaConfig } from "../../rota/rota-config.ts";
import { weekOf } from "../../rota/week.ts";
import { rotaWords } from "../../rota/words.ts";
import type { Staff } from "../../staff.ts";
import { givenTime, localMoment } from "../local-moment.ts";
import { notFound, Refusal, refusing } from "../problems.ts";
import { type Account, may, maySeeShared, maySeeUnit } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import {
  RotaChanged,
  RotaChangeOrder,
  type RotaChangeRequest,
  RotaPreview,
  RotaPreviewRequest,
  RotaWeek,
  RotaWithdrawal,
} from "./api.ts";
import { dayView, peopleOf, rotaView } from "./view.ts";

/** How many weeks back the changes are at hand, and how far ahead anybody plans. */
const weeksBack = 8;
const weeksAhead = 53;
const calendarWeeks = 8;
const tag = "Rota";

export interface RotaAreaOptions {
  config: AlertingConfig;
  clock: Clock;
  rotas: () => Rotas;
  staff: () => Staff;
}

/** Who is on call when, what would change by a change, and the change itself. */
export function rotaArea({ config, clock, rotas, staff }: RotaAreaOptions): ConsoleArea {
  const zone = zoneOf(config.timeZone);
  const now = () => Math.round(clock.wallNow());

  /** One without a unit is everybody's to see, but changing it touches every unit. */
  const mayChange = (account: Account, { unit }: RotaConfig) =>
    may(account, "rota.write") && maySeeUnit(account, unit ?? null);

  function own(account: Account, id: string): RotaConfig {
    const rota = config.rotas.find((one) => one.id === id);
    if (!rota || !maySeeShared(account, rota)) throw notFound("rota");
    return rota;
  }

  function changeable(account: Account, id: string): RotaConfig {
    const rota = own(account, id);
    if (!mayChange(account, rota)) {
      throw new Refusal(403, "not-allowed", "This rota is for all units; an account that has all of them changes it");
    }
    return rota;
  }

  function mondayAsked(week: string | undefined): number {
    const today = zone.dayOf(now());
    const thisMonday = today - weekdayOf(today);
    if (week === undefined) return thisMonday;
    const monday = mondayOfWeek(week);
    if (monday === null) throw new Refusal(400, "invalid", `week: "${week}" is no week; write it as 2026-W48`);
    if (monday < thisMonday - weeksBack * 7 || monday > thisMonday + weeksAhead * 7) {
      const detail = `week: from ${weeksBack} weeks back to ${weeksAhead} ahead; \`fallvakt rota show --week\` has others`;
      throw new Refusal(400, "invalid", detail);
    }
    return monday;
  }

  function requestOf(change: RotaChangeRequest): ChangeRequest {
    const time = (given: string | number | undefined) =>
      given === undefined ? undefined : givenTime(given, zone, now());
    if (change.kind === "swap") return change;
    if (change.kind === "override") {
      return { ...change, from: time(change.from), until: givenTime(change.until, zone, now()) };
    }
    return { ...change, at: time(change.at), until: time(change.until) };
  }

  function previewView(account: Account, rotaId: string, { span, before, after, gapsMade }: Preview) {
    const spanView = ({ from, until }: { from: number; until: number }) => ({
      from: localMoment(from, zone),
      until: localMoment(until, zone),
    });
    const stretches = (list: Preview["after"]) =>
      list.map(({ responders, ...times }) => ({ ...spanView(times), responders: [...responders] }));
    const was = new Set(before.flatMap(({ responders }) => responders));
    const comes = [...new Set(after.flatMap(({ responders }) => responders))].filter((id) => !was.has(id));
    const others = rotas().list.filter((rota) => rota.id !== rotaId && maySeeShared(account, rota));
    const elsewhere = others.flatMap((rota) => {
      const there = new Set(onCallBetween(rotas().plan(rota.id), span).flatMap(({ responders }) => responders));
      return comes
        .filter((id) => there.has(id))
        .map((responderId) => ({ kind: "also-on-call" as const, responderId, rota: rota.name }));
    });
    return {
      ...spanView(span),
      before: stretches(before),
      after: stretches(after),
      gaps: gapsMade.map(spanView),
      warnings: [
        ...comes
          .filter((id) => staff().lost.has(id))
          .map((responderId) => ({ kind: "no-texts" as const, responderId })),
        ...elsewhere,
      ],
    };
  }

  function refuseGaps({ gapsMade }: Preview, accepted: boolean): void {
    if (gapsMade.length === 0 || accepted) return;
    const spans = gapsMade.map(
      ({ from, until }) => `${new Date(from).toISOString()} to ${new Date(until).toISOString()}`,
    );
    throw new Refusal(
      409,
      "makes-gap",
      `Nobody would be on call from ${spans.join(", ")}; acceptGaps says that this is meant`,
    );
  }

  const params = z.object({ id: z.string() });

  return (api) => {
    api.route(
      {
        ...{ method: "GET", url: "/rotas", tag, needs: "rota.read", answer: RotaWeek },
        summary: "A week of each rota: who is on call, where nobody is, and what is wrong",
        query: z.object({ week: z.string().optional() }),
      },
      ({ account, query }) => {
        const monday = mondayAsked(query.week);
        const at = now();
        const sources = { config, rotas: rotas(), staff: staff(), zone, now: at };
        const today = zone.dayOf(at);
        const thisMonday = today - weekdayOf(today);
        const near = (other: number) =>
          other >= thisMonday - weeksBack * 7 && other <= thisMonday + weeksAhead * 7 ? weekOfDay(other) : null;
        const visible = config.rotas.filter((rota) => maySeeShared(account, rota));
        const [first] = config.rotas;
        return {
          week: weekOfDay(monday),
          previous: near(monday - 7),
          next: near(monday + 7),
          current: weekOfDay(thisMonday),
          now: localMoment(at, zone),
          days: first
            ? weekOf({ plan: rotas().plan(first.id), holidays: config.holidays, zone, monday, now: at }).map((day) =>
                dayView(day, zone),
              )
            : [],
          people: peopleOf(sources),
          rotas: visible.map((rota) => rotaView(sources, rota, monday, mayChange(account, rota))),
        };
      },
    );
    api.route(
      {
        ...{ method: "POST", url: "/rotas/:id/preview", tag, needs: "rota.read", answer: RotaPreview },
        summary: "What a change would make of the rota. Changes nothing",
        params,
        body: RotaPreviewRequest,
        problems: ["refused"],
      },
      ({ account, params: { id }, body: { change } }) => {
        own(account, id);
        return refusing(async () =>
          previewView(
            account,
            id,
            await rotas().preview(id, change.kind === "withdrawal" ? change : requestOf(change)),
          ),
        );
      },
    );
    api.route(
      {
        ...{ method: "POST", url: "/rotas/:id/changes", tag, needs: "rota.write", answer: RotaChanged },
        summary: "Take a part of a shift over, swap two, or put somebody in for a time",
        params,
        body: RotaChangeOrder,
        problems: ["refused", "not-allowed", "makes-gap"],
      },
      ({ account, params: { id }, body: { change, acceptGaps } }) => {
        changeable(account, id);
        return refusing(async () => {
          const request = requestOf(change);
          const preview = await rotas().preview(id, request);
          refuseGaps(preview, acceptGaps);
          const made = await rotas().change(id, request, account.name, "console");
          return { ...previewView(account, id, preview), change: made };
        });
      },
    );
    api.route(
      {
        ...{
          method: "POST",
          url: "/rotas/:id/changes/:change/withdraw",
          tag,
          needs: "rota.write",
          answer: RotaChanged,
        },
        summary: "Take a change back that has not begun, or end one that runs",
        params: z.object({ id: z.string(), change: z.coerce.number().int() }),
        body: RotaWithdrawal,
        problems: ["refused", "not-allowed", "makes-gap"],
      },
      ({ account, params: { id, change }, body: { acceptGaps } }) => {
        changeable(account, id);
        return refusing(async () => {
          const preview = await rotas().preview(id, { kind: "withdrawal", withdraws: change });
          refuseGaps(preview, acceptGaps);
          await rotas().withdraw(change, account.name, "console");
          return { ...previewView(account, id, preview), change };
        });
      },
    );
    api.route(
      {
        ...{ method: "GET", url: "/rotas/:id/calendar", tag, needs: "rota.read", answer: z.string() },
        summary: `The shifts of this week and the next ${calendarWeeks - 1} as iCalendar: names and no phone numbers`,
        media: "text/calendar",
        params,
        query: z.object({
          person: z.string().optional().meta({ description: "Only this responder's" }),
          language: Language.optional(),
        }),
      },
      ({ account, params: { id }, query, reply }) => {
        const rota = own(account, id);
        const { person } = query;
        const nameOf = (one: string) => config.responders.find((responder) => responder.id === one)?.name ?? one;
        if (person !== undefined && !config.responders.some((one) => one.id === person)) throw notFound("responder");
        const monday = mondayAsked(undefined);
        reply.header("content-disposition", `attachment; filename="${person ?? id}.ics"`);
        return rotaCalendar({
          rotas: [{ rota, plan: rotas().plan(id) }],
          ...{ from: zone.at(monday, 0), until: zone.at(monday + calendarWeeks * 7, 0), now: now() },
          ...{ person, nameOf, words: rotaWords(query.language ?? config.language, zone) },
        });
      },
    );
  };
}
