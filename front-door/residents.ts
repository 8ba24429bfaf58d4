import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { eraseDwelling } from "../alerting/erasure/erase.ts";
import { ResidentFlag } from "../alerting/registry/resident-flags.ts";
import { createResidents, type NewResident, type Residents } from "../alerting/registry/residents.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withStore } from "./with-register.ts";

interface OfDwelling extends WithConfig {
  key: string;
  unit?: string;
  by: string;
}

function ofDwelling(command: Command): Command {
  return withConfig(command)
    .requiredOption("--key <number>", "the dwelling's key number")
    .option("--unit <name>", "its home-care unit, where several units use the key number");
}

const withResidents = <T>(options: WithConfig, use: (residents: Residents) => Promise<T>) =>
  withStore(options, ({ store, clock }) => use(createResidents(() => store, clock, "cli")));

interface AddOptions extends OfDwelling {
  from?: string;
  name?: string;
  address?: string;
  keyCode?: string;
  route?: string;
  contact: string[];
  flag: string[];
  note?: string;
  replaces?: string;
}

/** `fallvakt resident`: who lives where, sealed; and erasing all of it. */
export function residentCommand(): Command {
  const command = new Command("resident")
    .description("residents: name, address, key code and whom to call, sealed with a key of the dwelling's own")
    .addHelpText(
      "after",
      `
Examples:
  fallvakt resident add --key 38 --by eva --from resident.json     { "name": …, "address": …, "keyCode": …, "route": …, "contacts": [{ "name": …, "phone": … }], "flags": ["two-needed"], "note": … }
  fallvakt resident add --key 38 --by eva --name "Asta Ek" --flag dog door-chain --note "the dog is friendly"
  fallvakt resident show --key 38 --by eva                         the look-up stands in the audit log
  fallvakt resident erase --key 38 --by eva`,
    );

  ofDwelling(command.command("add"))
    .description("add a resident to a dwelling; its devices are added before, by fallvakt device add")
    .option("--from <file>", "a file of JSON, or - for standard input; so nothing of it stays in the shell's history")
    .option("--name <name>", "the resident's name")
    .option("--address <address>", "street, stairwell, floor")
    .option("--key-code <code>", "code of the door or of the key box")
    .option("--route <text>", "the way there, and how the door opens")
    .option("--contact <name=phone...>", 'whom staff call, in order, as "Anna=+46701234567"', [])
    .addOption(
      new Option("--flag <flag...>", "what whoever goes there must know")
        .choices(ResidentFlag.options)
        .default([], "none"),
    )
    .option("--note <text>", "of that, what no flag says")
    .option("--replaces <id>", "puts it in the place of this one, as after a correction")
    .requiredOption("--by <name>", "who adds it: your name or account")
    .action(async (options: AddOptions) => {
      const { key, unit, by, replaces } = options;
      const resident = residentIn(options);
      const added = await withResidents(options, (residents) => residents.add({ key, unit }, resident, by, replaces));
      print(options.json ? JSON.stringify({ key, ...added }) : `Key ${key}: added ${added.id}.`);
    });

  withConfig(command.command("list"))
    .description("key numbers, and how many residents each has; it opens nothing")
    .action(async (options: WithConfig) => {
      const listed = await withResidents(options, (residents) => residents.list());
      if (options.json) return print(JSON.stringify(listed));
      printTable(
        ["key", "unit", "residents"],
        listed.map(({ key, unit, residents }) => [key, unit ?? "–", String(residents)]),
      );
    });

  ofDwelling(command.command("show"))
    .description("what is known of a dwelling's residents; the look-up is written to the audit log first")
    .requiredOption("--by <name>", "who looks: your name or account")
    .action(async ({ key, unit, by, ...options }: OfDwelling) => {
      const found = await withResidents(options, (residents) => residents.show({ key, unit }, by));
      if (options.json) return print(JSON.stringify(found));
      if (found.length === 0) return print(`Key ${key}: no resident is known.`);
      for (const { id, addedAt, name, address, keyCode, route, contacts, flags, note } of found) {
        print(`${name} (${id}, since ${timeOf(addedAt)})`);
        if (flags.length > 0) print(`  Know: ${flags.join(", ")}`);
        if (note) print(`  Note: ${note}`);
        if (address) print(`  Address: ${address}`);
        if (keyCode) print(`  Key code: ${keyCode}`);
        if (route) print(`  Route: ${route}`);
        for (const contact of contacts) print(`  Call: ${contact.name}, ${contact.phone}`);
      }
    });
  addErase(command);
  return command;
}

/** From a file, or from the options. What cannot be right is found by the register. */
function residentIn({ from, name, address, keyCode, route, contact, flag, note }: AddOptions): NewResident {
  if (from === undefined) {
    const contacts = contact.map((one) => {
      const at = one.lastIndexOf("=");
      return { name: one.slice(0, Math.max(0, at)), phone: one.slice(at + 1) };
    });
    const flags = flag as NonNullable<NewResident["flags"]>;
    return { name: name ?? "", address, keyCode, route, contacts, flags, note };
  }
  try {
    return JSON.parse(readFileSync(from === "-" ? 0 : from, "utf8")) as NewResident;
  } catch {
    throw new Error(
      `${from === "-" ? "standard input" : from} holds no JSON of a resident; see fallvakt resident --help`,
    );
  }
}

interface EraseOptions extends OfDwelling {
  yes: boolean;
  withoutInflux: boolean;
}

function addErase(command: Command): void {
  ofDwelling(command.command("erase"))
    .description(
      "erase all that is about the dwelling of a key number: its key is destroyed, so that nobody reads its log again, and the rest is blanked. It cannot be undone. Cut off, it is finished by running it again",
    )
    .requiredOption("--by <name>", "who erases: your name or account")
    .option("--yes", "do not ask", false)
    .option("--without-influx", "leave InfluxDB out: its data was deleted there by hand", false)
    .action(async ({ key, unit, by, yes, withoutInflux, ...options }: EraseOptions) => {
      if (!yes && !(await isSure(key))) throw new Error("nothing was erased");
      const { done, gateway } = await withStore(options, async ({ store, clock, dataDir, config, alerting }) => ({
        done: await eraseDwelling(
          {
            store,
            clock,
            dataDir,
            influx: withoutInflux ? undefined : alerting.influx,
            onPart: (part, says) => {
              if (!options.json) print(`${part.padEnd(11)} ${says}`);
            },
          },
          { key, unit },
          by,
        ),
        gateway: existsSync(join(config.dataDir, "gateway")),
      }));
      if (options.json) return print(JSON.stringify(done));
      const where = gateway ? "The gateway of this data folder" : "Gateways that alerting can reach";
      print(
        `gateway     ${where} shut its devices out within seconds, delete its candidates and let go of what was undecided. Movements stay in the journal by device id, without key number or name, until its file is full and nobody needs it`,
      );
      const unsealed = done.reduce((sum, { forgotten }) => sum + forgotten.unsealedEntries, 0);
      if (unsealed > 0) {
        print(
          `LEFT        ${unsealed} log entries of before entries were sealed hold the key number, area and room; they cannot go without breaking the log`,
        );
      }
      print("Erased. Backups made before hold it still, with the master key: let them run out.");
    });
}

async function isSure(key: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error("nobody can be asked here: give --yes");
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await asked.question(`Erase all that is about key ${key}, for good? Write the key number again: `)) === key;
  } finally {
    asked.close();
  }
}
