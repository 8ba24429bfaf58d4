import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRegister } from "../../alerting/registry/register.ts";
import type { SelfTestRow } from "../../alerting/store/store.ts";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { selfTestLinks } from "../../firmware-contracts/self-test.ts";
import { Town } from "../promises/town.ts";

const limits = { connect: 60, acknowledged: 60, detected: 60, intake: 60, paged: 60, delivered: 60 };
let dataDir: string;
let town: Town;

async function beside<T>(work: (register: ReturnType<typeof openRegister>) => Promise<T>, clock: Clock): Promise<T> {
  const register = openRegister({ dataDir: join(dataDir, "alerting"), clock });
  try {
    return await work(register);
  } finally {
    await register.close();
  }
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "fallvakt-self-test-apart-"));
  const { secret } = await beside(({ selfTests }) => selfTests.putDevice("self-test", "eva"), systemClock());
  town = await Town.open({ dataDir, apart: true, broker: "embedded", selfTest: { secret, limits } });
});
afterAll(async () => {
  await town?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test("gateway and alerting apart: alerting asks by Control, the gateway reports through the intake, every link holds", async () => {
  const id = await beside(({ selfTests }) => selfTests.ask({ device: "self-test", limits }, "eva"), town.clock);
  let run: SelfTestRow | null = null;
  await expect
    .poll(
      async () => {
        run = await beside(({ selfTests }) => selfTests.find(id), town.clock);
        return run?.endedAt ?? null;
      },
      { timeout: 20_000, interval: 50 },
    )
    .not.toBeNull();
  expect(run).toMatchObject({ failed: null });
  expect(Object.keys((run as SelfTestRow | null)?.links ?? {}).sort()).toEqual([...selfTestLinks].sort());
  await town.text("patrol-1", /^PROVLARM/);
});
