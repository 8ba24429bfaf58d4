import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { Placement } from "../../firmware-contracts/detection.ts";
import { type ConsentState, type Control, thresholdBounds } from "../../firmware-contracts/intake.ts";
import { hashSecret, newSecret } from "../../firmware-contracts/secret.ts";
import { DeviceId } from "../../firmware-contracts/topics.ts";
import { isGsm7 } from "../messages/gsm7.ts";
import { longest } from "../messages/limits.ts";
import type {
  DeviceAddition,
  Dwelling,
  Operation,
  Store,
  ThresholdGrounds,
  ThresholdVersion,
  Via,
} from "../store/store.ts";
import { ActingPerson, actOf } from "./acting.ts";
import { areSimilar } from "./aliases.ts";
import { readDeviceCsv } from "./csv.ts";

const shown = (what: string, most: number) =>
  z
    .string()
    .trim()
    .min(1, `${what}: leave it out or give it a value`)
    .max(most, `${what}: at most ${most} characters, so that a page fits in one SMS`)
    .refine(isGsm7, `${what}: use letters an SMS can hold (a–z, å ä ö é ü …, digits)`);

/** How long a replaced secret stays valid where its successor is not used, days. */
export const rotationDays = 30;

/** A device to be added, and the dwelling it is in. */
export const NewDevice = z.strictObject({
  deviceId: DeviceId,
  placement: Placement,
  key: shown("key", longest.alias).meta({ description: "The dwelling's key number, as staff know it" }),
  area: shown("area", longest.area).optional(),
  room: shown("room", longest.room).optional(),
  unit: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .optional()
    .meta({ description: "Home-care unit; key numbers are unique in one" }),
  consentBy: ActingPerson.optional().meta({
    description:
      "Who vouches that the resident, and whoever lives there, has consented; without it falls raise no alarm",
  }),
  leadsOut: z
    .union([z.boolean(), z.stringbool({ truthy: ["yes", "true", "1"], falsy: ["no", "false", "0"] })], {
      error: "yes or no",
    })
    .optional()
    .meta({ description: "A contact at a door that leads out of the dwelling" }),
});
export type NewDevice = z.infer<typeof NewDevice>;

/** Why something is done, in somebody's own words. */
const Reason = z
  .string()
  .trim()
  .min(1, "leave it out or say it")
  .max(200, "at most 200 characters")
  .regex(/^\P{C}*$/u, "letters, digits and punctuation only: it is printed in lists")
  .optional();

export interface AddOptions {
  /** For simulated fleets only: aliases that a tired person takes for one another are let through. */
  allowSimilarAliases?: boolean;
  /** Who adds them, for the history. */
  by?: string | undefined;
  /** Who puts them into operation at once, and why: of a simulated or a moved fleet. Else each awaits its test alarm. */
  inOperation?: { by: string; reason: string } | undefined;
}

/** A device's secret is shown once, here; the register keeps a hash. */
export interface NewSecret {
  deviceId: string;
  secret: string;
}

export interface AddedDevice extends NewSecret {
  /** Its dwelling's. Falls raise an alarm only where it is given. */
  consent: ConsentState;
}

export interface ListedDevice {
  deviceId: string;
  placement: Placement;
  key: string;
  area: string | null;
  room: string | null;
  unit: string | null;
  revoked: boolean;
  lastSeenAt: number | null;
  online: boolean | null;
  battery: number | null;
  /** Its dwelling's. */
  consent: ConsentState;
  /** When its dwelling's pause ends, wall time ms, or null where none is running. */
  pausedUntil: number | null;
  /** The device's own threshold, or null where the model's is in force. */
  threshold: number | null;
  /** A contact at a door that leads out. */
  leadsOut: boolean;
  /** Staff's: pressed, it says that staff are in the dwelling. */
  staffTag: boolean;
  /** Whether its alarms call staff to its dwelling, since when, and by whom. */
  operation: Operation;
  /** The self-test's own: its alarms are tests. */
  isSelfTest: boolean;
}

/** A key number that staff could take for another, or that stands for a dwelling already. */
export class KeyClash extends Error {
  readonly kind: "key-taken" | "key-too-like";
  constructor(kind: KeyClash["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A dwelling that has no device yet. */
export const NewDwelling = NewDevice.pick({ key: true, area: true, room: true, unit: true });
export type NewDwelling = z.infer<typeof NewDwelling>;

/** Dwellings and their devices. */
export interface Registry {
  /** @throws a `KeyClash` where its key number is taken or could be taken for a neighbour's; with the mend where a value is wrong. */
  addDwelling(dwelling: NewDwelling, act: { by: string; via: Via }): Promise<Dwelling>;
  /** @throws with the mend where the device is known already, or its alias could be taken for a neighbour's. */
  addDevice(device: NewDevice, options?: AddOptions): Promise<AddedDevice>;
  /** All of them or none. */
  addDevices(devices: readonly NewDevice[], options?: AddOptions): Promise<AddedDevice[]>;
  /** A list as CSV, columns deviceId, placement, key, area, room, unit, consentBy, leadsOut. @throws with the line. */
  addFromCsv(text: string, options?: AddOptions): Promise<AddedDevice[]>;
  list(): Promise<ListedDevice[]>;
  /**
   * Gives a device a new secret. The old one stays valid until the new one has been used, `days` at the longest; 0 ends it at once.
   * @throws where there is no such device, or it was revoked.
   */
  rotate(deviceId: string, days?: number, by?: string): Promise<NewSecret>;
  /** Shuts a device out at the gateway's next fetch of control. @throws where there is no such device. */
  revoke(deviceId: string, by?: string): Promise<void>;
  /** Says where a device is worn from now on. @throws where there is no such device, or it was revoked. */
  place(deviceId: string, placement: Placement, by: string): Promise<void>;
  /**
   * Gives a device a threshold of its own, or the model's again (null), as `approvedBy` has approved. Each change is a version.
   * @throws where it is not from 0.02 to 0.98, where there is no such device, it was revoked, or its threshold is not `grounds.from` any more.
   */
  setThreshold(
    deviceId: string,
    threshold: number | null,
    approvedBy: string,
    grounds?: ThresholdGrounds,
  ): Promise<void>;
  /** The thresholds that a device was given, the oldest first. */
  thresholdVersions(deviceId: string): Promise<ThresholdVersion[]>;
  /** Says whether a device is a contact at a door that leads out. @throws where there is no such device, or it was revoked. */
  setLeadsOut(deviceId: string, leadsOut: boolean, by: string): Promise<void>;
  /**
   * Says whether a device is a tag of the staff's: pressed, it holds the dwelling's watching for half an hour, and pressed again in that time it pages.
   * @throws where there is no such device, it was revoked, or it has raised an alarm before.
   */
  setStaffTag(deviceId: string, isTag: boolean, by: string): Promise<void>;
  /** What a gateway must know, or null where `version` is the newest. */
  controlSince(version: number): Promise<Control | null>;
}

/** @param via where what is changed is changed, for the audit log. */
export function createRegistry(store: () => Store, clock: Clock, via: Via = "cli"): Registry {
  async function addDevices(wanted: readonly NewDevice[], options: AddOptions = {}): Promise<AddedDevice[]> {
    const { registry, watching } = store();
    const act = actOf(clock, options.by, via);
    const devices = wanted.map((device) => parse(device));
    const known = new Set((await registry.devices(act.at)).map((device) => device.deviceId));
    const dwellings = await registry.dwellings();
    const rows: DeviceAddition[] = [];
    const inOperation = options.inOperation && wordOf(options.inOperation);
    const secrets = devices.map(() => newSecret());
    const hashes = await Promise.all(secrets.map((secret) => hashSecret(secret, "device")));
    for (const [i, device] of devices.entries()) {
      const { deviceId, placement, room, consentBy = null, leadsOut } = device;
      if (known.has(deviceId)) throw new Error(`device ${deviceId} is in the register already; choose another id`);
      known.add(deviceId);
      const dwelling = dwellingFor(device, dwellings, options);
      rows.push({
        device: {
          deviceId,
          dwellingId: dwelling.id,
          placement,
          room: room ?? null,
          secretHash: hashes[i] ?? "",
          revoked: false,
          addedAt: act.at,
          lastSeenAt: null,
          online: null,
          battery: null,
          gatewayId: null,
          ...(leadsOut ? { leadsOut } : {}),
        },
        dwelling,
        consentBy,
        inOperation,
      });
    }
    if (rows.length === 0) return [];
    await registry.addDevices(rows, act);
    const consents = new Map((await watching.consents()).map(({ dwellingId, state }) => [dwellingId, state]));
    return rows.map(({ device, dwelling }, i) => ({
      deviceId: device.deviceId,
      secret: secrets[i] ?? "",
      consent: consents.get(dwelling.id) ?? "missing",
    }));
  }

  return {
    async addDwelling(wanted, { by, via }) {
      const checked = NewDwelling.safeParse(wanted);
      if (!checked.success) throw new Error(problemOf(checked.error, "dwelling"));
      const { registry } = store();
      const dwellings = await registry.dwellings();
      const known = dwellings.length;
      const dwelling = dwellingFor(checked.data, dwellings, {});
      if (dwellings.length === known) {
        throw new KeyClash("key-taken", `key ${dwelling.alias} stands for a dwelling of that unit already`);
      }
      const added = { ...dwelling, room: checked.data.room ?? null };
      await registry.addDwelling(added, { ...actOf(clock, by), via });
      return added;
    },
    async addDevice(device, options) {
      const [added] = await addDevices([device], options);
      if (!added) throw new Error(`device ${device.deviceId} was not added`);
      return added;
    },
    addDevices,
    async addFromCsv(text, options) {
      const devices = readDeviceCsv(text).map(({ line, values }) => {
        const checked = NewDevice.safeParse(values);
        if (checked.success) return checked.data;
        throw new Error(`line ${line}: ${problemOf(checked.error)}`);
      });
      return addDevices(devices, options);
    },
    async list() {
      const { registry } = store();
      const dwellings = new Map((await registry.dwellings()).map((dwelling) => [dwelling.id, dwelling]));
      return (await registry.devices(Math.round(clock.wallNow()))).map((device) => {
        const dwelling = device.dwellingId === null ? undefined : dwellings.get(device.dwellingId);
        return {
          deviceId: device.deviceId,
          placement: device.placement,
          key: dwelling?.alias ?? "",
          area: dwelling?.area ?? null,
          room: device.room ?? dwelling?.room ?? null,
          unit: dwelling?.unit ?? null,
          revoked: device.revoked,
          lastSeenAt: device.lastSeenAt,
          online: device.online,
          battery: device.battery,
          consent: device.consent ?? "missing",
          pausedUntil: device.pause?.until ?? null,
          threshold: device.threshold ?? null,
          leadsOut: device.leadsOut ?? false,
          staffTag: device.staffTag ?? false,
          operation: device.operation,
          isSelfTest: device.isSelfTest,
        };
      });
    },
    async rotate(deviceId, days = rotationDays, by) {
      const secret = newSecret();
      const secretHash = await hashSecret(secret, "device");
      const act = actOf(clock, by, via);
      const until = days > 0 ? act.at + days * 86_400_000 : null;
      if (!(await store().registry.replaceSecret(deviceId, secretHash, until, act))) throw unknownDevice(deviceId);
      return { deviceId, secret };
    },
    async revoke(deviceId, by) {
      const isKnown = await store().registry.revokeDevice(deviceId, actOf(clock, by, via));
      if (!isKnown) throw new Error(`no device has the id ${deviceId}`);
    },
    async place(deviceId, placement, by) {
      const isKnown = await store().registry.placeDevice(deviceId, Placement.parse(placement), actOf(clock, by, via));
      if (!isKnown) throw unknownDevice(deviceId);
    },
    async setThreshold(deviceId, threshold, approvedBy, grounds = { how: "set" }) {
      const { least, most } = thresholdBounds;
      if (threshold !== null && !(threshold >= least && threshold <= most)) {
        throw new Error(`threshold: a number from ${least} to ${most}; most people need none of their own`);
      }
      const act = { at: actOf(clock, approvedBy).at, by: approvedBy.trim() };
      const reason = Reason.safeParse(grounds.reason);
      if (!reason.success) throw new Error(`reason: ${reason.error.issues[0]?.message}`);
      const isKnown = await store().registry.setThreshold(deviceId, threshold, act, {
        ...grounds,
        reason: reason.data,
      });
      if (!isKnown) throw unknownDevice(deviceId);
    },
    thresholdVersions: (deviceId) => store().registry.thresholdVersions(deviceId),
    async setLeadsOut(deviceId, leadsOut, by) {
      const isKnown = await store().registry.setLeadsOut(deviceId, leadsOut, actOf(clock, by, via));
      if (!isKnown) throw unknownDevice(deviceId);
    },
    async setStaffTag(deviceId, isTag, by) {
      const isKnown = await store().registry.setStaffTag(deviceId, isTag, actOf(clock, by, via));
      if (!isKnown) throw unknownDevice(deviceId);
    },
    controlSince: (version) => store().control.since(version, Math.round(clock.wallNow())),
  };
}

export const unknownDevice = (deviceId: string) =>
  new Error(`no device has the id ${deviceId}, or it was revoked; add it under a new id`);

/** Somebody's word for a fleet. @throws where the name or the reason is none. */
export function wordOf({ by, reason }: { by: string; reason: string }): { by: string; reason: string } {
  const name = ActingPerson.safeParse(by);
  if (!name.success) throw new Error(`by: ${name.error.issues[0]?.message}`);
  const said = Reason.safeParse(reason);
  if (!said.success || said.data === undefined) throw new Error(`reason: say why no test alarm is needed`);
  return { by: name.data, reason: said.data };
}

function parse(device: NewDevice): NewDevice {
  const checked = NewDevice.safeParse(device);
  if (checked.success) return checked.data;
  throw new Error(`device ${String(device.deviceId).slice(0, 40)}: ${problemOf(checked.error)}`);
}

export function problemOf(error: z.ZodError, what = "device"): string {
  return error.issues.map((issue) => `${issue.path.join(".") || what}: ${issue.message}`).join("; ");
}

/** The dwelling with this key, or a new one, which is put into `dwellings`. @throws where the key could be taken for a neighbour's. */
export function dwellingFor(
  device: Pick<NewDevice, "key" | "area" | "unit">,
  dwellings: Dwelling[],
  options: Pick<AddOptions, "allowSimilarAliases">,
): Dwelling {
  const { key, area = null, unit = null } = device;
  const inUnit = dwellings.filter((dwelling) => dwelling.unit === unit);
  const same = inUnit.find((dwelling) => dwelling.alias.toLowerCase() === key.toLowerCase());
  if (same) {
    if (area !== null && same.area !== null && same.area !== area) {
      throw new KeyClash(
        "key-taken",
        `key ${key} is in the area ${same.area} already; a key number stands for one dwelling`,
      );
    }
    return same;
  }
  const neighbour = inUnit.find((dwelling) => dwelling.area === area && areSimilar(dwelling.alias, key));
  if (neighbour && !options.allowSimilarAliases) {
    throw new KeyClash(
      "key-too-like",
      `key ${key} is too like key ${neighbour.alias} in the same area: one wrong character leads to the wrong door. Give one of them another number, or put them in different areas`,
    );
  }
  const dwelling: Dwelling = {
    id: `d${randomUUID().replaceAll("-", "").slice(0, 12)}`,
    alias: key,
    area,
    room: null,
    unit,
  };
  dwellings.push(dwelling);
  return dwelling;
}
