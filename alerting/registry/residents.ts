import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { PhoneNumber } from "../config.ts";
import type { DoneAct, LookContext, ResidentRow, Store, Via } from "../store/store.ts";
import { actOf } from "./acting.ts";
import { type DwellingKey, findDwelling } from "./dwellings.ts";
import { ResidentFlag } from "./resident-flags.ts";

const text = (most: number) => z.string().trim().min(1, "leave it out or give it a value").max(most);

/** What staff must know of a resident at the door, and whom they call. */
export const NewResident = z
  .strictObject({
    name: text(120).meta({ description: "The resident's name" }),
    address: text(300).optional().meta({ description: "Street, stairwell, floor" }),
    keyCode: text(60).optional().meta({ description: "Code of the door or of the key box" }),
    route: text(1000).optional().meta({ description: "The way there and how the door opens" }),
    contacts: z
      .array(z.strictObject({ name: text(120), phone: PhoneNumber }))
      .max(10)
      .default([])
      .meta({ description: "Whom staff call, in order" }),
    flags: z
      .array(ResidentFlag)
      .transform((flags) => ResidentFlag.options.filter((flag) => flags.includes(flag)))
      .default([])
      .meta({ description: "What whoever goes there must know before the door opens" }),
    note: text(300).optional().meta({ description: "Of that, what no flag says" }),
  })
  .meta({ id: "NewResident" });
export type NewResident = z.input<typeof NewResident>;

export interface ListedResidents {
  key: string;
  unit: string | null;
  residents: number;
}

/** Residents. What is known of them is sealed, and each look-up is written down before it is answered. */
export interface Residents {
  /**
   * Adds a resident to a dwelling, or puts one in the place of another, `replaces`. Returns the id.
   * @throws with the mend where no dwelling has the key, or a value is wrong.
   */
  add(dwelling: DwellingKey, resident: NewResident, by: string, replaces?: string): Promise<{ id: string }>;
  /** Opens what is known of a dwelling's residents. */
  show(dwelling: DwellingKey, by: string, context?: LookContext): Promise<ResidentRow[]>;
  /** Key numbers, and how many residents each has. */
  list(): Promise<ListedResidents[]>;
}

export function createResidents(store: () => Store, clock: Clock, via: Via): Residents {
  const done = (by: string): DoneAct => ({ ...actOf(clock, by), via });

  return {
    async add(dwelling, resident, by, replaces) {
      const checked = NewResident.safeParse(resident);
      if (!checked.success) {
        throw new Error(
          checked.error.issues.map((issue) => `${issue.path.join(".") || "resident"}: ${issue.message}`).join("; "),
        );
      }
      const act = done(by);
      const { id: dwellingId, alias } = await findDwelling(store(), dwelling);
      const id = `r${randomUUID().replaceAll("-", "").slice(0, 12)}`;
      if (!(await store().residents.put(dwellingId, id, checked.data, replaces ?? null, act))) {
        throw new Error(`key ${alias} has no resident ${replaces}; fallvakt resident show tells their ids`);
      }
      return { id };
    },
    async show(dwelling, by, context) {
      const act = done(by);
      return store().residents.lookUp((await findDwelling(store(), dwelling)).id, act, context);
    },
    async list() {
      const dwellings = new Map((await store().registry.dwellings()).map((dwelling) => [dwelling.id, dwelling]));
      return (await store().residents.counts()).map(({ dwellingId, residents }) => {
        const dwelling = dwellings.get(dwellingId);
        return { key: dwelling?.alias ?? "", unit: dwelling?.unit ?? null, residents };
      });
    },
  };
}
