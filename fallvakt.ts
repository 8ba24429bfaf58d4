#!/usr/bin/env node
// The front door: the command line. It names the commands and loads what each needs; the wiring is in front-door/.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Fallvakt needs Node 24 and brings it as a package. Started by an older Node (a global install), it hands over to that one.
const isOld = Number(process.versions.node.split(".")[0]) < 24;
// A service runs for years on a small machine. V8's young generation would grow to 48 MiB under any load, whoever makes that load, and then stay there; for
// size it keeps its heap 25 MiB smaller and finds candidates as fast (test/bench/README.md). glibc would keep an arena for each thread.
const isService = process.argv[2] === "start";
const given = [process.env.NODE_OPTIONS ?? "", ...process.execArgv];
const sizes = ["--max-semi-space-size=8", "--optimize-for-size"];
const flags = sizes.filter((flag) => isService && !given.some((text) => text.includes(flag.split("=")[0] ?? flag)));
if (flags.length > 0) process.env.MALLOC_ARENA_MAX ??= "2";
const node = isOld ? createRequire(import.meta.url).resolve("node/bin/node") : process.execPath;
const args = [...process.execArgv, ...flags, ...process.argv.slice(1)];
if (isOld || flags.length > 0) {
  // In this process's place where that can be: whoever stops it then stops the service.
  if (process.execve && process.platform !== "win32") process.execve(node, [node, ...args], process.env);
  if (isOld) process.exit(spawnSync(node, args, { stdio: "inherit" }).status ?? 1);
}

const { Command } = await import("commander");

const isCompiled = import.meta.url.endsWith(".js");
const packageFile = new URL(isCompiled ? "../package.json" : "./package.json", import.meta.url);
const { version, description } = JSON.parse(readFileSync(packageFile, "utf8")) as Record<string, string>;

const program = new Command("fallvakt")
  .description(description ?? "")
  .version(version ?? "")
  .addHelpText(
    "after",
    `
Examples:
  fallvakt demo                       watch falls travel from sensors to a patrol's phone
  fallvakt init --simulated-phones    write fallvakt.yaml to try the service without an SMS provider
  fallvakt check                      say what is wrong in fallvakt.yaml, and the mend
  fallvakt start                      run the service
  fallvakt device add watch-17 --placement wrist --key 38 --area "Gustavsberg syd" --consent-by eva
  fallvakt evaluate DIR               how well the detector does on a recording set
From a clone, write "npm run -s fallvakt -- COMMAND".`,
  );

// Each command's module is loaded only when that command (or the help that lists it) is asked for, so that none waits for another's libraries.
const commands: Record<string, () => Promise<InstanceType<typeof Command>>> = {
  demo: async () => (await import("./front-door/demo.ts")).demoCommand(),
  init: async () => (await import("./front-door/init.ts")).initCommand(),
  check: async () => (await import("./front-door/check.ts")).checkCommand(),
  start: async () => (await import("./front-door/start.ts")).startCommand(version ?? ""),
  device: async () => (await import("./front-door/register.ts")).deviceCommand(),
  dwelling: async () => (await import("./front-door/dwelling.ts")).dwellingCommand(),
  consent: async () => (await import("./front-door/watching.ts")).consentCommand(),
  pause: async () => (await import("./front-door/watching.ts")).pauseCommand(),
  "blind-time": async () => (await import("./front-door/blind-time.ts")).blindTimeCommand(),
  control: async () => (await import("./front-door/control.ts")).controlCommand(),
  rota: async () => (await import("./front-door/rota.ts")).rotaCommand(),
  shift: async () => (await import("./front-door/shift.ts")).shiftCommand(),
  policy: async () => (await import("./front-door/policy.ts")).policyCommand(),
  gateway: async () => (await import("./front-door/register.ts")).gatewayCommand(),
  area: async () => (await import("./front-door/area.ts")).areaCommand(),
  user: async () => (await import("./front-door/accounts.ts")).userCommand(),
  token: async () => (await import("./front-door/accounts.ts")).tokenCommand(),
  messages: async () => (await import("./front-door/messages.ts")).messagesCommand(),
  resident: async () => (await import("./front-door/residents.ts")).residentCommand(),
  audit: async () => (await import("./front-door/audit.ts")).auditCommand(),
  incident: async () => (await import("./front-door/audit.ts")).incidentCommand(version ?? ""),
  keys: async () => (await import("./front-door/audit.ts")).keysCommand(),
  tune: async () => (await import("./front-door/tune.ts")).tuneCommand(),
  backup: async () => (await import("./front-door/backup.ts")).backupCommand(version ?? ""),
  restore: async () => (await import("./front-door/restore.ts")).restoreCommand(version ?? ""),
  upgrade: async () => (await import("./front-door/upgrade.ts")).upgradeCommand(version ?? ""),
  evaluate: async () => (await import("./detector/evaluation/command.ts")).evaluateCommand(),
  replay: async () => (await import("./simulators/replay/command.ts")).replayCommand(),
  adapters: async () => (await import("./front-door/adapters.ts")).adaptersCommand(),
  generate: async () => (await import("./simulators/generator/command.ts")).generateCommand(),
  "self-test": async () => (await import("./front-door/self-test.ts")).selfTestCommand(),
  phones: async () => (await import("./simulators/phone-network/command.ts")).phonesCommand(),
};

const asked = commands[process.argv[2] ?? ""];
const wanted = asked ? [asked] : Object.values(commands);
for (const load of wanted) program.addCommand(await load());

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`fallvakt: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
