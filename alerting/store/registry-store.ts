import type { ControlPart } from "../../firmware-contracts/control-parts.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { ConsentState, Control, ControlDevice, ControlVersions, Pause } from "../../firmware-contracts/intake.ts";
import type { DoneAct, Via } from "./audit-store.ts";

/** When something was changed, and by whom, where a person did it. */
export interface Act {
  at: number;
  by: string | null;
  /** Where. Left out: at the command line. */
  via?: Via;
}

export interface Dwelling {
  id: string;
  alias: string;
  area: string | null;
  room: string | null;
  unit: string | null;
}

/** Whether the resident lives alone or with others, residents or not. */
export type Household = "alone" | "shared";

/** Whether a device's alarms call staff to its address: they do once it is in operation. `in-store`: it is in no dwelling. */
export type OperationState = "awaiting-test" | "in-operation" | "in-store";

/** A test alarm from its dwelling was answered with the key number; or in bulk, by a named person's word. */
export type OperationHow = "test-alarm" | "bulk";

export interface Operation {
  state: OperationState;
  since: number;
  by: string | null;
  how: OperationHow | null;
}

export interface DeviceRow extends ControlDevice {
  /** Null: in store, or the self-test's. */
  dwellingId: string | null;
  operation: Operation;
  /** The self-test's: its alarms are tests. */
  isSelfTest: boolean;
  room: string | null;
  addedAt: number;
  lastSeenAt: number | null;
  online: boolean | null;
  battery: number | null;
  /** Staff's: pressed, it says that staff are in the dwelling. */
  staffTag?: boolean;
  /** It has told of presence, and sees no falls. */
  tellsPresence?: boolean;
  /** Through which gateway it was heard last; null where nobody has said. */
  gatewayId: string | null;
  /** Its firmware's version, where it has said one. */
  firmware?: string;
}

/** A device that is new, in a dwelling that may be. `consentBy`: who vouches for its consent. */
export interface DeviceAddition {
  device: Omit<DeviceRow, "operation" | "isSelfTest">;
  dwelling: Dwelling;
  consentBy: string | null;
  /** Who puts it into operation at once, of a moved or a simulated fleet. Left out: it awaits its test alarm. */
  inOperation?: { by: string; reason: string } | undefined;
}

/** What a change of a threshold rests on. */
export interface ThresholdGrounds {
  how: "set" | "tuned" | "reverted";
  /** The version that is put back; 0 is the model's own, before any version. */
  revertsTo?: number;
  /** In somebody's own words. It goes when the dwelling is erased, and stands in no log. */
  reason?: string | undefined;
  /** Version of the model whose scores it was judged by. */
  model?: string;
  /** Counts of what speaks for and against it. */
  evidence?: Record<string, number>;
  /** The threshold that it was judged against: another one by now, and nothing is changed. */
  from?: number | null;
}

/** A threshold that a device was given. */
export interface ThresholdVersion {
  version: number;
  /** Null: the model's own. */
  threshold: number | null;
  before: number | null;
  at: number;
  approvedBy: string;
  how: ThresholdGrounds["how"];
  revertsTo: number | null;
  reason: string | null;
  model: string | null;
  evidence: Record<string, number> | null;
}

/** Devices and their dwellings. What gateways follow is changed with a version and a line in the history, or not at all. */
export interface RegistryStore {
  /** Without those that were erased. */
  dwellings(): Promise<Dwelling[]>;
  /** Of pauses, those that run at `at`. */
  devices(at: number): Promise<DeviceRow[]>;
  /** Those of one dwelling. */
  devicesOf(dwellingId: string, at: number): Promise<DeviceRow[]>;
  /** Its pause may be over. */
  device(deviceId: string): Promise<{ device: DeviceRow; dwelling: Dwelling | null } | null>;
  /** Null where there is no such dwelling, or its erasure has begun. */
  dwelling(dwellingId: string): Promise<Dwelling | null>;
  dwellingsInArea(area: string, unit: string | null): Promise<number>;
  /** What an alarm's limits depend on: since when anybody lives there under watch, wall ms, and its own time to arrive. */
  dwellingTerms(dwellingId: string): Promise<{ since: number | null; arriveMinutes: number | null }>;
  /** Of those dwellings of which somebody has said who lives there. */
  households(): Promise<{ dwellingId: string; household: Household }[]>;
  /** Null: as the policy says. False where there is no such dwelling. */
  setArriveMinutes(dwellingId: string, minutes: number | null): Promise<boolean>;
  /** Who lives there; null where nobody knows. False where there is no such dwelling, or it is so already. */
  setHousehold(dwellingId: string, household: Household | null, act: DoneAct): Promise<boolean>;
  /** Adds a dwelling that has no device yet. */
  addDwelling(dwelling: Dwelling, act: DoneAct): Promise<void>;
  /** Adds devices and the dwellings that are new, as one. */
  addDevices(devices: readonly DeviceAddition[], act: Act): Promise<void>;
  /** False where there is no such device. */
  revokeDevice(deviceId: string, act: Act): Promise<boolean>;
  /**
   * Gives a device another secret. The one it had stays valid until `previousUntil`, or ends at once where that is null.
   * False where there is no such device or it was revoked.
   */
  replaceSecret(deviceId: string, secretHash: string, previousUntil: number | null, act: Act): Promise<boolean>;
  /** The new secret was used at `usedAt`: what it replaced ends, unless it was replaced again since. */
  endPreviousSecret(deviceId: string, usedAt: number, act: Act): Promise<void>;
  /** False where there is no such device or it was revoked. */
  placeDevice(deviceId: string, placement: Placement, act: Act): Promise<boolean>;
  /**
   * Null gives the device the model's own again. Each change is a version, and an act in the audit log. False where there is no such device or it was
   * revoked. @throws where the threshold is no longer `grounds.from`.
   */
  setThreshold(
    deviceId: string,
    threshold: number | null,
    act: Act & { by: string },
    grounds: ThresholdGrounds,
  ): Promise<boolean>;
  /** The oldest first. */
  thresholdVersions(deviceId: string): Promise<ThresholdVersion[]>;
  /** Whether it is a contact at a door that leads out. False where there is no such device or it was revoked. */
  setLeadsOut(deviceId: string, leadsOut: boolean, act: Act): Promise<boolean>;
  /**
   * Whether it is a staff's tag. False where there is no such device or it was revoked.
   * @throws where it has raised an alarm: it is somebody's own.
   */
  setStaffTag(deviceId: string, isTag: boolean, act: Act): Promise<boolean>;
  deviceSeen(deviceId: string, at: number, seen: DeviceSeen): Promise<void>;
}

/** What was heard of a device. Null, or left out: nothing of that. */
export interface DeviceSeen {
  online: boolean | null;
  battery: number | null;
  /** It ended its connection itself. */
  goodbye?: boolean;
  worn?: boolean | null;
  /** Through which gateway. */
  gatewayId?: string | null;
  /** It has told of presence: it is no wearable. */
  tellsPresence?: boolean;
  /** Its firmware's version. */
  firmware?: string | null;
}

export interface ConsentRow {
  dwellingId: string;
  alias: string;
  unit: string | null;
  state: ConsentState;
  /** When it was given or withdrawn, and who vouched for it or took note; null where it is missing. */
  at: number | null;
  by: string | null;
  /** It rests on the records of each who lives there; else somebody vouched for all of them. */
  isRecorded: boolean;
  /** Persons whose consent is on record, and the first of the days on which one is to be reviewed, wall ms. */
  records: number;
  reviewAt: number | null;
}

/** Whose consent it is: the resident's, or that of somebody else who lives there. */
export type ConsentPerson = "resident" | "other";

/** Whose: all of one kind of person, or the one on record with that id. */
export type ConsentWhose = ConsentPerson | { id: string };

/** Whose consent is not on record; `household`: nobody has said whether the resident lives alone. */
export type ConsentLack = ConsentPerson | "household";

/** One person's consent, as it was taken down. */
export interface GivenConsent {
  person: ConsentPerson;
  /** Who gave it: the person it is about. */
  giver: string;
  /** How they were informed, in the words of whoever took it down. */
  how: string;
  /** Wall times, ms. */
  givenAt: number;
  reviewAt: number;
}

export interface ShownConsent extends GivenConsent {
  id: string;
  /** Who took it down. */
  by: string;
}

export interface PauseRow extends Pause {
  dwellingId: string;
  alias: string;
  unit: string | null;
  by: string;
}

/** Whether dwellings may be watched. */
export interface WatchStore {
  /** One for each dwelling. */
  consents(): Promise<ConsentRow[]>;
  /** For all who live there, as somebody vouches. False where it is so already. */
  putConsent(dwellingId: string, state: "given" | "withdrawn", act: Act): Promise<boolean>;
  /** Puts one person's on record. The dwelling's is given once nothing is lacking; where somebody had vouched for it, it stays so meanwhile. */
  recordConsent(
    dwellingId: string,
    given: GivenConsent,
    act: DoneAct & { by: string },
  ): Promise<{ id: string; lacking: ConsentLack[] }>;
  /**
   * One person's, one kind of person's, or everybody's (null), is on record no more, and the dwelling's is withdrawn. False where that was so already.
   * @throws where the dwelling has none on record with that id.
   */
  withdrawConsent(dwellingId: string, whose: ConsentWhose | null, act: DoneAct & { by: string }): Promise<boolean>;
  /** Whose consent is not on record; nobody's where the list is empty. */
  lackingConsents(dwellingId: string): Promise<ConsentLack[]>;
  /** How many consents on record were to be reviewed before `at`. */
  reviewsDue(at: number): Promise<number>;
  /** Opens who has given theirs. The look-up is in the audit log before it is answered. */
  showConsents(dwellingId: string, act: DoneAct): Promise<ShownConsent[]>;
  /** Those that run at `at`, the first to end first. */
  pauses(at: number): Promise<PauseRow[]>;
  /** Instead of one that may be running. `source` is the press that began it: false where the same press has begun one already. */
  putPause(dwellingId: string, pause: Pause, act: DoneAct & { by: string }, source?: string): Promise<boolean>;
  /** Whether this press has begun a pause already. */
  hasPauseBegunBy(source: string): Promise<boolean>;
  /** False where none is running. */
  endPause(dwellingId: string, act: DoneAct): Promise<boolean>;
}

/** A line in the history of what gateways follow. */
export interface ControlChange {
  version: number;
  at: number;
  part: ControlPart;
  deviceId: string | null;
  /** The dwelling's key number, and its unit. */
  key: string | null;
  unit: string | null;
  by: string | null;
  what: string;
}

/** What gateways follow, as a whole. */
export interface ControlStore {
  /** As it is at `at`, or null where `haveVersion` is the newest. */
  since(haveVersion: number, at: number): Promise<Control | null>;
  /** The version in force, and at which each part last changed. */
  versions(): Promise<{ version: number; versions: ControlVersions }>;
  /** Every change, the oldest first. */
  changes(): Promise<ControlChange[]>;
}

/** A gateway as it was heard last. Times are wall time, ms. */
export interface GatewayRow {
  gatewayId: string;
  everyMs: number;
  /** The version of control that it says is in force. */
  controlVersion: number;
  lastSeenAt: number;
  /** Since when it is lost, or null. */
  lostAt: number | null;
}

export interface GatewayStore {
  gateways(): Promise<GatewayRow[]>;
  putGateway(gateway: GatewayRow): Promise<void>;
  /** False where there is no such gateway. */
  forgetGateway(gatewayId: string): Promise<boolean>;
}
