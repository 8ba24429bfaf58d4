import type { Detection } from "../firmware-contracts/detection.ts";
import type { WelfareEvent } from "../firmware-contracts/intake.ts";
import { chooseCode, codeRestMs } from "./codes.ts";
import type { Draws } from "./draws.ts";
import type { EpisodeFacts, Place, SignOnFacts, Trouble } from "./episode-state.ts";
import { longest } from "./messages/limits.ts";
import { operatorsFirstMs, type Policies } from "./policies.ts";
import type { Dwelling, OperationTest, Store } from "./store/store.ts";
import { deviceTestKey, longestTestMs, selfTestKey } from "./test-alarm-facts.ts";
import { deviceTroubleKinds, dwellingTroubleKinds } from "./trouble-kinds.ts";
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
  /** Its device is not in operation, and why. Null: it is, or it is in no register. */
  notInOperation: "awaiting-test" | "in-store" | null;
  /** It is the self-test's device. */
  isSelfTest: boolean;
}

/** Makes what an episode begins with. */
export interface Opening {
  find(deviceId: string): Promise<Whereabouts>;
  ofDetection(detection: Detection, where: Whereabouts, now: number): Promise<EpisodeFacts>;
  /** How long operators would have this alarm to themselves, ms; null where it goes to staff at once. */
  operatorsFirst(detection: Detection, where: Whereabouts, now: number): Promise<number | null>;
  /** A test alarm of a device that awaits one. */
  ofDeviceTest(detection: Detection, where: Whereabouts, test: OperationTest, now: number): Promise<EpisodeFacts>;
  /** The self-test's alarm; `runId` is the test's own id, and it is awaited for so long. */
  ofSelfTest(detection: Detection, runId: string, forMs: number, now: number): Promise<EpisodeFacts>;
  ofWelfare(event: WelfareEvent, dwelling: Dwelling, now: number): Promise<EpisodeFacts>;
  ofTrouble(trouble: Trouble, now: number): Promise<EpisodeFacts>;
  ofSignOn(signOn: SignOnFacts, now: number): Promise<EpisodeFacts>;
}

/**
 * How long operators have an alarm to themselves, ms; null where it goes to staff at once.
 * @param since since when the dwelling is in the register
 */
export function operatorsFirstFor(
  policies: Policies,
  { kind, strength, test }: Pick<Detection, "kind" | "strength" | "test">,
  { unit, notInOperation }: Pick<Whereabouts, "unit" | "notInOperation">,
  since: number | null,
  now: number,
): number | null {
  if (test) return null;
  if (notInOperation === "in-store") return policies.notInOperationMs;
  if (kind !== "fall") return null;
  if (notInOperation !== null) return policies.notInOperationMs;
  if (strength !== "medium") return null;
  const isNew = since !== null && now - since < policies.forAlarm(kind, unit).operatorsFirstForMs;
  return isNew ? operatorsFirstMs : null;
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
    return { alias, area, areaInTexts, room: inRoom ?? room, unit };
  }

  /** What a technical alarm about a dwelling's sensors says of where: staff know it by its key. */
  async function placeOfTrouble({ kind, subject }: Trouble): Promise<Place> {
    if (deviceTroubleKinds.includes(kind)) {
      const found = await store.registry.device(subject);
      return found?.dwelling ? placeOf(found.dwelling, found.device.room) : nowhere;
    }
    const dwelling = dwellingTroubleKinds.includes(kind) ? await store.registry.dwelling(subject) : null;
    return dwelling ? placeOf(dwelling, null) : nowhere;
  }

  const bare = { place: nowhere, detection: null, trouble: null, signOn: null, operatorsFirstMs: null };

  /** What the register says of the dwelling's own terms. */
  const termsOf = ({ dwelling, isKnown }: Whereabouts) =>
    isKnown ? store.registry.dwellingTerms(dwelling) : { since: null, arriveMinutes: null };

  /** What every alarm of a device begins with. */
  const ofDevice = (detection: Detection, { dwelling, place }: Pick<Whereabouts, "dwelling" | "place">) => {
    const { evidence: _evidence, model: _model, ...rest } = detection;
    return { ...bare, dwelling, place, since: detection.impactAt, detection: rest };
  };

  return {
    operatorsFirst: async (detection, where, now) =>
      operatorsFirstFor(policies, detection, where, (await termsOf(where)).since, now),
    /** A device that is in no register still alarms: as itself. */
    async find(deviceId) {
      const found = await store.registry.device(deviceId);
      const itself = { dwelling: `device:${deviceId}`, place: nowhere, unit: null, isKnown: false };
      if (!found) return { ...itself, notInOperation: null, isSelfTest: false };
      const { device, dwelling } = found;
      const { state } = device.operation;
      if (device.isSelfTest) return { ...itself, notInOperation: null, isSelfTest: true };
      if (!dwelling || state === "in-store") return { ...itself, notInOperation: "in-store", isSelfTest: false };
      const place = await placeOf(dwelling, device.room);
      const notInOperation = state === "in-operation" ? null : state;
      return { dwelling: dwelling.id, place, unit: dwelling.unit, isKnown: true, notInOperation, isSelfTest: false };
    },
    async ofDetection(detection, where, now) {
      const { unit, notInOperation } = where;
      const { kind, test } = detection;
      const { policy } = policies.forAlarm(kind, unit);
      const { since, arriveMinutes } = await termsOf(where);
      return {
        ...ofDevice(detection, where),
        ...(await begun(now, test)),
        kind,
        test,
        ...(notInOperation === null || test ? {} : { notInOperation }),
        policy: arriveMinutes === null ? policy : { ...policy, arriveWithinMs: arriveMinutes * 60_000 },
        operatorsFirstMs: operatorsFirstFor(policies, detection, where, since, now),
      };
    },
    async ofDeviceTest(detection, where, { id, deviceId, responderId, untilAt }, now) {
      // The clock may be another's by now: it is never awaited longer than a test was ever meant to be.
      const until = Math.min(untilAt, now + longestTestMs);
      return {
        ...ofDevice(detection, where),
        ...(await begun(now, true)),
        kind: "test",
        dwelling: deviceTestKey(where.dwelling, deviceId),
        test: true,
        testAlarm: { purpose: "device", id, until },
        policy: policies.forTest(responderId, where.unit, longestTestMs),
      };
    },
    async ofSelfTest(detection, runId, forMs, now) {
      return {
        ...ofDevice(detection, { dwelling: selfTestKey(detection.deviceId), place: nowhere }),
        ...(await begun(now, true)),
        kind: "test",
        test: true,
        testAlarm: { purpose: "chain", id: runId, until: Math.round(now + Math.min(forMs, longestTestMs)) },
        policy: policies.forTest(null, null, longestTestMs),
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
