import type { Clock } from "../../firmware-contracts/clock.ts";
import { type ConsentState, longestPauseMs, PauseReason } from "../../firmware-contracts/intake.ts";
import type { Dwelling, Household, Store } from "../store/store.ts";
import { actOf } from "./acting.ts";

/** The dwelling that a key number stands for; `unit` where several units use the number. */
export interface DwellingKey {
  key: string;
  unit?: string | undefined;
}

export interface ListedConsent {
  key: string;
  unit: string | null;
  state: ConsentState;
  /** Wall time, ms, and who vouched for it or took note of the withdrawal; null where it is missing. */
  at: number | null;
  by: string | null;
}

export interface ListedPause {
  key: string;
  unit: string | null;
  /** Wall times, ms. */
  from: number;
  until: number;
  reason: PauseReason;
  by: string;
}

/** Whether dwellings may be watched: consents and pauses. Gateways follow within seconds. */
export interface Dwellings {
  /**
   * The resident, and whoever lives there, has consented, as `by` vouches. Returns false where that was on record already.
   * @throws with the mend where no dwelling has this key.
   */
  giveConsent(dwelling: DwellingKey, by: string): Promise<boolean>;
  /** One of them has withdrawn it: nothing is stored or judged any more. Returns false where that was on record already. */
  withdrawConsent(dwelling: DwellingKey, by: string): Promise<boolean>;
  consents(): Promise<ListedConsent[]>;
  /**
   * Holds watching for `minutes` from now, instead of a pause that may be running. The help button pages all the while.
   * @throws where it is longer than 30 days.
   */
  pause(dwelling: DwellingKey, pause: { minutes: number; reason: PauseReason; by: string }): Promise<ListedPause>;
  /** Ends a pause before its time. Returns false where none was running. */
  endPause(dwelling: DwellingKey, by?: string): Promise<boolean>;
  /** Those that are running. */
  pauses(): Promise<ListedPause[]>;
  /**
   * How long whoever takes an alarm here may be on the way, from the next alarm on: a boat trip is not 30 min. Null: as the policy says.
   * @throws where it is not from 1 to 1440 min.
   */
  setArriveMinutes(dwelling: DwellingKey, minutes: number | null): Promise<void>;
  /**
   * Says whether the resident lives alone or with others; null: nobody knows. Where it is `alone`, presence sensors may count for and against a fall.
   * Two residents in the register are never alone, whatever was said. Returns false where that was on record already.
   */
  setHousehold(dwelling: DwellingKey, household: Household | null, by: string): Promise<boolean>;
}

const longestMinutes = longestPauseMs / 60_000;

/** @throws with the mend where no dwelling has this key, or several have. */
export async function findDwelling(store: Store, { key, unit }: DwellingKey): Promise<Dwelling> {
  const all = await store.registry.dwellings();
  const found = all.filter(
    (one) => one.alias.toLowerCase() === key.trim().toLowerCase() && (unit === undefined || one.unit === unit),
  );
  const [only, other] = found;
  if (!only) {
    const where = unit === undefined ? "" : ` in the unit ${unit}`;
    throw new Error(`no dwelling has the key ${key}${where}; see fallvakt device list`);
  }
  if (other) {
    const units = found.map((one) => one.unit ?? "none").join(", ");
    throw new Error(`key ${key} is in several units (${units}); say which with --unit`);
  }
  return only;
}

export function createDwellings(store: () => Store, clock: Clock): Dwellings {
  const find = (dwelling: DwellingKey) => findDwelling(store(), dwelling);

  return {
    giveConsent: async (dwelling, by) =>
      store().watching.putConsent((await find(dwelling)).id, "given", actOf(clock, by)),
    withdrawConsent: async (dwelling, by) =>
      store().watching.putConsent((await find(dwelling)).id, "withdrawn", actOf(clock, by)),
    consents: async () =>
      (await store().watching.consents()).map(({ alias, unit, state, at, by }) => ({
        key: alias,
        unit,
        state,
        at,
        by,
      })),
    async pause(dwelling, { minutes, reason, by }) {
      if (!(Number.isInteger(minutes) && minutes >= 1 && minutes <= longestMinutes)) {
        throw new Error(`minutes: a whole number from 1 to ${longestMinutes} (30 days)`);
      }
      if (!PauseReason.safeParse(reason).success) {
        throw new Error(`reason: one of ${PauseReason.options.join(", ")}`);
      }
      const { id, alias, unit } = await find(dwelling);
      const done = actOf(clock, by);
      const pause = { from: done.at, until: done.at + minutes * 60_000, reason };
      await store().watching.putPause(id, pause, done);
      return { key: alias, unit, ...pause, by: done.by ?? "" };
    },
    endPause: async (dwelling, by) => store().watching.endPause((await find(dwelling)).id, actOf(clock, by)),
    async setArriveMinutes(dwelling, minutes) {
      if (minutes !== null && !(Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440)) {
        throw new Error("minutes: a whole number from 1 to 1440 (a day)");
      }
      await store().registry.setArriveMinutes((await find(dwelling)).id, minutes);
    },
    setHousehold: async (dwelling, household, by) =>
      store().registry.setHousehold((await find(dwelling)).id, household, actOf(clock, by)),
    pauses: async () =>
      (await store().watching.pauses(Math.round(clock.wallNow()))).map(({ alias, unit, from, until, reason, by }) => ({
        key: alias,
        unit,
        from,
        until,
        reason,
        by,
      })),
  };
}
