import type { Detection } from "../firmware-contracts/detection.ts";
import type { WelfareEvent } from "../firmware-contracts/intake.ts";
import { chooseCode, codeRestMs } from "./codes.ts";
import { deviceTroubleKinds } from "./device-trouble-kinds.ts";
import type { Draws } from "./draws.ts";
import type { EpisodeFacts, Place, SignOnFacts, Trouble } from "./episode-state.ts";
import { longest } from "./messages/limits.ts";
import { operatorsFirstMs, type Policies } from "./policies.ts";
import type { Dwelling, Store } from "./store/store.ts";
import { troubleKey, welfareEpisodeId, welfareKey } from "./welfare-keys.ts";

/** An area in a text has at least this many dwellings, or it would tell who is meant. */
const dwellingsInNamedArea = 5;
const nowhere: Place = { alias: null, area: null, areaInTexts: false, room: null };

/** What joins the sign-ons of one phone: it has one at a time. */
export const signOnKey = (responderId: string) => `sign-on:${responderId}`;

/** Where a device is, and what joins its alarms. */
export interface Whereabouts {
  dwelling: string;
  place: Place;
  unit: string | null;
  isKnown: boolean;
}

/** Makes what an episode begins with. */
export interface Opening {
  find(deviceId: string): Promise<Whereabouts>;
  ofDetection(detection: Detection, where: Whereabouts, now: number): Promise<EpisodeFacts>;
  ofWelfare(event: WelfareEvent, dwelling: Dwelling, now: number): Promise<EpisodeFacts>;
  ofTrouble(trouble: Trouble, now: number): Promise<EpisodeFacts>;
  ofSignOn(signOn: SignOnFacts, now: number): Promise<EpisodeFacts>;
}

export function createOpening(options: { store: Store; policies: Policies; draws: Draws }): Opening {
  const { store, policies, draws } = options;

  async function begun(now: number, marked: boolean): Promise<Pick<EpisodeFacts, "id" | "code">> {
    const used = await store.episodes.usedCodes(now - codeRestMs);
    // A code shared with another open alarm would be ambiguous, and the store refuses it: the id's own digits are the last resort.
    const code =
      chooseCode(used, now, draws.fraction(), marked) ?? String(Math.floor((0.1 + 0.9 * draws.fraction()) * 1e9));
    return { id: `e${draws.id()}`, code };
  }

  /** A dwelling, and the room in it where that is told. */
  async function placeOf({ alias, area, room, unit }: Dwelling, inRoom: string | null): Promise<Place> {
    const areaInTexts = area !== null && (await store.registry.dwellingsInArea(area, unit)) >= dwellingsInNamedArea;
    return { alias, area, areaInTexts, room: inRoom ?? room };
  }

  /** What a technical alarm about a dwelling's sensors says of where: staff know it by its key. */
  async function placeOfTrouble({ kind, subject }: Trouble): Promise<Place> {
    if (deviceTroubleKinds.includes(kind)) {
      const found = await store.registry.device(subject);
      return found ? placeOf(found.dwelling, found.device.room) : nowhere;
    }
    const dwelling = kind === "presence-unheard" ? await store.registry.dwelling(subject) : null;
    return dwelling ? placeOf(dwelling, null) : nowhere;
  }

  const bare = { place: nowhere, detection: null, trouble: null, signOn: null, operatorsFirstMs: null };

  return {
    /** A device that is in no register still alarms: as itself. */
    async find(deviceId) {
      const found = await store.registry.device(deviceId);
      if (!found) return { dwelling: `device:${deviceId}`, place: nowhere, unit: null, isKnown: false };
      const { unit, id } = found.dwelling;
      const place = await placeOf(found.dwelling, found.device.room);
      return { dwelling: id, place, unit, isKnown: true };
    },
    async ofDetection(detection, { dwelling, place, unit, isKnown }, now) {
      const { evidence: _evidence, model: _model, ...rest } = detection;
      const { kind, test, strength, impactAt } = detection;
      const { policy, operatorsFirstForMs } = policies.forAlarm(kind, unit);
      const { since, arriveMinutes } = isKnown
        ? await store.registry.dwellingTerms(dwelling)
        : { since: null, arriveMinutes: null };
      const isNew = since !== null && now - since < operatorsFirstForMs;
      return {
        ...bare,
        ...(await begun(now, test)),
        kind,
        dwelling,
        place,
        test,
        since: impactAt,
        detection: rest,
        policy: arriveMinutes === null ? policy : { ...policy, arriveWithinMs: arriveMinutes * 60_000 },
        operatorsFirstMs: isNew && kind === "fall" && strength === "medium" && !test ? operatorsFirstMs : null,
      };
    },
    async ofWelfare({ id, at, since, limitMinutes, room }, dwelling, now) {
      const { policy } = policies.forAlarm("welfare", dwelling.unit);
      const { arriveMinutes } = await store.registry.dwellingTerms(dwelling.id);
      return {
        ...bare,
        ...(await begun(now, false)),
        id: welfareEpisodeId(id),
        kind: "welfare",
        dwelling: welfareKey(dwelling.id),
        place: await placeOf(dwelling, room?.slice(0, longest.room) ?? null),
        test: false,
        since: since ?? at,
        limitMinutes: limitMinutes ?? null,
        policy: arriveMinutes === null ? policy : { ...policy, arriveWithinMs: arriveMinutes * 60_000 },
      };
    },
    ofTrouble: async (trouble, now) => ({
      ...bare,
      ...(await begun(now, true)),
      kind: "technical",
      dwelling: troubleKey(trouble),
      place: await placeOfTrouble(trouble),
      test: false,
      since: trouble.since,
      trouble,
      policy: policies.technical,
    }),
    ofSignOn: async (signOn, now) => ({
      ...bare,
      ...(await begun(now, true)),
      kind: "sign-on",
      dwelling: signOnKey(signOn.responderId),
      test: true,
      since: signOn.startsAt,
      signOn,
      policy: policies.forSignOn(signOn.responderId),
    }),
  };
}
