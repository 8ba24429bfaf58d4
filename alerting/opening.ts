import type { Detection } from "../firmware-contracts/detection.ts";
import { chooseCode, codeRestMs } from "./codes.ts";
import type { Draws } from "./draws.ts";
import type { EpisodeFacts, Place, SignOnFacts, Trouble } from "./episode-state.ts";
import { operatorsFirstMs, type Policies } from "./policies.ts";
import type { Store } from "./store/store.ts";

/** An area in a text has at least this many dwellings, or it would tell who is meant. */
const dwellingsInNamedArea = 5;
const nowhere: Place = { alias: null, area: null, areaInTexts: false, room: null };

/** What joins repeats of one outage. */
export const troubleKey = ({ kind, subject }: Pick<Trouble, "kind" | "subject">) => `trouble:${kind}:${subject}`;
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

  const bare = { place: nowhere, detection: null, trouble: null, signOn: null, operatorsFirstMs: null };

  return {
    /** A device that is in no register still alarms: as itself. */
    async find(deviceId) {
      const found = await store.registry.device(deviceId);
      if (!found) return { dwelling: `device:${deviceId}`, place: nowhere, unit: null, isKnown: false };
      const { alias, area, room, unit, id } = found.dwelling;
      const areaInTexts = area !== null && (await store.registry.dwellingsInArea(area, unit)) >= dwellingsInNamedArea;
      const place = { alias, area, areaInTexts, room: found.device.room ?? room };
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
    ofTrouble: async (trouble, now) => ({
      ...bare,
      ...(await begun(now, true)),
      kind: "technical",
      dwelling: troubleKey(trouble),
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
