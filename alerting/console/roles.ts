import { z } from "zod";

/** What an account is for. One account has one role; whoever has two jobs has two accounts, and the audit log tells which was at work. */
export const Role = z
  .enum(["responder", "operator", "installer", "manager", "auditor"])
  .meta({ id: "Role", description: "What an account is for" });
export type Role = z.infer<typeof Role>;

/** What somebody may do. Every address of the API asks for one, and a token has some of them as its scopes. */
export const Permission = z
  .enum([
    "episodes.read",
    "episodes.act",
    "residents.read",
    "residents.sheet",
    "residents.write",
    "consents.write",
    "pauses.write",
    "devices.read",
    "devices.write",
    "shift.read",
    "shift.write",
    "rota.read",
    "rota.write",
    "policies.read",
    "accounts.write",
    "audit.read",
  ])
  .meta({ id: "Permission", description: "What somebody may do" });
export type Permission = z.infer<typeof Permission>;

/**
 * Least privilege: an installer sees devices and no resident's sheet, an auditor sees who looked at what and not what they saw,
 * and only who goes there or works the console acts on an alarm.
 */
const permissionsOfRole: Record<Role, readonly Permission[]> = {
  responder: [
    "episodes.read",
    "episodes.act",
    "residents.read",
    "residents.sheet",
    "pauses.write",
    "devices.read",
    "shift.read",
    "shift.write",
    "rota.read",
  ],
  operator: [
    "episodes.read",
    "episodes.act",
    "residents.read",
    "residents.sheet",
    "residents.write",
    "consents.write",
    "pauses.write",
    "devices.read",
    "devices.write",
    "shift.read",
    "shift.write",
    "rota.read",
    "rota.write",
    "policies.read",
  ],
  installer: ["residents.read", "devices.read", "devices.write"],
  manager: [
    "episodes.read",
    "residents.read",
    "residents.sheet",
    "residents.write",
    "consents.write",
    "pauses.write",
    "devices.read",
    "shift.read",
    "shift.write",
    "rota.read",
    "rota.write",
    "policies.read",
    "accounts.write",
    "audit.read",
  ],
  auditor: ["audit.read"],
};

/** Who did something, for the record. */
export interface ConsoleUser {
  name: string;
  role: Role;
  /** Of a program's token: what it may do at most; left out: all that the role may. */
  scopes?: readonly Permission[];
}

/** Whoever is at the console. */
export interface Account extends ConsoleUser {
  /** Home-care units whose residents they may see; null: all of them. */
  units: readonly string[] | null;
}

export function permissionsOf({ role, scopes }: ConsoleUser): readonly Permission[] {
  const ofRole = permissionsOfRole[role];
  return scopes ? ofRole.filter((permission) => scopes.includes(permission)) : ofRole;
}

export function may(user: ConsoleUser, permission: Permission): boolean {
  return permissionsOf(user).includes(permission);
}

/** Whether a resident or device of that unit is this account's to see; what is in no unit is only theirs who see all. */
export function maySeeUnit({ units }: Account, unit: string | null): boolean {
  return units === null || (unit !== null && units.includes(unit));
}

/** Whether a rota or a policy of that unit is this account's to see; one of no unit is for all of them, and says nothing of a resident. */
export function maySeeShared(account: Account, { unit }: { unit?: string | undefined }): boolean {
  return unit === undefined || maySeeUnit(account, unit);
}

/** Whether an episode is this account's to see. One of no dwelling, such as a gateway that is lost, says nothing of a resident and is everybody's. */
export function maySeeEpisode(
  account: Account,
  { unit, ofDwelling }: { unit: string | null; ofDwelling: boolean },
): boolean {
  return maySeeUnit(account, unit) || !ofDwelling;
}
