import { z } from "zod";
import { ConsentState } from "../../../firmware-contracts/intake.ts";
import { blindReasons } from "../../blind-time/causes.ts";
import { ResidentFlag } from "../../registry/resident-flags.ts";
import { NewResident } from "../../registry/residents.ts";
import { EpisodeStatus, EpisodeView, OutcomeWhat } from "../api.ts";
import { PauseView } from "../pauses.ts";
import { UnitOfKey } from "./own-dwelling.ts";

const wallMs = z.number().int();
const ofDwelling = { unit: UnitOfKey };

/** How a dwelling's devices fare, at a glance: the first of these that is so. */
export const DeviceState = z
  .enum(["no-device", "not-in-operation", "deaf", "trouble", "fine"])
  .meta({ id: "DeviceState", description: "deaf: no device there would see a fall now" });
export type DeviceState = z.infer<typeof DeviceState>;

const OpenAlarm = z.object({
  id: z.string(),
  code: z.string(),
  kind: EpisodeView.shape.kind,
  status: EpisodeStatus,
  openedAt: wallMs,
});

/** Whether somebody lives there alone. */
export const HouseholdKind = z.enum(["alone", "shared"]).meta({ id: "Household" });

/** A dwelling as the register lists it. No name, no address. What there is nothing of is left out: there are thousands. */
export const RegisterRow = z
  .object({
    key: z.string(),
    unit: z.string().nullable(),
    area: z.string().optional(),
    room: z.string().optional(),
    household: HouseholdKind.optional(),
    residents: z.number().int().meta({ description: "How many are in the register" }),
    consent: ConsentState,
    reviewDue: z.boolean().optional().meta({ description: "A consent is to be asked about again" }),
    pausedUntil: wallMs.optional(),
    devices: z.number().int(),
    state: DeviceState,
    alarm: z.object({ id: z.string(), kind: EpisodeView.shape.kind, status: EpisodeStatus }).optional(),
  })
  .meta({ id: "RegisterRow" });
export type RegisterRow = z.infer<typeof RegisterRow>;

export const Register = z.object({ dwellings: z.array(RegisterRow) }).meta({ id: "Register" });
export type Register = z.infer<typeof Register>;

/** A dwelling with all that may be seen without opening anything. */
export const DwellingDetail = z
  .object({
    key: z.string(),
    unit: z.string().nullable(),
    area: z.string().nullable(),
    room: z.string().nullable(),
    household: HouseholdKind.nullable(),
    residents: z.number().int(),
    consent: z.object({
      state: ConsentState,
      at: wallMs.nullable(),
      by: z.string().nullable(),
      isRecorded: z.boolean().meta({ description: "Each who lives there is on record; else somebody vouched for all" }),
      records: z.number().int(),
      reviewAt: wallMs.nullable(),
      isReviewDue: z.boolean(),
      lacking: z.array(z.enum(["resident", "other", "household"])),
    }),
    pause: PauseView.nullable(),
    state: DeviceState,
    devices: z.array(
      z.object({
        deviceId: z.string(),
        placement: z.string(),
        room: z.string().nullable(),
        operation: z.enum(["awaiting-test", "in-operation", "in-store"]),
        role: z.enum(["wearable", "presence", "door", "staff-tag"]),
        lastSeenAt: wallMs.nullable(),
        battery: z.number().nullable(),
        troubles: z.array(z.string()),
      }),
    ),
    alarms: z.array(OpenAlarm).meta({ description: "Open now" }),
  })
  .meta({ id: "DwellingDetail" });
export type DwellingDetail = z.infer<typeof DwellingDetail>;

export const NewDwellingBody = z
  .strictObject({
    key: z.string().trim().min(1).max(60),
    unit: z.string().trim().min(1).max(60).optional(),
    area: z.string().trim().min(1).max(60).optional(),
    room: z.string().trim().min(1).max(60).optional(),
  })
  .meta({ id: "NewDwelling" });

/** A look at the sheet. `episode`: the alarm that it is opened from. */
export const LookBody = z
  .strictObject({ ...ofDwelling, episode: z.string().max(100).optional() })
  .meta({ id: "SheetLook" });

export const ResidentSheet = z
  .object({
    id: z.string(),
    addedAt: wallMs,
    name: z.string(),
    address: z.string().optional(),
    keyCode: z.string().optional(),
    route: z.string().optional(),
    contacts: z.array(z.object({ name: z.string(), phone: z.string() })),
    flags: z.array(ResidentFlag),
    note: z.string().optional(),
  })
  .meta({ id: "ResidentSheet" });
export type ResidentSheet = z.infer<typeof ResidentSheet>;
export const Sheets = z.object({ residents: z.array(ResidentSheet) }).meta({ id: "ResidentSheets" });
export type Sheets = z.infer<typeof Sheets>;

export const PutResident = z
  .strictObject({
    ...ofDwelling,
    resident: NewResident,
    replaces: z.string().max(60).optional().meta({ description: "The one in whose place it comes" }),
  })
  .meta({ id: "PutResident" });

export const PutHousehold = z
  .strictObject({ ...ofDwelling, household: HouseholdKind.nullable() })
  .meta({ id: "PutHousehold" });

export const OfDwelling = z.strictObject(ofDwelling).meta({ id: "OfDwelling" });

const ConsentPerson = z.enum(["resident", "other"]).meta({ id: "ConsentPerson" });

export const ShownConsentView = z
  .object({
    id: z.string(),
    person: ConsentPerson,
    giver: z.string(),
    how: z.string(),
    givenAt: wallMs,
    reviewAt: wallMs,
    by: z.string(),
  })
  .meta({ id: "ShownConsent" });
export const ShownConsents = z.object({ consents: z.array(ShownConsentView) }).meta({ id: "ShownConsents" });
export type ShownConsents = z.infer<typeof ShownConsents>;

export const NewConsentBody = z
  .strictObject({
    ...ofDwelling,
    person: ConsentPerson,
    giver: z.string().max(120).meta({ description: "Who gave it: the person it is about, and nobody else" }),
    how: z.string().max(300).meta({ description: "How they were informed, and by whom" }),
    givenAt: wallMs.optional().meta({ description: "When, ms since 1970 UTC; left out: now" }),
    reviewAt: wallMs.meta({ description: "When it is to be asked about again" }),
  })
  .meta({ id: "NewConsent" });

export const WithdrawBody = z
  .strictObject({ ...ofDwelling, consent: z.string().max(60).optional() })
  .meta({ id: "WithdrawConsent", description: "Of the one on record with that id; without: of all who live there" });

export const BlindReason = z.enum(blindReasons).meta({ id: "BlindReason" });

/** When a fall could not have been seen, day by day. */
export const BlindDays = z
  .object({
    days: z.array(
      z.object({
        date: z.iso.date(),
        knownMinutes: z.number().int().meta({ description: "Of the day, what is in the ledger" }),
        blindMinutes: z.number().int(),
        reasons: z.array(z.object({ reason: BlindReason, minutes: z.number().int() })),
        cells: z
          .array(z.union([z.enum(["unknown", "seen"]), z.object({ reason: BlindReason, isMost: z.boolean() })]))
          .meta({ description: "48 half hours by the clock on the wall" }),
      }),
    ),
  })
  .meta({ id: "BlindDays" });
export type BlindDays = z.infer<typeof BlindDays>;

/** Alarms of a dwelling and its devices, the newest first. */
export const PastAlarms = z
  .object({
    alarms: z.array(
      OpenAlarm.extend({
        test: z.boolean(),
        trouble: z.string().nullable(),
        closedAt: wallMs.nullable(),
        outcome: OutcomeWhat.nullable(),
        floorMinutes: z.number().int().nullable(),
        isShown: z.boolean().meta({ description: "Its story is at hand at /episodes/:id" }),
      }),
    ),
  })
  .meta({ id: "PastAlarms" });
export type PastAlarms = z.infer<typeof PastAlarms>;
