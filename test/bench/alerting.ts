import { Command } from "commander";
import { type AlarmResult, type AlarmSettings, influxes, measureAlarms, type Waits } from "./alarms.ts";
import { positive, whole } from "./arguments.ts";
import { findInfluxd } from "./servers.ts";
import { columns } from "./table.ts";

// `npm run -s bench:alerting`: how long a page waits when many fall, and what InfluxDB has to do with it.

/** Of the first SMS request after intake, at p99, with InfluxDB gone. */
const mustMs = 2_000;
const usual = { episodes: 1000, seconds: 60, providerMs: 80 };
const quick = { episodes: 200, seconds: 4, providerMs: 80 };

interface Options extends Partial<AlarmSettings> {
  quick?: boolean;
  json?: boolean;
}

const ms = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
const heads = (what: string) => [`${what} p50`, "p99", "longest"];
const cells = ({ p50, p99, longest }: Waits) => [p50, p99, longest].map(ms);

function tableOf(settings: AlarmSettings, results: AlarmResult[], notes: string[]): string {
  const { episodes, seconds, providerMs } = settings;
  const gone = results.find(({ influx }) => influx === "gone")?.firstText.p99 ?? Number.NaN;
  const without = results.find(({ influx }) => influx === "without")?.firstText.p99 ?? Number.NaN;
  return [
    `${episodes} episodes of as many devices opened over ${seconds} s by HTTP, one node, a provider that answers in ${providerMs} ms`,
    `Node ${process.version}; first SMS request and commit since the Detection was handed in, delay of the event loop: ms`,
    "",
    ...columns([
      ["", ...heads("first SMS"), ...heads("commit"), ...heads("loop"), "commits/s", "events written", "waiting"],
      ...results.map(({ influx, firstText, committed, loop, commitsPerSecond, events }) => [
        `InfluxDB ${influx}`,
        ...cells(firstText),
        ...cells(committed),
        ...cells(loop),
        commitsPerSecond.toFixed(0),
        String(events.written),
        String(events.spooled),
      ]),
    ]),
    ...notes.flatMap((note) => ["", `Note: ${note}`]),
    "",
    `first SMS request after intake with InfluxDB gone: p99 ${ms(gone)} ms (must ${mustMs})`,
    `ratio ${(gone / without).toFixed(2)}`,
  ].join("\n");
}

const program = new Command("bench:alerting")
  .description("measure how long the first SMS request about an alarm takes while many fall, with and without InfluxDB")
  .option("--episodes <n>", `episodes that open (default: ${usual.episodes})`, whole)
  .option("--seconds <s>", `in which they open, evenly (default: ${usual.seconds})`, positive)
  .option("--provider-ms <ms>", `from request to answer at the provider (default: ${usual.providerMs})`, positive)
  .option("--folder <dir>", "where alerting keeps its data: the disk whose syncs count (default: temporary files)")
  .option("--quick", `${quick.episodes} episodes in ${quick.seconds} s: figures for a first look`)
  .option("--json", "print one JSON object instead of a table")
  .addHelpText(
    "after",
    `
Three runs one after the other: without InfluxDB, with one, and with one that is configured and not there. Alerting and the provider are processes of their own.

Examples:
  $ npm run -s bench:alerting                       about four minutes
  $ npm run -s bench:alerting -- --quick
  $ npm run -s bench:alerting -- --folder /mnt/sd-card --json > figures.json

The last line is "ratio x.xx": p99 of the first SMS request with InfluxDB gone, to that without.`,
  )
  .action(async ({ quick: isQuick, json, ...given }: Options) => {
    const settings = { ...(isQuick ? quick : usual), ...given };
    const notes = findInfluxd() ? [] : ["influxd is not installed: no run with a reachable InfluxDB"];
    const results: AlarmResult[] = [];
    for (const influx of influxes) {
      if (influx === "reachable" && notes.length > 0) continue;
      process.stderr.write(`InfluxDB ${influx}: ${settings.episodes} episodes in ${settings.seconds} s …\n`);
      results.push(await measureAlarms(influx, settings));
    }
    console.log(
      json ? JSON.stringify({ settings, mustMs, results, notes }, null, 2) : tableOf(settings, results, notes),
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench:alerting: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
