import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { type ConsentState, longestPauseMs, PauseReason } from "../../firmware-contracts/intake.ts";
import type {
  ConsentLack,
  ConsentWhose,
  DoneAct,
  Dwelling,
  Household,
  ShownConsent,
  Store,
  Via,
} from "../store/store.ts";
import { actOf } from "./acting.ts";

/** The dwelling that a key number stands for; `unit` where several units use the number, null for one that is in no unit. */
export interface DwellingKey {
  key: string;
  unit?: string | null | undefined;
}

export interface ListedConsent {
  key: string;
  unit: string | null;
  state: ConsentState;
  /** Wall time, ms, and who vouched for it or took note of the withdrawal; null where it is missing. */
  at: number | null;
  by: string | null;
  /** Each who lives there is on record; else somebody vouched for all of them. */
  isRecorded: boolean;
  /** Persons on record. */
  records: number;
  /** The first of the days on which one is to be reviewed, wall ms, or null; and whether that is past. It changes nothing by itself. */
  reviewAt: number | null;
  isReviewDue: boolean;
}

const words = (what: string, least: number, most: number) =>
  z
    .string({ error: `${what}: say it` })
    .trim()
    .min(least, `${what}: at least ${least} characters`)
    .max(most, `${what}: at most ${most} characters`)
    .regex(/^\P{C}*$/u, `${what}: letters, digits and punctuation only`);

/** The longest until a consent is reviewed, ms: five years. */
const longestReviewMs = 5 * 365 * 86_400_000;

/** One person's consent as it is taken down. */
export const NewConsent = z.strictObject({
  person: z.enum(["resident", "other"], { error: "whose: resident, or other who lives there" }),
  giver: words("giver", 2, 120).meta({ description: "Who gave it: the person it is about, and nobody else" }),
  how: words("how", 3, 300).meta({ description: "How they were informed, and by whom" }),
  givenAt: z.number().int().optional().meta({ description: "When, wall ms; left out: now" }),
  reviewAt: z.number().int().meta({ description: "When it is to be asked about again, wall ms" }),
});
export type NewConsent = z.infer<typeof NewConsent>;

/** A pause is so long, or until then (wall ms); either of them. */
export interface NewPause {
  minutes?: number | undefined;
  until?: number | undefined;
  reason: PauseReason;
  by: string;
  /** The press that asks for it: the same one begins no second. */
  source?: string | undefined;
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
  /**
   * Puts one person's consent on record, as `by` takes it down. The dwelling's is given once the resident's, and that of each other who lives there, is;
   * what is lacking is returned.
   * @throws with the mend where a value is wrong, or whoever takes it down gives it.
   */
  recordConsent(
    dwelling: DwellingKey,
    consent: NewConsent,
    by: string,
  ): Promise<{ id: string; lacking: ConsentLack[]; state: ConsentState }>;
  /**
   * One of them has withdrawn it: nothing is stored or judged any more. Of `whose`, where it is said: what others gave stays on record.
   * Returns false where that was on record already. @throws where `whose` names one that is not on record here.
   */
  withdrawConsent(dwelling: DwellingKey, by: string, whose?: ConsentWhose): Promise<boolean>;
  consents(): Promise<ListedConsent[]>;
  /** Opens who has given theirs, and how they were informed; the look-up is written down first. */
  showConsents(dwelling: DwellingKey, by: string): Promise<ShownConsent[]>;
  /**
   * Holds watching from now, instead of a pause that may be running. The help button pages all the while. Null where the same press has begun one already.
   * @throws where it is longer than 30 days, or does not say how long.
   */
  pause(dwelling: DwellingKey, pause: NewPause & { source?: undefined }): Promise<ListedPause>;
  pause(dwelling: DwellingKey, pause: NewPause): Promise<ListedPause | null>;
  /** Ends a pause before its time. Returns false where none was running. */
  endPause(dwelling: DwellingKey, by?: string): Promise<boolean>;
  /** Those that are running. */
  pauses(): Promise<ListedPause[]>;
  /** The dwelling of a key number among those of which `isOwn` says so. @throws with the mend where none has it, or several have. */
  find(dwelling: DwellingKey, isOwn?: (unit: string | null) => boolean): Promise<Dwelling>;
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

/** The dwellings of a key number: one where `unit` is said, else as many as there are units that use it. Only those of which `isOwn` says so. */
export async function dwellingsWith(
  store: Pick<Store, "registry">,
  { key, unit }: DwellingKey,
  isOwn: (unit: string | null) => boolean = () => true,
): Promise<Dwelling[]> {
  const alias = key.trim().toLowerCase();
  return (await store.registry.dwellings()).filter(
    (one) => one.alias.toLowerCase() === alias && (unit === undefined || one.unit === unit) && isOwn(one.unit),
  );
}

/** @throws with the mend where no dwelling has this key, or several have. */
export async function findDwelling(
  store: Pick<Store, "registry">,
  dwelling: DwellingKey,
  isOwn?: (unit: string | null) => boolean,
): Promise<Dwelling> {
  const { key, unit } = dwelling;
  const found = await dwellingsWith(store, dwelling, isOwn);
  const [only, other] = found;
  if (!only) {
    const where = unit === undefined ? "" : unit === null ? " in no unit" : ` in the unit ${unit}`;
    throw new Error(`no dwelling has the key ${key}${where}; see fallvakt device list`);
  }
  if (other) {
    const units = found.map((one) => one.unit ?? "none").join(", ");
    throw new Error(`key ${key} is in several units (${units}); say which with --unit`);
  }
  return only;
}

function endOf(from: number, minutes: number | undefined, until: number | undefined): number {
  if ((minutes === undefined) === (until === undefined)) throw new Error("say either minutes or until when");
  if (until !== undefined) {
    if (until > from && until <= from + longestPauseMs) return Math.round(until);
    throw new Error("until: a time to come, within 30 days; whoever is away for longer is paused again before it ends");
  }
  if (minutes !== undefined && Number.isInteger(minutes) && minutes >= 1 && minutes <= longestMinutes) {
    return from + minutes * 60_000;
  }
  throw new Error(`minutes: a whole number from 1 to ${longestMinutes} (30 days)`);
}

export function createDwellings(store: () => Store, clock: Clock, via: Via = "cli"): Dwellings {
  const find = (dwelling: DwellingKey) => findDwelling(store(), dwelling);
  const done = (by: string): DoneAct & { by: string } => {
    const act = actOf(clock, by);
    return { at: act.at, by: act.by ?? by, via };
  };

  return {
    giveConsent: async (dwelling, by) =>
      store().watching.putConsent((await find(dwelling)).id, "given", actOf(clock, by)),
    async recordConsent(dwelling, consent, by) {
      const act = done(by);
      const checked = NewConsent.safeParse(consent);
      if (!checked.success) throw new Error(checked.error.issues.map(({ message }) => message).join("; "));
      const { giver, givenAt = act.at, reviewAt } = checked.data;
      if (giver.toLowerCase() === act.by.toLowerCase()) {
        throw new Error("giver: nobody consents for another. Name who lives there, and with --by who takes it down");
      }
      if (givenAt > act.at) throw new Error("date: a consent that was given, not one that will be");
      if (reviewAt <= act.at || reviewAt > givenAt + longestReviewMs) {
        throw new Error("review: a day to come, five years after it was given at the latest");
      }
      const { id } = await find(dwelling);
      const recorded = await store().watching.recordConsent(id, { ...checked.data, givenAt }, act);
      const now = (await store().watching.consents()).find(({ dwellingId }) => dwellingId === id);
      return { ...recorded, state: now?.state ?? "missing" };
    },
    withdrawConsent: async (dwelling, by, whose) =>
      store().watching.withdrawConsent((await find(dwelling)).id, whose ?? null, done(by)),
    async consents() {
      const now = clock.wallNow();
      return (await store().watching.consents()).map(({ dwellingId: _, alias, ...row }) => ({
        key: alias,
        ...row,
        isReviewDue: row.reviewAt !== null && row.reviewAt <= now,
      }));
    },
    showConsents: async (dwelling, by) => store().watching.showConsents((await find(dwelling)).id, done(by)),
    async pause(dwelling: DwellingKey, { minutes, until, reason, by, source }: NewPause): Promise<ListedPause> {
      if (!PauseReason.safeParse(reason).success) {
        throw new Error(`reason: one of ${PauseReason.options.join(", ")}`);
      }
      const act = done(by);
      const pause = { from: act.at, until: endOf(act.at, minutes, until), reason };
      const { id, alias, unit } = await find(dwelling);
      const isNew = await store().watching.putPause(id, pause, act, source);
      return (isNew ? { key: alias, unit, ...pause, by: act.by } : null) as ListedPause;
    },
    endPause: async (dwelling, by) =>
      store().watching.endPause((await find(dwelling)).id, { ...actOf(clock, by), via }),
    async setArriveMinutes(dwelling, minutes) {
      if (minutes !== null && !(Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440)) {
        throw new Error("minutes: a whole number from 1 to 1440 (a day)");
      }
      await store().registry.setArriveMinutes((await find(dwelling)).id, minutes);
    },
    setHousehold: async (dwelling, household, by) =>
      store().registry.setHousehold((await find(dwelling)).id, household, done(by)),
    find: (dwelling, isOwn) => findDwelling(store(), dwelling, isOwn),
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
