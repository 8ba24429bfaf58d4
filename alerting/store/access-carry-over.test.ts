import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Account } from "../console/roles.ts";
import { carryOver } from "./carry-over.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { DoneAct, Store } from "./store.ts";

const at = 1_795_486_440_000;
const act: DoneAct = { at, by: "eva", via: "cli" };
const masterKey = (folder: string) => ({ file: join(folder, "keys", "master.key") });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alerting-restored-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const account = (name: string): Account => ({ name, role: "responder", units: ["Gustavsberg"] });
const token = (name: string, of: string) => ({
  ...{ name, tokenHash: `hash-${name}`, account: account(of), scopes: ["episodes.read" as const] },
  ...{ madeAt: at, until: at + 1e9, usedAt: null, revokedAt: null },
});
const session = (id: string, of: string) => ({
  ...{ id, tokenHash: `hash-${id}`, account: account(of), openedAt: at, usedAt: at, agent: null },
});
const sessionsOf = async (store: Store) =>
  (await Promise.all(["rut", "bo", "nils", "eva"].map((name) => store.access.sessionsOf(name))))
    .flat()
    .map(({ id }) => id);

test("after a restore nobody comes in who was shut out since the backup, and who is logged in stays so", async () => {
  const present = openSqliteStore(folder);
  await present.keys.open();
  for (const name of ["rut", "bo", "nils", "eva"])
    await present.users.putUser({ ...account(name), passwordHash: "h" }, act);
  await present.users.putCode("rut", { hash: "c", until: at + 1000 }, act);
  await present.access.putSession(session("before", "rut"), 0, 10);
  for (const [name, of] of [
    ["kept", "rut"],
    ["revoked", "rut"],
  ] as const)
    await present.access.addToken(token(name, of), act);
  await present.close();
  copyFileSync(join(folder, "alerting.db"), join(folder, "backup.db"));

  const since = openSqliteStore(folder);
  await since.access.endSession("before", "rut");
  await since.access.putSession(session("since", "rut"), 0, 10);
  await since.access.putSession(session("changed", "eva"), 0, 10);
  await since.access.revokeToken("revoked", act);
  await since.users.openUser("bo", false, act);
  await since.users.removeUser("nils", act);
  await since.users.addUser({ ...account("ny"), code: { hash: "c", until: at } }, act);
  await since.access.beginAnswer({ id: "a1", account: "rut", fingerprint: "f", at }, 0);
  await since.close();

  const options = {
    backup: join(folder, "backup.db"),
    present: join(folder, "alerting.db"),
    masterKey: masterKey(folder),
  };
  const carried = carryOver({ ...options, act: { at: at + 5, by: "eva" }, madeAt: "2026-11-24" });
  expect(carried.shutOff).toEqual(["bo", "nils"]);
  copyFileSync(join(folder, "backup.db"), join(folder, "alerting.db"));
  for (const rest of ["-wal", "-shm"]) rmSync(join(folder, `alerting.db${rest}`), { force: true });

  const restored = openSqliteStore(folder);
  expect((await restored.users.users()).map(({ name, isOpen }) => [name, isOpen])).toEqual([
    ["bo", false],
    ["eva", true],
    ["nils", false],
    ["rut", true],
  ]);
  expect((await restored.users.user("rut"))?.code).toBeNull();
  expect((await sessionsOf(restored)).sort()).toEqual(["changed", "since"]);
  expect((await restored.access.tokens()).map(({ name, revokedAt }) => [name, revokedAt !== null])).toEqual([
    ["kept", false],
    ["revoked", true],
  ]);
  expect(await restored.access.beginAnswer({ id: "a1", account: "rut", fingerprint: "f", at }, 0)).toEqual({
    fingerprint: "f",
    sealed: null,
  });
  expect(await restored.audit.verify("acts")).toMatchObject({ brokenAt: null });
  await restored.close();
});

test("without the present store nobody is logged in, and no code is good", async () => {
  const store = openSqliteStore(folder);
  await store.keys.open();
  await store.users.putUser({ ...account("rut"), passwordHash: "h" }, act);
  await store.users.putCode("rut", { hash: "c", until: at + 1000 }, act);
  await store.access.putSession(session("before", "rut"), 0, 10);
  await store.close();
  const options = { backup: join(folder, "alerting.db"), present: null, masterKey: masterKey(folder) };
  carryOver({ ...options, act: { at: at + 5, by: "eva" }, madeAt: "2026-11-24" });
  const restored = openSqliteStore(folder);
  expect(await restored.access.sessionsOf("rut")).toEqual([]);
  expect(await restored.users.user("rut")).toMatchObject({ isOpen: true, code: null });
  await restored.close();
});
