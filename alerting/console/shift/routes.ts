import { z } from "zod";
import type { Clock } from "../../../firmware-contracts/clock.ts";
import { type Board, replayTimeline } from "../../board.ts";
import type { AlertingConfig } from "../../config.ts";
import type { EpisodeState } from "../../episode-state.ts";
import type { Keeper } from "../../keeper.ts";
import type { Rotas } from "../../rota/duty-rota.ts";
import { zoneOf } from "../../rota/local-time.ts";
import type { RotaConfig } from "../../rota/rota-config.ts";
import type { Stint } from "../../rota/shifts.ts";
import { composeFallReport, FallReport } from "../../shift/fall-report.ts";
import { composeHandover } from "../../shift/handover.ts";
import { hasFallReport } from "../../shift/handover-alarms.ts";
import { handoverText } from "../../shift/handover-text.ts";
import { shiftRotaNow } from "../../shift/phones.ts";
import { readHandover } from "../../shift/read-handover.ts";
import { handedOverNow, shiftSpans } from "../../shift/shift-spans.ts";
import { shiftWords } from "../../shift/words.ts";
import type { Store } from "../../store/store.ts";
import { notFound, Refusal, refusing } from "../problems.ts";
import { type Account, maySeeEpisode, maySeeShared, maySeeUnit } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import {
  CrewRequest,
  FollowUpRequest,
  HandedOver,
  HandOverBody,
  HandoverAnswer,
  HandoverQuery,
  ReportQuery,
  ShiftNow,
  SignOnRequest,
} from "./api.ts";

const tag = "Shift";

export interface ShiftParts {
  config: AlertingConfig;
  clock: Clock;
  store: () => Store;
  board: () => Board;
  keeper: () => Keeper;
  rotas: () => Rotas;
}

/** The shift: who has the alarm phone, hand-over in mid-shift, what one shift hands over to the next, and the fall report. */
export function shiftArea({ config, clock, store, board, keeper, rotas }: ShiftParts): ConsoleArea {
  const now = () => Math.round(clock.wallNow());
  const zone = zoneOf(config.timeZone);
  const known = new Set(config.responders.map(({ id }) => id));
  const nameOf = (id: string) => keeper().nameOf(id);
  const wordsIn = (language: "sv" | "en" | undefined) => shiftWords(language ?? config.language, zone);

  const rotasOf = (account: Account) => rotas().list.filter((rota) => maySeeShared(account, rota));

  function ownRota(account: Account, rotaId: string): RotaConfig {
    const rota = rotasOf(account).find(({ id }) => id === rotaId);
    if (!rota) throw notFound("rota");
    return rota;
  }

  function shiftNow(account: Account): z.input<typeof ShiftNow> {
    const at = now();
    const { lost } = keeper().staff;
    const phonesKnown = {
      ...{ rotas: rotas(), nameOf, now: at },
      episodes: board()
        .view(at)
        .filter((view) => maySeeEpisode(account, view)),
      states: board().states(),
      lostSince: (id: string) => lost.get(id)?.since ?? null,
    };
    return {
      now: at,
      rotas: rotasOf(account).map((rota) => shiftRotaNow(rota, phonesKnown)),
      responders: config.responders.map(({ id, name }) => ({ id, name, isReached: !lost.has(id) })),
    };
  }

  function reachable(responderId: string): void {
    if (!known.has(responderId)) throw notFound("responder");
    if (keeper().staff.lost.has(responderId)) {
      throw new Refusal(409, "phone-lost", `Texts do not reach the phone of ${responderId}; take another`);
    }
  }

  const begins = (rotaId: string, { responderId, startsAt }: Stint, at: number) =>
    rotas()
      .onDuty(rotaId, at)
      .some((one) => one.responderId === responderId && one.startsAt === startsAt);

  /** Units of what is there, as far as this account sees them. */
  async function unitsOf(account: Account): Promise<string[]> {
    const units = (await store().registry.dwellings()).map(({ unit }) => unit);
    const all = [...units, ...rotas().list.map(({ unit }) => unit ?? null)];
    return [...new Set(all)].filter((unit) => unit !== null && maySeeUnit(account, unit)).sort() as string[];
  }

  /** As of an episode that is not there: whose it is, is not told. */
  async function ownEpisode(account: Account, id: string): Promise<EpisodeState> {
    const state = await store().episodes.episode(id);
    const place = state?.facts.place;
    const isSeen = place && maySeeEpisode(account, { unit: place.unit ?? null, ofDwelling: place.alias !== null });
    if (!state || !isSeen) throw notFound("episode");
    return state;
  }

  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/shift",
        tag,
        summary: "Who has the alarm phone now, by rota: whether it is signed on, who is with it, what it has taken",
        needs: "shift.read",
        answer: ShiftNow,
      },
      ({ account }) => shiftNow(account),
    );
    api.route(
      {
        method: "POST",
        url: "/shift/sign-on",
        tag,
        summary: "Send a test alarm to a phone that is on call now; it signs on by its answer",
        needs: "shift.write",
        body: SignOnRequest,
        answer: ShiftNow,
        problems: ["not-found", "not-on-call", "phone-lost"],
      },
      async ({ account, body: { rotaId, responderId } }) => {
        const { id } = ownRota(account, rotaId);
        reachable(responderId);
        const at = now();
        const [stint] = rotas()
          .onDuty(id, at)
          .filter((one) => one.responderId === responderId);
        if (!stint) throw new Refusal(409, "not-on-call", `${responderId} is not on call in ${id} now`);
        const { startsAt, endsAt } = stint;
        // A phone that begins in several rotas at once is asked once for all of them.
        const rotaIds = rotas().list.flatMap((one) => (begins(one.id, stint, at) ? [one.id] : []));
        const signOn = { responderId, rotaIds, startsAt, endsAt };
        const detail = { rota: id, responder: responderId };
        await store().audit.append({
          ...{ at, by: account.name, via: "console", act: "sign-on-asked", subject: null, detail },
        });
        // The episode first, as everywhere: cut off in between, the phone is asked all the same.
        await keeper().askSignOn(signOn, true);
        await rotas().asked([signOn]);
        return shiftNow(account);
      },
    );
    api.route(
      {
        method: "POST",
        url: "/shift/crew",
        tag,
        summary: "Note who is with a phone that is on call now, in initials; it is in no text, event or log",
        needs: "shift.write",
        body: CrewRequest,
        answer: ShiftNow,
        problems: ["not-found", "refused"],
      },
      async ({ account, body: { rotaId, responderId, crew } }) => {
        ownRota(account, rotaId);
        await refusing(() => rotas().crew(rotaId, responderId, crew, account.name));
        return shiftNow(account);
      },
    );
    api.route(
      {
        method: "POST",
        url: "/shift/hand-over",
        tag,
        summary: "Hand the rest of a shift over to another phone, which gets a test alarm within seconds",
        needs: "shift.write",
        body: HandOverBody,
        answer: HandedOver,
        problems: ["not-found", "refused", "phone-lost"],
      },
      async ({ account, body: { rotaId, from, to, shiftId, handOn } }) => {
        ownRota(account, rotaId);
        reachable(to);
        for (const id of handOn) await ownEpisode(account, id);
        const change = await refusing(() =>
          rotas().handOver(
            rotaId,
            { from, to, ...(shiftId === undefined ? {} : { shiftId }) },
            account.name,
            "console",
          ),
        );
        const handedOn: string[] = [];
        const user = { name: account.name, role: account.role };
        // After the change, so that whoever is on call now is asked.
        for (const id of handOn) {
          const refused = await keeper().apply(id, { type: "handed-on", responderId: from, to, user });
          if (refused === null) handedOn.push(id);
        }
        const kept = handOn.filter((id) => !handedOn.includes(id));
        return { change, handedOn, kept, shift: shiftNow(account) };
      },
    );
    api.route(
      {
        method: "GET",
        url: "/shift/handover",
        tag,
        summary:
          "What a shift hands over: alarms, follow-ups, the nurse, watches to charge, pauses, blind dwellings, tests",
        needs: "shift.read",
        query: HandoverQuery,
        answer: HandoverAnswer,
        problems: ["not-found", "invalid"],
      },
      async ({ account, query }) => {
        const { unit = null, language } = query;
        const units = await unitsOf(account);
        if (unit !== null && !units.includes(unit)) throw notFound("unit");
        const at = now();
        const plans = rotasOf(account)
          .filter((rota) => unit === null || rota.unit === undefined || rota.unit === unit)
          .map(({ id }) => rotas().plan(id));
        const shifts = shiftSpans(plans, at);
        const asked = spanAsked(query) ?? handedOverNow(shifts, at);
        const words = wordsIn(language);
        const data = await readHandover(store(), asked.from, at);
        const sees = (of: string | null) => maySeeUnit(account, of);
        const namesUnits = unit === null && units.length > 1;
        const list = composeHandover(data, { ...asked, unit, namesUnits, sees }, { words, nameOf, now: at });
        return { list, titles: words.list.sections, text: handoverText(list, words), shifts, units };
      },
    );
    api.route(
      {
        method: "POST",
        url: "/shift/follow-ups",
        tag,
        summary: "Say that something was followed up after an alarm, or that it was not after all",
        needs: "shift.write",
        body: FollowUpRequest,
        answer: z.object({ changed: z.boolean() }),
        problems: ["not-found", "not-closed"],
      },
      async ({ account, body: { episodeId, kind, isDone } }) => {
        const state = await ownEpisode(account, episodeId);
        if (state.status !== "closed") throw new Refusal(409, "not-closed", "The alarm is open: close it first");
        const act = { at: now(), by: account.name, via: "console" } as const;
        const { followUps } = store();
        const followUp = { episodeId, kind };
        return { changed: await (isDone ? followUps.tick(followUp, act) : followUps.untick(followUp, act)) };
      },
    );
    api.route(
      {
        method: "GET",
        url: "/episodes/:id/fall-report",
        tag,
        summary: "The fall report as the alarm can fill it in, by key number; names are filled in by whoever was there",
        needs: "episodes.read",
        params: z.object({ id: z.string() }),
        query: ReportQuery,
        answer: FallReport,
        problems: ["not-found", "no-report"],
      },
      async ({ account, params: { id }, query }) => {
        const state = await ownEpisode(account, id);
        if (!hasFallReport(state)) {
          throw new Refusal(
            409,
            "no-report",
            "A fall report is made of a fall that somebody has been to, or that is closed",
          );
        }
        const log = await store().episodes.log(id);
        const users = log.flatMap(({ input }) =>
          "user" in input ? [[input.user.name, input.user.role] as const] : [],
        );
        const story = replayTimeline(log, nameOf);
        return composeFallReport({ state, story, roles: new Map(users), nameOf }, wordsIn(query.language));
      },
    );
  };
}

/** Both ends, or none. */
function spanAsked({ from, until }: z.output<typeof HandoverQuery>): { from: number; until: number } | null {
  if (from === undefined && until === undefined) return null;
  if (from === undefined || until === undefined) throw new Refusal(400, "invalid", "give from and until, or neither");
  if (until <= from) throw new Refusal(400, "invalid", "until is not after from");
  return { from, until };
}
