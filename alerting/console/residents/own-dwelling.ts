import { z } from "zod";
import { dwellingsWith } from "../../registry/dwellings.ts";
import type { Dwelling, Store } from "../../store/store.ts";
import { notFound, Refusal } from "../problems.ts";
import { type Account, maySeeUnit } from "../roles.ts";

/** The unit beside a key number, where several units use it; empty: the dwelling that is in none. */
export const UnitOfKey = z
  .string()
  .trim()
  .max(60)
  .optional()
  .meta({ description: "The unit, where key numbers repeat; empty: in no unit" });

export const DwellingParams = z.object({ key: z.string().trim().min(1).max(60) });
export const DwellingQuery = z.object({ unit: UnitOfKey });

/**
 * The dwelling of a key number among those that this account may see. Another unit's is as one that is not there: nobody learns which.
 * @throws a `Refusal` where there is none, or several of the account's own units use the number.
 */
export async function ownDwelling(
  store: Pick<Store, "registry">,
  account: Account,
  { key, unit }: { key: string; unit?: string | undefined },
): Promise<Dwelling> {
  const wanted = { key, unit: unit === "" ? null : unit };
  const [only, other] = await dwellingsWith(store, wanted, (one) => maySeeUnit(account, one));
  if (!only) throw notFound("dwelling");
  if (other) throw new Refusal(409, "which-unit", "Several units use this key number; say which with unit=");
  return only;
}
