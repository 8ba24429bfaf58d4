import type { Board } from "../../board.ts";
import type { EpisodeState } from "../../episode-state.ts";
import { floorMs } from "../../ladder.ts";
import type { ConsentRow, DeviceRow, DeviceTroubleRow, Dwelling, PauseRow, Store } from "../../store/store.ts";
import { deafTroubles } from "../../trouble-kinds.ts";
import type { DeviceState, DwellingDetail, PastAlarms, RegisterRow } from "./api.ts";

type Reading = Pick<Store, "registry" | "watching" | "residents" | "troubles">;

/** All that a view of dwellings is made from, of about one moment. */
interface Read {
  dwellings: Dwelling[];
  consents: ReadonlyMap<string, ConsentRow>;
  pauses: ReadonlyMap<string, PauseRow>;
  devices: ReadonlyMap<string, DeviceRow[]>;
  residents: ReadonlyMap<string, number>;
  households: ReadonlyMap<string, "alone" | "shared">;
  troubles: ReadonlyMap<string, DeviceTroubleRow[]>;
}

/** Of one dwelling's devices alone, where it is named. */
async function readAll(
  { registry, watching, residents, troubles }: Reading,
  now: number,
  dwellingId?: string,
): Promise<Read> {
  const [dwellings, consents, pauses, devices, counts, households, open] = await Promise.all([
    registry.dwellings(),
    watching.consents(),
    watching.pauses(now),
    dwellingId === undefined ? registry.devices(now) : registry.devicesOf(dwellingId, now),
    residents.counts(),
    registry.households(),
    troubles.open(),
  ]);
  const living = devices.filter(({ revoked, dwellingId }) => !revoked && dwellingId !== null);
  return {
    dwellings,
    consents: new Map(consents.map((one) => [one.dwellingId, one])),
    pauses: new Map(pauses.map((one) => [one.dwellingId, one])),
    devices: Map.groupBy(living, ({ dwellingId }) => dwellingId ?? ""),
    residents: new Map(counts.map((one) => [one.dwellingId, one.residents])),
    households: new Map(households.map((one) => [one.dwellingId, one.household])),
    troubles: Map.groupBy(open, ({ deviceId }) => deviceId),
  };
}

const placeKey = (unit: string | null, alias: string) => `${unit ?? ""}\n${alias.toLowerCase()}`;

/** Open alarms, by whose they are. */
function openAlarms(board: Board): Map<string, EpisodeState[]> {
  const open = board.states().filter(({ status, facts }) => status !== "closed" && facts.place.alias !== null);
  return Map.groupBy(open, ({ facts }) => placeKey(facts.place.unit ?? null, facts.place.alias ?? ""));
}

/** Falls and help calls first, the oldest of them. */
const mostUrgent = (states: readonly EpisodeState[]) =>
  states.toSorted((a, b) => rank(b) - rank(a) || a.openedAt - b.openedAt)[0];
const rank = ({ facts }: EpisodeState) => ["technical", "welfare", "help", "fall"].indexOf(facts.kind);

/** The register's rows of those dwellings that `isOwn` says are for whoever asks. `seesAlarms`: whether they see alarms. */
export async function registerRows(
  store: Reading,
  board: Board,
  now: number,
  isOwn: (unit: string | null) => boolean,
  seesAlarms: boolean,
): Promise<RegisterRow[]> {
  const read = await readAll(store, now);
  const alarms = seesAlarms ? openAlarms(board) : new Map<string, EpisodeState[]>();
  return read.dwellings
    .filter(({ unit }) => isOwn(unit))
    .map(({ id, alias, unit, area, room }): RegisterRow => {
      const consent = read.consents.get(id);
      const pause = read.pauses.get(id);
      const household = read.households.get(id);
      const devices = read.devices.get(id) ?? [];
      const alarm = mostUrgent(alarms.get(placeKey(unit, alias)) ?? []);
      return {
        ...{ key: alias, unit },
        ...(area !== null && { area }),
        ...(room !== null && { room }),
        ...(household && { household }),
        residents: read.residents.get(id) ?? 0,
        consent: consent?.state ?? "missing",
        ...(consent && isReviewDue(consent, now) && { reviewDue: true }),
        ...(pause && { pausedUntil: pause.until }),
        devices: devices.length,
        state: stateOf(devices, read.troubles),
        ...(alarm && { alarm: { id: alarm.facts.id, kind: alarm.facts.kind, status: alarm.status } }),
      };
    });
}

const isReviewDue = ({ reviewAt }: ConsentRow, now: number) => reviewAt !== null && reviewAt <= now;

function roleOf({ staffTag, tellsPresence, leadsOut }: DeviceRow): DwellingDetail["devices"][number]["role"] {
  if (staffTag) return "staff-tag";
  if (leadsOut) return "door";
  return tellsPresence ? "presence" : "wearable";
}

/** The first of the list that is so. Of several wearables one that sees is enough. */
function stateOf(devices: readonly DeviceRow[], troubles: Read["troubles"]): DeviceState {
  const wearables = devices.filter((device) => roleOf(device) === "wearable");
  if (wearables.length === 0) return "no-device";
  const inOperation = wearables.filter(({ operation }) => operation.state === "in-operation");
  if (inOperation.length === 0) return "not-in-operation";
  const isDeaf = ({ deviceId, lastSeenAt }: DeviceRow) =>
    lastSeenAt === null || (troubles.get(deviceId) ?? []).some(({ trouble }) => deafTroubles.includes(trouble));
  if (inOperation.every(isDeaf)) return "deaf";
  return devices.some(({ deviceId }) => troubles.has(deviceId)) ? "trouble" : "fine";
}

/** One dwelling, without opening anything of it. */
export async function dwellingDetail(
  store: Reading,
  board: Board,
  now: number,
  dwelling: Dwelling,
  seesAlarms: boolean,
): Promise<DwellingDetail> {
  const { id, alias, unit, area, room } = dwelling;
  const [read, lacking] = await Promise.all([readAll(store, now, id), store.watching.lackingConsents(id)]);
  const devices = read.devices.get(id) ?? [];
  const consent = read.consents.get(id);
  const pause = read.pauses.get(id);
  const alarms = seesAlarms ? (openAlarms(board).get(placeKey(unit, alias)) ?? []) : [];
  return {
    ...{ key: alias, unit, area, room },
    household: read.households.get(id) ?? null,
    residents: read.residents.get(id) ?? 0,
    consent: {
      state: consent?.state ?? "missing",
      at: consent?.at ?? null,
      by: consent?.by ?? null,
      isRecorded: consent?.isRecorded ?? false,
      records: consent?.records ?? 0,
      reviewAt: consent?.reviewAt ?? null,
      isReviewDue: consent !== undefined && isReviewDue(consent, now),
      lacking,
    },
    pause: pause
      ? { key: alias, unit, from: pause.from, until: pause.until, reason: pause.reason, by: pause.by }
      : null,
    state: stateOf(devices, read.troubles),
    devices: devices.map((device) => ({
      deviceId: device.deviceId,
      placement: device.placement,
      room: device.room ?? room,
      operation: device.operation.state,
      role: roleOf(device),
      lastSeenAt: device.lastSeenAt,
      battery: device.battery,
      troubles: (read.troubles.get(device.deviceId) ?? []).map(({ trouble }) => trouble),
    })),
    alarms: alarms.map(alarmOf),
  };
}

const alarmOf = ({ facts, status, openedAt }: EpisodeState) => ({
  ...{ id: facts.id, code: facts.code, kind: facts.kind, status },
  openedAt: Math.round(openedAt),
});

/** An alarm of before, as the dwelling's page lists it. */
export function pastAlarmOf(state: EpisodeState, isShown: boolean): PastAlarms["alarms"][number] {
  const floor = floorMs(state);
  return {
    ...alarmOf(state),
    test: state.facts.test,
    trouble: state.facts.trouble?.kind ?? null,
    closedAt: state.closedAt,
    outcome: state.outcome,
    floorMinutes: floor === null ? null : Math.round(floor / 60_000),
    isShown,
  };
}
