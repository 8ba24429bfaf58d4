import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { Command } from "commander";
import { checkExport, exportAudit } from "../alerting/audit/export.ts";
import { incidentOf, incidentText } from "../alerting/audit/incident.ts";
import { isWhole, verifyAudit } from "../alerting/audit/verify.ts";
import { actOf } from "../alerting/registry/acting.ts";
import type { ChainState } from "../alerting/store/store.ts";
import { addSample } from "./audit-sample.ts";
import { writeSecret } from "./certificates.ts";
import { print, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withStore } from "./with-register.ts";

const chainWords = ({ entries, brokenAt, head }: ChainState) =>
  brokenAt === null ? `${entries} entries whole, the last ${head.slice(0, 16)}` : `BROKEN at entry ${brokenAt}`;

/** `fallvakt audit`: whether the logs are whole, and handing them on. */
export function auditCommand(): Command {
  const command = new Command("audit").description("the logs: of every episode, and of look-ups, erasures and exports");

  withConfig(command.command("verify"))
    .description("walk both chains, and rebuild every episode from its log; exit code 1 where something is wrong")
    .option("--file <export>", "check an export instead; it needs neither configuration nor key")
    .action(async (options: WithConfig & { file?: string }) => {
      const isRight = options.file === undefined ? await verifyStore(options) : verifyFile(options.file, options.json);
      if (!isRight) process.exitCode = 1;
    });

  withConfig(command.command("export"))
    .description("both logs as lines of JSON, without identities, with the hashes by which anybody can check them")
    .option("--from <date>", "from this day or time on, such as 2026-11-01")
    .option("--to <date>", "up to this day or time")
    .option("--out <file>", "where to write it; left out: standard output")
    .option("--by <name>", "who exports, for the audit log")
    .action(async (options: WithConfig & { from?: string; to?: string; out?: string; by?: string }) => {
      const { out, by } = options;
      const [from, to] = [timeIn("--from", options.from), timeIn("--to", options.to)];
      await withStore(options, async ({ store, clock }) => {
        const act = { ...actOf(clock, by), via: "cli" as const };
        const file = out === undefined ? null : await open(out, "w", 0o600);
        let lines = 0;
        try {
          for await (const line of exportAudit(store, { now: clock.wallNow(), from, to })) {
            if (file) await file.write(`${line}\n`);
            else print(line);
            lines++;
          }
        } finally {
          await file?.close();
        }
        const detail = { from: from ?? null, to: to ?? null };
        await store.audit.append({ ...act, act: "audit-exported", subject: null, detail });
        if (out !== undefined)
          print(options.json ? JSON.stringify({ file: out, lines }) : `Wrote ${out}, ${lines} lines.`);
      });
    });
  addSample(command);
  return command;
}

async function verifyStore(options: WithConfig): Promise<boolean> {
  const report = await withStore(options, ({ store }) => verifyAudit(store));
  const { episodes, acts, rebuilt, erased, differ } = report;
  if (options.json) print(JSON.stringify(report));
  else {
    print(`Episodes: ${chainWords(episodes)}`);
    print(`Acts: ${chainWords(acts)}`);
    for (const id of differ) print(`Episode ${id}: its log does not give the state that is stored`);
    const whole = isWhole(report) ? `${episodes.entries + acts.entries} entries whole` : "NOT WHOLE";
    print(`${whole}, ${rebuilt} episodes rebuilt, ${erased} erased, ${differ.length} differ`);
  }
  return isWhole(report);
}

function verifyFile(file: string, asJson: boolean | undefined): boolean {
  const check = checkExport(readFileSync(file, "utf8"));
  const { episodes, acts, onTrust } = check;
  const isRight = episodes.brokenAt === null && acts.brokenAt === null;
  if (asJson) print(JSON.stringify(check));
  else {
    print(`Episodes: ${chainWords(episodes)}`);
    print(`Acts: ${chainWords(acts)}`);
    if (onTrust > 0)
      print(`${onTrust} entries of before entries were sealed are taken on trust: what they hold is not in the export`);
    print(isRight ? `${episodes.entries + acts.entries} entries whole` : "NOT WHOLE");
  }
  return isRight;
}

function timeIn(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  // A day alone is taken as it begins here.
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text);
  if (Number.isNaN(at)) throw new Error(`${option}: write a day or time, such as 2026-11-01 or 2026-11-01T22:00`);
  return at;
}

/** `fallvakt incident`: one episode, to be handed on. */
export function incidentCommand(version: string): Command {
  const command = new Command("incident").description("one episode, to be handed on without identities");
  withConfig(command.command("export <episode>"))
    .description("timeline, versions, texts, attempts, receipts and replies of an episode, by its id or its code")
    .option("--out <file>", "where to write it; left out: standard output")
    .option("--text", "to be read, instead of JSON", false)
    .option("--by <name>", "who exports, for the audit log")
    .action(async (wanted: string, options: WithConfig & { out?: string; text: boolean; by?: string }) => {
      const written = await withStore(options, async ({ store, clock, alerting }) => {
        const act = { ...actOf(clock, options.by), via: "cli" as const };
        const { id, isErased } = chosen(await store.audit.episodes(), wanted);
        const record = isErased ? null : await store.audit.incident(id);
        if (!record) throw new Error(`episode ${id} was erased: nobody can read it any more`);
        const { responders, timeZone } = alerting;
        const incident = incidentOf(record, { now: clock.wallNow(), fallvakt: version, timeZone, responders });
        await store.audit.append({ ...act, act: "incident-exported", subject: id });
        return options.text ? incidentText(incident, timeOf) : `${JSON.stringify(incident, null, 2)}\n`;
      });
      if (options.out === undefined) return void process.stdout.write(written);
      writeSecret(options.out, written);
      print(options.json ? JSON.stringify({ file: options.out }) : `Wrote ${options.out}.`);
    });
  return command;
}

/** A code is given again after a while: then the id must be said. */
function chosen(episodes: { id: string; code: string; isErased: boolean }[], wanted: string) {
  const byId = episodes.find(({ id }) => id === wanted);
  if (byId) return byId;
  const [only, ...more] = episodes.filter(({ code }) => code.toLowerCase() === wanted.toLowerCase());
  if (!only) throw new Error(`no episode has the id or code ${wanted}; ids stand in the log, codes in the texts`);
  if (more.length === 0) return only;
  throw new Error(
    `several episodes had the code ${wanted}: ${[only, ...more].map(({ id }) => id).join(", ")}; give the id`,
  );
}

/** `fallvakt keys`: the master key. */
export function keysCommand(): Command {
  const command = new Command("keys").description("the master key, by which the dwellings' keys are wrapped");
  withConfig(command.command("rotate"))
    .description(
      "make a new master key and wrap every dwelling's key anew; a running service goes on. Back the new one up",
    )
    .option("--by <name>", "who does it, for the audit log")
    .action(async (options: WithConfig & { by?: string }) => {
      const keys = await withStore(options, ({ store, clock }) =>
        store.keys.rotate({ ...actOf(clock, options.by), via: "cli" }),
      );
      if (options.json) return print(JSON.stringify({ keys }));
      print(
        `A new master key: ${keys} keys wrapped anew. Back it up now, apart from the data; backups of before need the old one.`,
      );
    });
  return command;
}
