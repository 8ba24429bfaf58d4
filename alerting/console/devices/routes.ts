import { z } from "zod";
import type { InstallerNote } from "../../../firmware-contracts/installer-note.ts";
import { DeviceId } from "../../../firmware-contracts/topics.ts";
import { tellsKey } from "../../registry/aliases.ts";
import { createOperations } from "../../registry/operations.ts";
import { createRegistry, rotationDays } from "../../registry/registry.ts";
import type { DeviceRow, Dwelling, OperationChange } from "../../store/store.ts";
import { notFound, Refusal, refusing } from "../problems.ts";
import { type Account, maySeeUnit } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import {
  DeviceDetail,
  DeviceOptions,
  DeviceSetUp,
  Devices,
  DevicesQuery,
  deviceFilters,
  devicesAtOnce,
  MoveRequest,
  NewDeviceRequest,
  PlacementRequest,
  SecretRequest,
} from "./api.ts";
import { holds, itemMaker, matches, maySeeDevice } from "./device-views.ts";
import type { DevicesParts, Snapshots } from "./parts.ts";

const tag = "Devices";
const params = z.object({ id: DeviceId });
/** Past troubles that are shown. */
const mostTroubles = 50;

/** The register of devices. Each change is in the audit log with the account that made it. */
export function devicesArea(parts: DevicesParts, snapshots: Snapshots): ConsoleArea {
  const { config, clock, store, keeper } = parts;
  const registry = createRegistry(store, clock, "console");
  const operations = createOperations(store, clock, "console");
  const now = () => Math.round(clock.wallNow());

  async function find(account: Account, id: string): Promise<{ device: DeviceRow; dwelling: Dwelling | null }> {
    const found = await store().registry.device(id);
    if (!found || !maySeeDevice(account, found.dwelling)) throw notFound("device");
    return found;
  }

  async function show(account: Account, id: string): Promise<DeviceDetail> {
    const { device } = await find(account, id);
    const [known, changes, past] = await Promise.all([
      snapshots.read(),
      operations.changes(id),
      store().troubles.ofDevice(id, mostTroubles),
    ]);
    const { pause, ...unpaused } = device;
    const item = itemMaker(known)(pause && pause.until > now() ? device : unpaused);
    const nameOf = (by: string | null) => (by === null ? null : keeper().staff.nameOf(by));
    const { operation, addedAt, threshold = null, leadsOut = false, firmware = null } = device;
    const ownFrom = account.units === null ? Number.NEGATIVE_INFINITY : cameAt(device, changes);
    return {
      ...{
        ...item,
        addedAt,
        since: operation.since,
        by: nameOf(operation.by),
        how: operation.how,
        threshold,
        leadsOut,
        firmware,
      },
      history: changes
        .filter(({ dwellingId }) => maySeeDevice(account, known.dwellings.get(dwellingId ?? "") ?? null))
        .map(({ at, state, dwellingId, by, how, reason }) => ({
          ...{ at, state, by: nameOf(by), how, reason },
          key: item.isKeyHidden ? null : (known.dwellings.get(dwellingId ?? "")?.alias ?? null),
        }))
        .reverse(),
      pastTroubles: past
        .filter(({ since }) => since >= ownFrom)
        .map(({ trouble, since, endedAt, battery, daysLeft, driftMs }) => ({
          ...{ trouble, since: Math.round(since), endedAt, battery, daysLeft, driftMs },
        })),
    };
  }

  /** The unit that somebody's device goes to: theirs, where they have but one and name none. @throws where it is not theirs. */
  function unitFor(account: Account, named: string | undefined): string | undefined {
    const unit = named ?? (account.units?.length === 1 ? account.units[0] : undefined);
    if (maySeeUnit(account, unit ?? null)) return unit;
    throw new Refusal(422, "refused", `unit: choose one of yours: ${account.units?.join(", ")}`);
  }

  /** What the QR code holds. Before anything is changed: an address that cannot be shall not be found out after the secret is made. */
  function noteMaker(named: string | undefined): (id: string, secret: string) => InstallerNote | null {
    const where = brokerAs(named);
    return (id, secret) =>
      where ? { v: 1, broker: where.broker, id, secret, ...(where.ca && { ca: where.ca }) } : null;
  }

  function brokerAs(named: string | undefined): Pick<InstallerNote, "broker" | "ca"> | null {
    const { brokerForDevices } = parts;
    if (!brokerForDevices) return named === undefined ? null : { broker: named };
    try {
      return brokerForDevices(named);
    } catch (error) {
      // Nobody has said it: then there is no code. What somebody has said is refused.
      if (named === undefined) return null;
      throw new Refusal(422, "refused", error instanceof Error ? error.message : String(error));
    }
  }

  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/devices",
        tag,
        summary: "The devices of the register, a page of them at a time",
        needs: "devices.read",
        query: DevicesQuery,
        answer: Devices,
      },
      async ({ account, query: { filter, unit, search, from } }) => {
        const own = (await snapshots.read()).shown
          .filter(({ dwelling }) => maySeeDevice(account, dwelling))
          .map(({ item }) => item);
        const units = [...new Set(own.flatMap((item) => item.unit ?? []))].sort();
        const ofUnit = unit === undefined ? own : own.filter((item) => item.unit === unit);
        const found = ofUnit.filter((item) => matches(item, filter) && holds(item, search));
        return {
          now: now(),
          counts: Object.fromEntries(
            deviceFilters.map((one) => [one, ofUnit.filter((item) => matches(item, one)).length]),
          ) as Devices["counts"],
          units,
          matching: found.length,
          devices: found.slice(from, from + devicesAtOnce),
        };
      },
    );
    api.route(
      {
        method: "GET",
        url: "/devices/options",
        tag,
        summary: "What can be chosen where a device is added or moved",
        needs: "devices.write",
        answer: DeviceOptions,
      },
      async ({ account }) => ({
        broker: brokerAs(undefined)?.broker ?? null,
        units: account.units && [...account.units],
        keys: (await store().registry.dwellings())
          .filter((dwelling) => maySeeUnit(account, dwelling.unit))
          .map(({ alias, unit, area }) => ({ key: alias, unit, area })),
        testMinutes: config.operation.testMinutes,
      }),
    );
    api.route(
      {
        method: "POST",
        url: "/devices",
        tag,
        summary: "Add a device; its secret is answered here and never again",
        needs: "devices.write",
        body: NewDeviceRequest,
        answer: DeviceSetUp,
        problems: ["refused", "id-tells-key"],
      },
      async ({ account, body: { broker, unit: named, ...device } }) => {
        const unit = unitFor(account, named);
        if (tellsKey(device.deviceId, device.key)) {
          throw new Refusal(422, "id-tells-key", "A test alarm's text tells the id: it must not hold the key number");
        }
        const noteFor = noteMaker(broker);
        const added = await refusing(() => registry.addDevice({ ...device, unit }, { by: account.name }));
        snapshots.forget();
        const { deviceId, secret, consent } = added;
        return { deviceId, secret, note: noteFor(deviceId, secret), consent, oldUntil: null };
      },
    );
    api.route(
      {
        method: "GET",
        url: "/devices/:id",
        tag,
        summary: "One device with its history",
        needs: "devices.read",
        params,
        answer: DeviceDetail,
      },
      ({ account, params: { id } }) => show(account, id),
    );
    api.route(
      {
        method: "POST",
        url: "/devices/:id/secret",
        tag,
        summary: "Give a device a new secret, answered here and never again; the old one is valid until this is used",
        needs: "devices.write",
        params,
        body: SecretRequest,
        answer: DeviceSetUp,
        problems: ["refused"],
      },
      async ({ account, params: { id }, body }) => {
        const { device } = await find(account, id);
        if (device.isSelfTest)
          throw new Refusal(422, "refused", "It is the self-test's own: fallvakt self-test device");
        const noteFor = noteMaker(body.broker);
        const days = body.now ? 0 : rotationDays;
        const { secret } = await refusing(() => registry.rotate(id, days, account.name));
        return {
          ...{ deviceId: id, secret, note: noteFor(id, secret), consent: device.consent ?? "missing" },
          oldUntil: body.now ? null : now() + days * 86_400_000,
        };
      },
    );

    /** An address that changes one device and answers it as it is then. */
    function change<T extends z.ZodObject>(
      action: string,
      summary: string,
      body: T | undefined,
      work: (id: string, body: z.output<T>, account: Account) => Promise<void>,
    ): void {
      api.route(
        {
          method: "POST",
          url: `/devices/:id/${action}`,
          tag,
          summary,
          needs: "devices.write",
          params,
          ...(body && { body }),
          answer: DeviceDetail,
          problems: ["refused"],
        },
        async ({ account, params: { id }, body: asked }) => {
          await find(account, id);
          await refusing(() => work(id, asked as z.output<T>, account));
          snapshots.forget();
          return show(account, id);
        },
      );
    }

    change("placement", "Say where it is worn; then it is to be tried again", PlacementRequest, (id, body, { name }) =>
      registry.place(id, body.placement, name),
    );
    change(
      "move",
      "Put it into a dwelling, from store or from another; it awaits its test there",
      MoveRequest,
      (id, body, account) => operations.move(id, { ...body, unit: unitFor(account, body.unit) }, account.name),
    );
    change("store", "Take it out of its dwelling", undefined, (id, _body, { name }) => operations.store(id, name));
    change("revoke", "Shut it out for good, within seconds", undefined, (id, _body, { name }) =>
      registry.revoke(id, name),
    );
  };
}

/** When the device came to where it is now, wall ms. */
function cameAt(device: DeviceRow, changes: readonly OperationChange[]): number {
  if (device.dwellingId === null) return device.operation.since;
  let at = device.operation.since;
  for (const change of changes.toReversed()) {
    if (change.dwellingId !== device.dwellingId || change.state === "in-store") break;
    at = change.at;
  }
  return at;
}
