import type { DwellingLedger } from "../blind-time/ledger.ts";
import type { EpisodeState } from "../episode-state.ts";
import type { DeviceRow, DeviceTroubleRow, Dwelling, FollowUpRow, PauseRow } from "../store/store.ts";
import { alarmsOf, followUpsOf, nurseOf } from "./handover-alarms.ts";
import { awaitingTestOf, blindOf, chargeOf, pausesOf } from "./handover-dwellings.ts";
import type { Handover } from "./handover-list.ts";
import type { ShiftWords } from "./words.ts";

// What one shift hands over to the next, from what is known. Nothing here does I/O or reads a clock.

/** What nobody has followed up is told to each shift for so long, ms. */
export const followedUpForMs = 7 * 86_400_000;

/** What is known, of all units. */
export interface HandoverData {
  /** Open, and closed in the last `followedUpForMs` before the shift. */
  episodes: readonly EpisodeState[];
  followUps: readonly FollowUpRow[];
  dwellings: readonly Dwelling[];
  devices: readonly DeviceRow[];
  /** Outages of devices that last. */
  troubles: readonly DeviceTroubleRow[];
  /** Those that run. */
  pauses: readonly PauseRow[];
  /** Blind time up to now. */
  ledgers: readonly DwellingLedger[];
}

export interface HandoverAsked {
  /** The shift, wall ms. */
  from: number;
  until: number;
  unit: string | null;
  /** Whether each line says of which unit it is. */
  namesUnits: boolean;
  /** Whether what is of this unit is told. Of no dwelling at all: everybody's. */
  sees(unit: string | null): boolean;
}

/** Who asks for what, and how it is said. */
export interface Telling extends HandoverAsked {
  words: ShiftWords;
  now: number;
  nameOf(responderId: string): string;
  /** Of the unit asked for, and one that may be seen. */
  isSeen(unit: string | null): boolean;
  /** The key number, with its unit where the list is of several. */
  where(place: { alias: string | null; unit?: string | null | undefined }): string;
  /** A time, with its day where it is neither of today nor of the shift. */
  time(at: number): string;
}

export function composeHandover(
  data: HandoverData,
  asked: HandoverAsked,
  how: { words: ShiftWords; nameOf(responderId: string): string; now: number },
): Handover {
  const { from, until, unit, namesUnits, sees } = asked;
  const { words, now } = how;
  const telling: Telling = {
    ...asked,
    ...how,
    isSeen: (of) => (unit === null || of === unit) && sees(of),
    where: ({ alias, unit: of }) => `${alias === null ? "" : words.key(alias)}${namesUnits && of ? ` (${of})` : ""}`,
    time: (at) => (words.isSameDay(at, now) || (from <= at && at < until) ? words.time(at) : words.moment(at)),
  };
  const told = data.episodes
    .filter(({ facts, openedAt }) => !facts.test && openedAt < until)
    .filter(({ facts: { place } }) => place.alias === null || telling.isSeen(place.unit ?? null))
    .toSorted((a, b) => a.facts.since - b.facts.since);
  return {
    ...{ unit, from, until, at: now },
    alarms: alarmsOf(told, telling),
    followUps: followUpsOf(told, data.followUps, telling),
    nurse: nurseOf(told, data.followUps, telling),
    charge: chargeOf(data, telling),
    pauses: pausesOf(data, telling),
    blind: blindOf(data, telling),
    awaitingTest: awaitingTestOf(data, telling),
  };
}
