import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { openRegister } from "../alerting/registry/register.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { tokenCommand, userCommand } from "./accounts.ts";
import { auditCommand } from "./audit.ts";

let folder: string;
let config: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-accounts-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify(townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 })));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (command: Command, ...args: string[]) => typed(command, ...args, "--config", config);
const json = async (command: Command, ...args: string[]) => JSON.parse(await run(command, ...args, "--json"));

test("accounts from the command line: added, invited, changed, shut off, removed, each with who did it", async () => {
  expect(await run(userCommand(), "list")).toContain("fallvakt user add NAME");
  expect(await run(userCommand(), "add", "maria", "--role", "manager", "--by", "eva")).toMatch(
    /Password, shown only now: \S{27}/,
  );
  const invited = await json(
    userCommand(),
    "invite",
    "rut",
    "--role",
    "responder",
    "--unit",
    "Gustavsberg",
    "Hemmesta",
  );
  expect(invited).toEqual({
    name: "rut",
    code: expect.stringMatching(/^\d{4} \d{4} \d{4}$/),
    until: expect.any(Number),
  });
  const list = await run(userCommand(), "list");
  expect(list).toMatch(/^maria +manager +all +open +–$/m);
  expect(list).toMatch(/^rut +responder +Gustavsberg, Hemmesta +no password yet +\d{4}-/m);
  const reset = await run(userCommand(), "reset", "rut", "--qr", "--address", "https://larm.example.se/");
  expect(reset).toMatch(/Code for rut, shown only now: \d{4} \d{4} \d{4}/);
  expect(reset).toContain("▀");
  const changed = await json(userCommand(), "role", "rut", "--role", "operator", "--all-units", "--by", "eva");
  expect(changed).toEqual({ name: "rut", role: "operator", units: null });
  expect(await json(userCommand(), "role", "rut", "--unit", "Hemmesta")).toMatchObject({
    role: "operator",
    units: ["Hemmesta"],
  });
  await run(userCommand(), "shut-off", "rut");
  expect((await json(userCommand(), "list"))[1]).toMatchObject({
    name: "rut",
    isOpen: false,
    hasPassword: false,
    codeUntil: null,
  });
  await run(userCommand(), "open", "rut");
  await run(userCommand(), "remove", "rut", "--by", "eva");
  expect((await json(userCommand(), "list")).map(({ name }: { name: string }) => name)).toEqual(["maria"]);
  const log = await run(auditCommand(), "export");
  for (const act of [
    "account-added",
    "account-code-given",
    "account-changed",
    "account-shut-off",
    "account-opened",
    "account-removed",
  ]) {
    expect(log).toContain(act);
  }
});

test("what cannot be is refused with its mend", async () => {
  await expect(run(userCommand(), "remove", "nobody")).rejects.toThrow(/no account has the name nobody/);
  await expect(run(userCommand(), "role", "maria")).rejects.toThrow(/say --role, --unit or --all-units/);
  await expect(run(userCommand(), "invite", "maria")).rejects.toThrow(/choose another/);
  await expect(run(userCommand(), "invite", "token:x")).rejects.toThrow(/begins as a program's/);
  const add = ["add", "board", "--account", "maria", "--scope"];
  await expect(run(tokenCommand(), ...add, "episodes.delete")).rejects.toThrow(/no scope; they are: episodes.read/);
  await expect(run(tokenCommand(), ...add, "episodes.act")).rejects.toThrow(/the role manager has not: episodes.act/);
  await expect(run(tokenCommand(), "revoke", "board")).rejects.toThrow(/no token that is good/);
});

test("a token is shown once, listed without itself, and revoked", async () => {
  const scopes = ["--scope", "episodes.read", "audit.read", "--days", "7"];
  const { token, until } = await json(tokenCommand(), "add", "wall-board", "--account", "maria", ...scopes);
  expect(token).toMatch(/^fallvakt_[\w-]{27}$/);
  expect(until - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
  const list = await run(tokenCommand(), "list");
  expect(list).toMatch(/^wall-board +maria +all +\d{4}-\S+ \S+ +never +episodes.read audit.read$/m);
  expect(list).not.toContain(token);
  expect(await run(tokenCommand(), "revoke", "wall-board")).toBe("Revoked wall-board.\n");
  const register = openRegister({ dataDir: join(folder, "data", "alerting"), clock: systemClock() });
  expect((await register.tokens.list())[0]?.revokedAt).not.toBeNull();
  await register.close();
});
