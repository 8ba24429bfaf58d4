import type { Account } from "../roles.ts";

/** Whether all of `units` are this manager's to give; null, all units, is only theirs who have all. */
export function mayGiveUnits(manager: Pick<Account, "units">, units: readonly string[] | null): boolean {
  if (manager.units === null) return true;
  return units?.every((unit) => manager.units?.includes(unit)) ?? false;
}

/** Whether an account is this manager's to manage: it sees nothing that they don't. */
export const mayManage = (manager: Account, account: Pick<Account, "units">) => mayGiveUnits(manager, account.units);
