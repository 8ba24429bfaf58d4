import { z } from "zod";
import type { Clock } from "../../../firmware-contracts/clock.ts";
import type { Board } from "../../board.ts";
import type { AlertingConfig } from "../../config.ts";
import { createDwellings, type DwellingKey } from "../../registry/dwellings.ts";
import { createRegistry, KeyClash } from "../../registry/registry.ts";
import { createResidents } from "../../registry/residents.ts";
import type { Rotas } from "../../rota/duty-rota.ts";
import { zoneOf } from "../../rota/local-time.ts";
import type { Dwelling, Store } from "../../store/store.ts";
import { Refusal, refusing } from "../problems.ts";
import { type Account, may, maySeeUnit } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import {
  BlindDays,
  DwellingDetail,
  LookBody,
  NewConsentBody,
  NewDwellingBody,
  OfDwelling,
  PastAlarms,
  PutHousehold,
  PutResident,
  Register,
  Sheets,
  ShownConsents,
  WithdrawBody,
} from "./api.ts";
import { blindDays } from "./blind-days.ts";
import { dwellingDetail, pastAlarmOf, registerRows } from "./dwelling-views.ts";
import { isOnShift } from "./on-shift.ts";
import { DwellingParams, DwellingQuery, ownDwelling } from "./own-dwelling.ts";

/** Alarms of a dwelling that its page lists. */
const pastAlarms = 50;
const tag = "Residents";
const params = DwellingParams;

export interface ResidentsParts {
  config: AlertingConfig;
  clock: Clock;
  store: () => Store;
  board: () => Board;
  rotas: () => Rotas;
}

/** The register of dwellings, who lives there, and whether they are watched. What is sealed is opened only where the look is written down first. */
export function residentsArea(parts: ResidentsParts): ConsoleArea {
  const { config, clock, store, board } = parts;
  const residents = createResidents(store, clock, "console");
  const dwellings = createDwellings(store, clock, "console");
  const registry = createRegistry(store, clock);
  const zone = zoneOf(config.timeZone);
  const now = () => Math.round(clock.wallNow());
  const own = (account: Account, key: string, unit: string | undefined) => ownDwelling(store(), account, { key, unit });
  const keyOf = ({ alias, unit }: Dwelling): DwellingKey => ({ key: alias, unit });

  /** The alarm that a look was opened from, where it is one of that dwelling. It keeps nobody from the sheet. */
  function episodeOf(dwelling: Dwelling, episode: string | undefined): string | null {
    const detail = episode === undefined ? null : board().detail(episode);
    const isOfDwelling = detail?.ofDwelling && detail.alias === dwelling.alias && detail.unit === dwelling.unit;
    return isOfDwelling ? detail.id : null;
  }

  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/residents",
        tag,
        summary: "The register: every dwelling, without names",
        needs: "residents.read",
        answer: Register,
      },
      async ({ account }) => {
        const isOwn = (unit: string | null) => maySeeUnit(account, unit);
        return { dwellings: await registerRows(store(), board(), now(), isOwn, may(account, "episodes.read")) };
      },
    );
    api.route(
      {
        method: "POST",
        url: "/residents",
        tag,
        summary: "Add a dwelling; its devices are put up afterwards",
        needs: "residents.write",
        body: NewDwellingBody,
        answer: z.object({ key: z.string(), unit: z.string().nullable() }),
        problems: ["key-taken", "key-too-like", "own-unit", "refused"],
      },
      ({ account, body }) =>
        refusing(async () => {
          if (!maySeeUnit(account, body.unit ?? null)) {
            throw new Refusal(403, "own-unit", `Give one of your own units: ${account.units?.join(", ")}`);
          }
          try {
            const { alias, unit } = await registry.addDwelling(body, { by: account.name, via: "console" });
            return { key: alias, unit };
          } catch (error) {
            if (error instanceof KeyClash) throw new Refusal(409, error.kind, error.message);
            throw error;
          }
        }),
    );
    api.route(
      {
        method: "GET",
        url: "/residents/:key",
        tag,
        summary: "A dwelling: consent, pause, devices and open alarms, without names",
        needs: "residents.read",
        params,
        query: DwellingQuery,
        answer: DwellingDetail,
        problems: ["which-unit"],
      },
      async ({ account, params: { key }, query: { unit } }) => {
        const dwelling = await own(account, key, unit);
        return dwellingDetail(store(), board(), now(), dwelling, may(account, "episodes.read"));
      },
    );
    api.route(
      {
        method: "POST",
        url: "/residents/:key/sheet",
        tag,
        summary:
          "Look at the residents' sheet: name, address, key code and whom to call. The look is written down first",
        needs: "residents.sheet",
        params,
        body: LookBody,
        answer: Sheets,
        problems: ["which-unit"],
      },
      async ({ account, params: { key }, body: { unit, episode } }) => {
        const dwelling = await own(account, key, unit);
        const onShift = await isOnShift(parts, account.name, dwelling.unit, now());
        const context = { episode: episodeOf(dwelling, episode), ...(onShift !== undefined && { onShift }) };
        return { residents: await residents.show(keyOf(dwelling), account.name, context) };
      },
    );
    api.route(
      {
        method: "POST",
        url: "/residents/:key/residents",
        tag,
        summary: "Add a resident, or put one in the place of another",
        needs: "residents.write",
        params,
        body: PutResident,
        answer: z.object({ id: z.string() }),
        problems: ["which-unit", "refused"],
      },
      async ({ account, params: { key }, body: { unit, resident, replaces } }) => {
        const dwelling = await own(account, key, unit);
        return refusing(() => residents.add(keyOf(dwelling), resident, account.name, replaces));
      },
    );
    api.route(
      {
        method: "PUT",
        url: "/residents/:key/household",
        tag,
        summary: "Say whether the resident lives alone; null: nobody knows",
        needs: "residents.write",
        params,
        body: PutHousehold,
        answer: z.object({ changed: z.boolean() }),
        problems: ["which-unit", "refused"],
      },
      async ({ account, params: { key }, body: { unit, household } }) => {
        const dwelling = await own(account, key, unit);
        return refusing(async () => ({
          changed: await dwellings.setHousehold(keyOf(dwelling), household, account.name),
        }));
      },
    );
    api.route(
      {
        method: "GET",
        url: "/residents/:key/blind-time",
        tag,
        summary: "When a fall could not have been seen, day by day",
        needs: "residents.read",
        params,
        query: DwellingQuery.extend({ days: z.coerce.number().int().min(1).max(92).default(14) }),
        answer: BlindDays,
        problems: ["which-unit"],
      },
      async ({ account, params: { key }, query: { unit, days } }) => {
        const { id } = await own(account, key, unit);
        return blindDays(store().blindTime, zone, { dwellingId: id, days, now: now() });
      },
    );
    api.route(
      {
        method: "GET",
        url: "/residents/:key/alarms",
        tag,
        summary: `The dwelling's last ${pastAlarms} alarms, the newest first`,
        needs: "episodes.read",
        params,
        query: DwellingQuery,
        answer: PastAlarms,
        problems: ["which-unit"],
      },
      async ({ account, params: { key }, query: { unit } }) => {
        const { id } = await own(account, key, unit);
        const states = await store().episodes.episodesOf(id, pastAlarms);
        return { alarms: states.map((state) => pastAlarmOf(state, board().detail(state.facts.id) !== null)) };
      },
    );
    api.route(
      {
        method: "POST",
        url: "/residents/:key/consents/shown",
        tag,
        summary: "Look at who has consented, and how they were informed. The look is written down first",
        needs: "consents.write",
        params,
        body: OfDwelling,
        answer: ShownConsents,
        problems: ["which-unit"],
      },
      async ({ account, params: { key }, body: { unit } }) => {
        const dwelling = await own(account, key, unit);
        return { consents: await dwellings.showConsents(keyOf(dwelling), account.name) };
      },
    );
    api.route(
      {
        method: "POST",
        url: "/residents/:key/consents",
        tag,
        summary: "Put one person's consent on record",
        needs: "consents.write",
        params,
        body: NewConsentBody,
        answer: z.object({ id: z.string(), state: DwellingDetail.shape.consent.shape.state }),
        problems: ["which-unit", "refused"],
      },
      async ({ account, params: { key }, body: { unit, ...consent } }) => {
        const dwelling = await own(account, key, unit);
        return refusing(() => dwellings.recordConsent(keyOf(dwelling), consent, account.name));
      },
    );
    api.route(
      {
        method: "POST",
        url: "/residents/:key/consents/withdraw",
        tag,
        summary: "Put a withdrawal on record: from then on nothing is stored or judged there",
        needs: "consents.write",
        params,
        body: WithdrawBody,
        answer: z.object({ changed: z.boolean() }),
        problems: ["which-unit", "refused"],
      },
      async ({ account, params: { key }, body: { unit, consent } }) => {
        const dwelling = await own(account, key, unit);
        const whose = consent === undefined ? undefined : { id: consent };
        return refusing(async () => ({
          changed: await dwellings.withdrawConsent(keyOf(dwelling), account.name, whose),
        }));
      },
    );
  };
}
