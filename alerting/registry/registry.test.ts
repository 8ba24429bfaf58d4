import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { verifySecret } from "../../firmware-contracts/secret.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { areSimilar } from "./aliases.ts";
import { readDeviceCsv } from "./csv.ts";
import { openRegister, type Register } from "./register.ts";

let dataDir: string;
let register: Register;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-register-"));
  register = openRegister({ dataDir, clock: systemClock() });
});
afterEach(async () => {
  await register.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const watch = (deviceId: string, key: string, area?: string) => ({ deviceId, placement: "wrist" as const, key, area });

describe("devices", () => {
  test("a secret is shown once and kept as a hash; control counts changes", async () => {
    const { secret } = await register.registry.addDevice(watch("watch-1", "38", "Syd"));
    const control = await register.registry.controlSince(0);
    expect(await verifySecret(secret, control?.devices[0]?.secretHash ?? "")).toBe(true);
    expect(await register.registry.controlSince(1)).toBeNull();
    await register.registry.revoke("watch-1");
    expect(await register.registry.list()).toMatchObject([
      { deviceId: "watch-1", key: "38", area: "Syd", revoked: true },
    ]);
    // A gateway that knows of later days than a restored store gets the store's.
    expect(await register.registry.controlSince(99)).toMatchObject({ version: 2 });
    await expect(register.registry.revoke("nobody")).rejects.toThrow(/no device has the id/);
  });

  test("a new secret leaves the old one valid until it has been used, or for some days, or not at all", async () => {
    const { registry } = register;
    const first = await registry.addDevice(watch("watch-1", "38", "Syd"));
    const second = await registry.rotate("watch-1");
    expect(second.secret).not.toBe(first.secret);
    const [device] = (await registry.controlSince(1))?.devices ?? [];
    expect(await verifySecret(second.secret, device?.secretHash ?? "")).toBe(true);
    expect(await verifySecret(first.secret, device?.previousSecretHash ?? "")).toBe(true);
    const days = ((device?.previousSecretUntil ?? 0) - systemClock().wallNow()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThanOrEqual(30);
    await registry.rotate("watch-1", 0);
    const [after] = (await registry.controlSince(2))?.devices ?? [];
    expect(after).not.toHaveProperty("previousSecretHash");
    await registry.revoke("watch-1");
    await expect(registry.rotate("watch-1")).rejects.toThrow(/revoked/);
    await expect(registry.rotate("nobody")).rejects.toThrow(/no device has the id/);
  });

  test("a replaced secret ends when its successor was used, but not for a use before it was replaced", async () => {
    await register.registry.addDevice(watch("watch-1", "38", "Syd"));
    await register.registry.rotate("watch-1");
    const store = openSqliteStore(dataDir);
    const previous = async () => (await register.registry.controlSince(0))?.devices[0]?.previousSecretHash;
    await store.registry.endPreviousSecret("watch-1", systemClock().wallNow() - 60_000, { at: 1, by: null });
    expect(await previous()).toBeDefined();
    await store.registry.endPreviousSecret("watch-1", systemClock().wallNow() + 1000, { at: 1, by: null });
    expect(await previous()).toBeUndefined();
    await store.close();
  });

  test("two devices of one dwelling share its key; two dwellings never do", async () => {
    await register.registry.addDevice(watch("watch-1", "38", "Syd"));
    await register.registry.addDevice(watch("button-1", "38"));
    await expect(register.registry.addDevice(watch("watch-2", "38", "Norr"))).rejects.toThrow(/one dwelling/);
    await expect(register.registry.addDevice(watch("watch-1", "70"))).rejects.toThrow(/in the register already/);
  });

  test("aliases that a tired person takes for one another are refused within an area", async () => {
    await register.registry.addDevice(watch("watch-1", "38", "Syd"));
    for (const key of ["39", "83", "8", "380"]) {
      await expect(register.registry.addDevice(watch("watch-2", key, "Syd"))).rejects.toThrow(/wrong door/);
    }
    await register.registry.addDevice(watch("watch-3", "39", "Norr"));
    await register.registry.addDevice(watch("watch-4", "52", "Syd"));
    await register.registry.addDevices([watch("sim-1", "39a", "Syd"), watch("sim-2", "39b", "Syd")], {
      allowSimilarAliases: true,
    });
  });

  test("what would not fit in an SMS, or is no device, is refused with the mend", async () => {
    await expect(register.registry.addDevice(watch("watch-1", "123456789"))).rejects.toThrow(
      /key: at most 8 characters/,
    );
    await expect(register.registry.addDevice(watch("Watch 1", "38"))).rejects.toThrow(/deviceId/);
    await expect(register.registry.addDevice(watch("watch-1", "38", "Söder ☃"))).rejects.toThrow(
      /letters an SMS can hold/,
    );
  });

  test("a list from a spreadsheet: all or none, with the line", async () => {
    const list = 'deviceId;placement;key;area;room\nwatch-1;wrist;38;"Gustavsberg; syd";badrum\r\nwatch-2;waist;52;;\n';
    expect(await register.registry.addFromCsv(list)).toHaveLength(2);
    expect((await register.registry.list())[0]).toMatchObject({ area: "Gustavsberg; syd", room: "badrum" });
    await expect(
      register.registry.addFromCsv("deviceId,placement,key\nwatch-3,wrist,70\nwatch-4,foot,91\n"),
    ).rejects.toThrow(/line 3: placement/);
    expect(await register.registry.list()).toHaveLength(2);
    expect(() => readDeviceCsv("deviceId,key\n")).toThrow(/column placement is missing/);
    expect(() => readDeviceCsv("deviceId,placement,key\na,b\n")).toThrow(/line 2: 2 values/);
    expect(() => readDeviceCsv('deviceId,placement,key\n"a,b')).toThrow(/never closed/);
  });
});

test("similar means one character or a swap", () => {
  for (const [a, b] of [
    ["38", "39"],
    ["38", "83"],
    ["138", "831"],
    ["38", "381"],
    ["A1", "a1"],
  ] as const)
    expect(areSimilar(a, b)).toBe(true);
  for (const [a, b] of [
    ["38", "52"],
    ["123", "231"],
    ["38", "4121"],
  ] as const)
    expect(areSimilar(a, b)).toBe(false);
});
