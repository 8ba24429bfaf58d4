import { createInterface } from "node:readline/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { renderUnicodeCompact } from "uqr";
import { Permission, permissionsOf, Role } from "../alerting/console/roles.ts";
import { type OneTimeCode, tokenPrefix } from "../alerting/registry/users.ts";
import { newSecret } from "../firmware-contracts/secret.ts";
import { readConfig } from "./config.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

interface ByWhom {
  by?: string;
}
interface OfRole extends WithConfig, ByWhom {
  role: Role;
  unit: string[];
}

const byWhom = (command: Command) => command.option("--by <name>", "who does it, for the audit log");
const ofRole = (command: Command) =>
  command
    .addOption(new Option("--role <role>", "what it is for").choices(Role.options).default("operator"))
    .option("--unit <name...>", "home-care units whose residents they may see; left out: all of them", []);

const unitsIn = ({ unit }: { unit: readonly string[] }) => (unit.length > 0 ? [...unit] : null);
const unitsOf = (units: readonly string[] | null) => units?.join(", ") ?? "all";

/** `fallvakt user`: accounts of the console. A running service follows within seconds. */
export function userCommand(): Command {
  const command = new Command("user").description("accounts for the console, their roles and units").addHelpText(
    "after",
    `
Roles: responder (goes to alarms), operator (works the board), installer (puts up sensors), manager (accounts, rota, residents), auditor (who has looked at what).
Examples:
  fallvakt user add maria --role manager                       the first one, who adds the others on the page
  fallvakt user invite rut --role responder --unit Gustavsberg --qr    a code by which Rut chooses her password
  fallvakt user reset rut                                      a new code, where the password is forgotten
  fallvakt user role rut --role operator --unit Gustavsberg Hemmesta
  fallvakt user shut-off rut                                   nobody logs in by it; user open opens it again
  fallvakt user list`,
  );

  byWhom(ofRole(withConfig(command.command("add <name>"))))
    .description(
      "add an account with a password, or give it a new password, role and units; a password is made up unless --password-stdin",
    )
    .option("--password-stdin", "read the password from standard input", false)
    .action(async (name: string, options: OfRole & { passwordStdin: boolean }) => {
      const given = options.passwordStdin ? await firstLine() : null;
      const password = given ?? newSecret();
      const { role, by } = options;
      await withRegister(options, ({ users }) => users.addUser(name, password, role, unitsIn(options), by));
      const told = given === null ? { password } : {};
      if (options.json) return print(JSON.stringify({ name, role, units: unitsIn(options), ...told }));
      print(given === null ? `Added ${name}. Password, shown only now: ${password}` : `Added ${name}.`);
    });

  withConfig(command.command("list"))
    .description("every account, its role and units, and whether it may log in")
    .action(async (options: WithConfig) => {
      const users = await withRegister(options, (register) => register.users.list());
      if (options.json) return print(JSON.stringify(users));
      if (users.length === 0) return print("No accounts yet: fallvakt user add NAME --role manager");
      const rows = users.map(({ name, role, units, isOpen, hasPassword, codeUntil }) => [
        name,
        role,
        unitsOf(units),
        !isOpen ? "shut off" : hasPassword ? "open" : "no password yet",
        timeOf(codeUntil),
      ]);
      printTable(["account", "role", "units", "state", "code good until"], rows);
    });

  withQr(byWhom(ofRole(withConfig(command.command("invite <name>")))))
    .description("add an account whose person chooses the password, by a code that is good once, for 24 hours")
    .action(async (name: string, options: OfRole & WithQr) => {
      const { role, by } = options;
      const made = await withRegister(options, ({ users }) =>
        users.invite({ name, role, units: unitsIn(options) }, by),
      );
      showCode(name, made, options);
    });

  withQr(byWhom(withConfig(command.command("reset <name>"))))
    .description(
      "a code by which its person chooses a new password, good once, for an hour; the old one is good until then",
    )
    .action(async (name: string, options: WithConfig & ByWhom & WithQr) => {
      showCode(name, await withRegister(options, ({ users }) => users.newCode(name, options.by)), options);
    });

  byWhom(withConfig(command.command("role <name>")))
    .description("give an account another role or other units; its sessions and tokens end")
    .addOption(new Option("--role <role>", "what it is for").choices(Role.options))
    .option("--unit <name...>", "its home-care units from now on", [])
    .option("--all-units", "residents of all units", false)
    .action(async (name: string, options: Partial<OfRole> & WithConfig & { unit: string[]; allUnits: boolean }) => {
      const { role, unit, allUnits, by } = options;
      if (allUnits && unit.length > 0) throw new Error("say either --unit or --all-units");
      if (!role && !allUnits && unit.length === 0) throw new Error("say --role, --unit or --all-units");
      const changed = await withRegister(options, async ({ users }) => {
        const user = await users.find(name);
        if (!user) throw new Error(`no account has the name ${name}; see fallvakt user list`);
        const units = allUnits ? null : (unitsIn({ unit }) ?? user.units);
        const account = { name: user.name, role: role ?? user.role, units };
        await users.change(account, by);
        return account;
      });
      if (options.json) return print(JSON.stringify(changed));
      print(
        `${changed.name} is ${changed.role}, units: ${unitsOf(changed.units)}. Whoever was logged in by it is out.`,
      );
    });

  const acts = [
    ["shut-off", "shut an account off: its sessions and tokens end, and nobody logs in by it", "is shut off"],
    ["open", "open an account that was shut off", "is open"],
    ["remove", "remove an account; its sessions and tokens end", "is removed"],
  ] as const;
  for (const [act, description, told] of acts) {
    byWhom(withConfig(command.command(`${act} <name>`)))
      .description(description)
      .action(async (name: string, options: WithConfig & ByWhom) => {
        await withRegister(options, ({ users }) =>
          act === "remove" ? users.remove(name, options.by) : users.setOpen(name, act === "open", options.by),
        );
        print(options.json ? JSON.stringify({ name, done: act }) : `${name} ${told}.`);
      });
  }
  return command;
}

interface WithQr {
  qr: boolean;
  address?: string;
}
const withQr = (command: Command) =>
  command
    .option("--qr", "print the page's address with the code in it as a QR code too", false)
    .option("--address <url>", "the console's address as phones reach it; left out: alerting.http.publicUrl");

function showCode(name: string, { code, until }: OneTimeCode, options: WithConfig & WithQr): void {
  if (options.json) {
    print(JSON.stringify({ name, code, until }));
    return;
  }
  print(`Code for ${name}, shown only now: ${code}`);
  print(`Good once, until ${timeOf(until)}: at the console's login, "I have a one-time code".`);
  if (!options.qr) return;
  const at = options.address ?? readConfig(options.config, "alerting").alerting?.http.publicUrl ?? "";
  const hash = ["code", name, code.replaceAll(" ", "")].map(encodeURIComponent).join("/");
  print(renderUnicodeCompact(`${at.replace(/\/$/, "")}/#/${hash}`, { ecc: "M", border: 2 }));
}

function days(text: string): number {
  const read = Number(text);
  if (Number.isInteger(read) && read >= 1 && read <= 366) return read;
  throw new InvalidArgumentError("from 1 to 366");
}

/** `fallvakt token`: programs that use the console's API. */
export function tokenCommand(): Command {
  const command = new Command("token").description("tokens by which programs use the console's API").addHelpText(
    "after",
    `
A token may what its account may, in its units, as far as its scopes go; it ends with the account.
Scopes: ${Permission.options.join(", ")}
Examples:
  fallvakt token add wall-board --account maria --scope episodes.read
  fallvakt token add alarm-centre --account eva --scope episodes.read episodes.act --days 30 --json
  fallvakt token list
  fallvakt token revoke wall-board
  curl -H "Authorization: Bearer $TOKEN" https://larm.example.se/api/v1/episodes`,
  );

  byWhom(withConfig(command.command("add <name>")))
    .description("make a token; it is shown once")
    .requiredOption("--account <name>", "whose it is")
    .addOption(
      new Option("--scope <permission...>", "what it may: of what the account's role may").makeOptionMandatory(),
    )
    .option("--days <number>", "how long it is good", days, 90)
    .action(async (name: string, options: WithConfig & ByWhom & { account: string; scope: string[]; days: number }) => {
      const scopes = options.scope.map((scope) => {
        const read = Permission.safeParse(scope);
        if (read.success) return read.data;
        throw new Error(`${scope} is no scope; they are: ${Permission.options.join(", ")}`);
      });
      const { token, row } = await withRegister(options, async ({ users, tokens }) => {
        const account = await users.find(options.account);
        if (!account?.isOpen) throw new Error(`no account that is open has the name ${options.account}`);
        return tokens.add(account, { name, scopes, days: options.days }, options.by);
      });
      if (options.json) return print(JSON.stringify({ name: row.name, token, scopes, until: row.until }));
      print(`Made ${row.name}, good until ${timeOf(row.until)}. In the audit log it is ${tokenPrefix}${row.name}.`);
      print(`Token, shown only now: ${token}`);
    });

  withConfig(command.command("list"))
    .description("every token, whose it is, and when it was last used")
    .action(async (options: WithConfig) => {
      const tokens = await withRegister(options, (register) => register.tokens.list());
      if (options.json) return print(JSON.stringify(tokens));
      if (tokens.length === 0)
        return print("No tokens yet: fallvakt token add NAME --account ACCOUNT --scope episodes.read");
      const rows = tokens.map(({ name, account, scopes, until, usedAt, revokedAt }) => [
        name,
        account.name,
        unitsOf(account.units),
        revokedAt === null ? timeOf(until) : `revoked ${timeOf(revokedAt)}`,
        usedAt === null ? "never" : timeOf(usedAt),
        scopes.length === permissionsOf(account).length ? "all of its role" : scopes.join(" "),
      ]);
      printTable(["token", "account", "units", "good until", "last used", "scopes"], rows);
    });

  byWhom(withConfig(command.command("revoke <name>")))
    .description("shut a token out, within seconds")
    .action(async (name: string, options: WithConfig & ByWhom) => {
      await withRegister(options, ({ tokens }) => tokens.revoke(name, options.by));
      print(options.json ? JSON.stringify({ name, revoked: true }) : `Revoked ${name}.`);
    });
  return command;
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  throw new Error("no password on standard input");
}
