import { z } from "zod";
import { DeviceId } from "../../../firmware-contracts/topics.ts";
import { dutyNow } from "../../duty.ts";
import { createPolicies } from "../../policies.ts";
import { createOperations } from "../../registry/operations.ts";
import type { DeviceRow, Dwelling, OperationTest } from "../../store/store.ts";
import { notFound, Refusal, refusing } from "../problems.ts";
import type { Account } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import { DeviceTest, TestRequest } from "./api.ts";
import { maySeeDevice } from "./device-views.ts";
import type { DevicesParts, Snapshots } from "./parts.ts";

const tag = "Devices";
const url = "/devices/:id/test";
const params = z.object({ id: DeviceId });

/** Putting a device into operation by a test alarm from its dwelling. What is answered never holds the key number: whoever answers reads it from the key. */
export function testAlarmArea(
  { config, clock, store, board, keeper }: DevicesParts,
  snapshots: Snapshots,
): ConsoleArea {
  const operations = createOperations(store, clock, "console");
  const policies = createPolicies(config);
  const { testMinutes } = config.operation;

  async function find(account: Account, id: string): Promise<{ device: DeviceRow; dwelling: Dwelling | null }> {
    const found = await store().registry.device(id);
    if (!found || found.device.isSelfTest || !maySeeDevice(account, found.dwelling)) throw notFound("device");
    return found;
  }

  /** Whose phone can be asked: who is on call in the dwelling's unit, and operators. */
  function phonesFor(unit: string | null): DeviceTest["phones"] {
    const { staff } = keeper();
    const now = clock.wallNow();
    const policy = policies.forTest(null, unit, testMinutes * 60_000);
    const { steps, operators } = dutyNow(policy, staff.at(now), [], [], now);
    const onCall = new Set(steps.flat());
    return [...new Set([...onCall, ...operators])]
      .filter((id) => staff.responders.has(id) && !staff.lost.has(id))
      .map((id) => ({ id, name: staff.nameOf(id), isOnCall: onCall.has(id) }));
  }

  async function show(account: Account, id: string): Promise<DeviceTest> {
    const { device, dwelling } = await find(account, id);
    const last = await operations.lastTest(id);
    // A test in the dwelling that it was in before says nothing of this one.
    const test = last !== null && last.dwellingId === device.dwellingId ? last : null;
    const episode = test?.episodeId ? board().detail(test.episodeId) : null;
    const page = episode?.pages.findLast(({ purpose }) => purpose === "test") ?? null;
    const state = test?.episodeId
      ? board()
          .states()
          .find(({ facts }) => facts.id === test.episodeId)
      : undefined;
    const heard = state?.facts.detection?.kind;
    return {
      ...{ now: Math.round(clock.wallNow()), deviceId: id, operation: device.operation.state, state: stateOf(test) },
      ...{ openedAt: test?.openedAt ?? null, untilAt: test?.untilAt ?? null, endedAt: test?.endedAt ?? null },
      ...{ by: test?.by ?? null, heardAt: episode?.openedAt ?? null, heard: heard ?? null },
      phone: page?.responder ?? (test?.responderId ? keeper().staff.nameOf(test.responderId) : null),
      ...{ sms: page?.status ?? null, wrong: test?.wrong ?? 0 },
      phones: dwelling ? phonesFor(dwelling.unit) : [],
      testMinutes,
    };
  }

  return (api) => {
    api.route(
      {
        method: "GET",
        url,
        tag,
        summary: "How far a device's test alarm has come",
        needs: "devices.read",
        params,
        answer: DeviceTest,
      },
      ({ account, params: { id } }) => show(account, id),
    );
    api.route(
      {
        method: "POST",
        url,
        tag,
        summary: "Make a device's next alarm a test: whoever answers it with the key number puts it into operation",
        needs: "devices.write",
        params,
        body: TestRequest,
        answer: DeviceTest,
        problems: ["refused"],
      },
      async ({ account, params: { id }, body: { to, minutes = testMinutes } }) => {
        const { dwelling } = await find(account, id);
        if (to !== undefined && !phonesFor(dwelling?.unit ?? null).some((phone) => phone.id === to)) {
          throw new Refusal(422, "refused", `to: ${to} is not on call there now, or gets no texts`);
        }
        await refusing(() => operations.test(id, { minutes, to, by: account.name }));
        snapshots.forget();
        return show(account, id);
      },
    );
    api.route(
      {
        method: "DELETE",
        url,
        tag,
        summary: "End it before its time; an alarm that has come is then no test, and goes to the operators",
        needs: "devices.write",
        params,
        answer: DeviceTest,
        problems: ["refused"],
      },
      async ({ account, params: { id } }) => {
        await find(account, id);
        const ended = await refusing(() => operations.callOff(id, account.name));
        snapshots.forget();
        if (ended?.episodeId) await keeper().callOffTest(ended.episodeId);
        return show(account, id);
      },
    );
  };
}

function stateOf(test: OperationTest | null): DeviceTest["state"] {
  if (test === null) return "none";
  return test.outcome ?? (test.episodeId === null ? "waiting" : "asked");
}
