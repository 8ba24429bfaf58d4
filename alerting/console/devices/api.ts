import { z } from "zod";
import { Placement } from "../../../firmware-contracts/detection.ts";
import { BrokerAddress, InstallerNote } from "../../../firmware-contracts/installer-note.ts";
import { ConsentState, DeviceClass, DeviceTrouble } from "../../../firmware-contracts/intake.ts";
import { DeviceId } from "../../../firmware-contracts/topics.ts";
import { EpisodeStatus } from "../api.ts";

const wallMs = z.number().int();
const count = z.number().int().min(0);
const place = z.string().trim().min(1).max(60);

/** What is wrong with a device, and what is not heard meanwhile. */
export const TroubleView = z
  .object({
    trouble: DeviceTrouble,
    since: wallMs,
    missed: z
      .enum(["falls", "help"])
      .nullable()
      .meta({ description: "What raises no alarm while it lasts; null: everything does" }),
    battery: z.number().nullable().meta({ description: "Charge left, per cent" }),
    daysLeft: z.number().nullable().meta({ description: "By its trend, days until it is empty" }),
    driftMs: z.number().nullable(),
  })
  .meta({ id: "TroubleView" });
export type TroubleView = z.infer<typeof TroubleView>;

/** The technical alarm about it, where one is open. */
const AlarmRef = z.object({ id: z.string(), code: z.string(), status: EpisodeStatus }).nullable();

const inDwelling = {
  key: z.string().nullable().meta({ description: "Key number; null: in no dwelling, or hidden" }),
  isKeyHidden: z.boolean().meta({ description: "A test alarm of the device awaits its key number: nobody is told it" }),
  unit: z.string().nullable(),
  area: z.string().nullable(),
  room: z.string().nullable(),
};

export const DeviceInTrouble = TroubleView.extend({
  deviceId: z.string(),
  ...inDwelling,
  deviceClass: DeviceClass.nullable(),
  isInStore: z.boolean(),
  pausedUntil: wallMs.nullable().meta({ description: "Its dwelling is not watched until then anyway" }),
  alarm: AlarmRef,
}).meta({ id: "DeviceInTrouble" });
export type DeviceInTrouble = z.infer<typeof DeviceInTrouble>;

export const GatewayInTrouble = z
  .object({
    gatewayId: z.string(),
    trouble: z.enum(["lost", "broker-lost"]),
    since: wallMs,
    dwellings: count.meta({ description: "Of the account's units, those that are heard through it" }),
    alarm: AlarmRef,
  })
  .meta({ id: "GatewayInTrouble" });
export type GatewayInTrouble = z.infer<typeof GatewayInTrouble>;

export const Troubles = z
  .object({
    now: wallMs,
    area: z
      .object({ since: wallMs, gateways: count, dwellings: count, alarm: AlarmRef })
      .nullable()
      .meta({ description: "Several gateways went silent together: one matter, with a visiting list" }),
    gateways: z
      .array(GatewayInTrouble)
      .meta({ description: "Those of a silent area too; what is wrong with devices behind them is not told apart" }),
    devices: z.array(DeviceInTrouble).meta({ description: "What makes falls unseen first, the oldest first" }),
    more: count.meta({ description: "Further ones that were left out" }),
  })
  .meta({ id: "Troubles" });
export type Troubles = z.infer<typeof Troubles>;

export const GatewayView = z
  .object({
    gatewayId: z.string(),
    lastSeenAt: wallMs,
    lostAt: wallMs.nullable(),
    brokerLostAt: wallMs.nullable(),
    isCurrent: z.boolean().meta({ description: "What it follows is the register as it is now" }),
    controlVersion: z.number().int().meta({ description: "The version of the register that it follows" }),
    version: z.string().nullable().meta({ description: "Of its program; null: an older one that does not say" }),
    clockAheadMs: z
      .number()
      .nullable()
      .meta({ description: "How far its clock is ahead of ours, the way of its word included" }),
    devices: count.meta({ description: "Of the account's units, those that were heard through it last" }),
  })
  .meta({ id: "GatewayView" });
export type GatewayView = z.infer<typeof GatewayView>;

export const Gateways = z
  .object({ now: wallMs, version: z.number().int(), gateways: z.array(GatewayView) })
  .meta({ id: "Gateways" });
export type Gateways = z.infer<typeof Gateways>;

/** What a device is, as far as is known. */
export const DeviceKind = z.enum(["wearable", "presence", "button", "door", "staff-tag", "self-test"]);
export type DeviceKind = z.infer<typeof DeviceKind>;

const OperationState = z.enum(["awaiting-test", "in-operation", "in-store"]);

export const DeviceItem = z
  .object({
    deviceId: z.string(),
    kind: DeviceKind,
    placement: Placement,
    ...inDwelling,
    operation: OperationState,
    needsTest: z.boolean().meta({ description: "It awaits a test alarm: one that raises alarms, and is not revoked" }),
    revoked: z.boolean(),
    lastSeenAt: wallMs.nullable(),
    online: z.boolean().nullable(),
    battery: z.number().nullable(),
    troubles: z.array(TroubleView),
    gatewayId: z.string().nullable().meta({ description: "Through which gateway it was heard last" }),
    isGatewayLost: z.boolean(),
    consent: ConsentState,
    pausedUntil: wallMs.nullable(),
    testUntil: wallMs.nullable().meta({ description: "Its next alarm is a test, until then" }),
  })
  .meta({ id: "DeviceItem" });
export type DeviceItem = z.infer<typeof DeviceItem>;

export const deviceFilters = ["all", "trouble", "battery-low", "awaiting-test", "in-store", "revoked"] as const;
export const DeviceFilter = z.enum(deviceFilters);
export type DeviceFilter = z.infer<typeof DeviceFilter>;

/** How many devices one answer holds. */
export const devicesAtOnce = 100;

export const DevicesQuery = z.object({
  filter: DeviceFilter.default("all"),
  unit: z.string().max(60).optional(),
  search: z.string().max(100).default("").meta({ description: "Words that id, key, area or room hold, all of them" }),
  from: z.coerce.number().int().min(0).default(0).meta({ description: "How many to pass over" }),
});

export const Devices = z
  .object({
    now: wallMs,
    counts: z.record(DeviceFilter, count).meta({ description: "How many each filter would show, of that unit" }),
    units: z.array(z.string()).meta({ description: "Those that have devices, and that the account may see" }),
    matching: count,
    devices: z.array(DeviceItem).meta({ description: `By unit and key number; at most ${devicesAtOnce}` }),
  })
  .meta({ id: "Devices" });
export type Devices = z.infer<typeof Devices>;

export const DeviceDetail = DeviceItem.extend({
  addedAt: wallMs,
  since: wallMs.meta({ description: "Since when its operation is so" }),
  by: z.string().nullable(),
  how: z.enum(["test-alarm", "bulk"]).nullable(),
  threshold: z.number().nullable().meta({ description: "Its own, as a manager has approved; null: the model's" }),
  leadsOut: z.boolean(),
  firmware: z.string().nullable().meta({ description: "Its version, as the device says" }),
  history: z
    .array(
      z.object({
        at: wallMs,
        state: OperationState,
        key: z.string().nullable(),
        by: z.string().nullable(),
        how: z.enum(["test-alarm", "bulk"]).nullable(),
        reason: z.string().nullable(),
      }),
    )
    .meta({ description: "The newest first; what it was in another unit's dwelling is left out" }),
  pastTroubles: z
    .array(TroubleView.omit({ missed: true }).extend({ endedAt: wallMs.nullable() }))
    .meta({ description: "The newest first, 50 at most" }),
}).meta({ id: "DeviceDetail" });
export type DeviceDetail = z.infer<typeof DeviceDetail>;

export const NewDeviceRequest = z
  .strictObject({
    deviceId: DeviceId,
    placement: Placement,
    key: place,
    area: place.optional(),
    room: place.optional(),
    unit: place.optional(),
    leadsOut: z.boolean().optional(),
    broker: BrokerAddress.optional().meta({ description: "As devices reach it; left out: as the configuration says" }),
  })
  .meta({ id: "NewDeviceRequest" });

export const SecretRequest = z
  .strictObject({
    broker: BrokerAddress.optional(),
    now: z.boolean().default(false).meta({ description: "End the old secret at once, and its connection with it" }),
  })
  .meta({ id: "SecretRequest" });

/** What a device needs to come in. It is shown once: the register keeps a hash. */
export const DeviceSetUp = z
  .object({
    deviceId: z.string(),
    secret: z.string(),
    note: InstallerNote.nullable().meta({
      description: "What the QR code holds; null where nobody has said how devices reach the broker",
    }),
    consent: ConsentState,
    oldUntil: wallMs.nullable().meta({
      description: "Until when the old secret is valid, where this one is not used before; null: not any more",
    }),
  })
  .meta({ id: "DeviceSetUp" });
export type DeviceSetUp = z.infer<typeof DeviceSetUp>;

export const DeviceOptions = z
  .object({
    broker: z.string().nullable().meta({ description: "As the configuration says; null: it does not" }),
    units: z.array(z.string()).nullable().meta({ description: "Those of the account; null: any" }),
    keys: z
      .array(z.object({ key: z.string(), unit: z.string().nullable(), area: z.string().nullable() }))
      .meta({ description: "Dwellings that are in the register" }),
    testMinutes: z.number().int(),
  })
  .meta({ id: "DeviceOptions" });
export type DeviceOptions = z.infer<typeof DeviceOptions>;

export const PlacementRequest = z.strictObject({ placement: Placement }).meta({ id: "PlacementRequest" });

export const MoveRequest = z
  .strictObject({
    key: place,
    area: place.optional(),
    unit: place.optional(),
    room: place.optional(),
    placement: Placement.optional(),
  })
  .meta({ id: "MoveRequest" });

export const TestRequest = z
  .strictObject({
    to: z.string().max(60).optional().meta({ description: "Whose phone is asked; left out: whoever is on call" }),
    minutes: z.number().int().min(1).max(60).optional(),
  })
  .meta({ id: "DeviceTestRequest" });

/** How far a device's test alarm has come. It never holds the key number that is awaited. */
export const DeviceTest = z
  .object({
    now: wallMs,
    deviceId: z.string(),
    operation: OperationState,
    /** `waiting`: for its alarm. `asked`: for the key number. */
    state: z.enum(["none", "waiting", "asked", "passed", "no-alarm", "unanswered", "called-off"]),
    openedAt: wallMs.nullable(),
    untilAt: wallMs.nullable(),
    endedAt: wallMs.nullable(),
    by: z.string().nullable(),
    heardAt: wallMs.nullable().meta({ description: "When its alarm came" }),
    heard: z.enum(["fall", "help"]).nullable(),
    phone: z.string().nullable().meta({ description: "Whose phone was asked; before that, whose is to be" }),
    sms: z.enum(["waiting", "accepted", "delivered", "failed", "unknown"]).nullable(),
    wrong: count.meta({ description: "Wrong key numbers that were read back" }),
    phones: z
      .array(z.object({ id: z.string(), name: z.string(), isOnCall: z.boolean() }))
      .meta({ description: "Whose phone can be asked: who is on call in its unit, then operators" }),
    testMinutes: z.number().int(),
  })
  .meta({ id: "DeviceTest" });
export type DeviceTest = z.infer<typeof DeviceTest>;
