import { Command, Option } from "commander";
import { whole } from "./arguments.ts";
import { type DetectorResult, type DetectorSettings, measureDetector } from "./detector-measure.ts";
import { sources } from "./frames.ts";
import { columns } from "./table.ts";

// `npm run -s bench:detector`: what the detector costs a sample, a window, and a town of devices.

const usual = { devices: 10_000, rounds: 5, seconds: 10, windows: 4000 };
const quick = { devices: 1000, rounds: 3, seconds: 3, windows: 500 };

interface Options extends Partial<DetectorSettings> {
  quick?: boolean;
  json?: boolean;
}

/** What is aimed at, and what must be: ns a sample, µs a window, share of a core. */
const limits = { quiet: [100, 250], classifier: [60, 150], shareQuiet: [0.05, 0.12], shareDaily: [0.25, 0.5] } as const;

const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
const whereOf = (asked: number) => ({ 0: "quiet", 107: "seated and at easy tasks" })[asked] ?? "scripted daily life";

function tableOf(result: DetectorResult): string {
  const { settings, quiet, classifiers, shares, differences } = result;
  const devices = settings.devices.toLocaleString("en");
  const least = classifiers[0]!.us;
  const nameOf = (name: string, batch: number) => `${name}, ${batch === 1 ? "one by one" : `batches of ${batch}`}`;
  const ns = (name: string, value: number, [goal, must]: readonly (number | string)[] = ["", ""]) => [
    name,
    value.toFixed(1),
    (value / quiet.loop).toFixed(1),
    String(goal),
    String(must),
  ];
  return [
    `Daily life of ${result.source} at 50 Hz, frames of one second; Node ${result.node}; CPU time of one process, medians of ${settings.rounds} alternating rounds`,
    "",
    ...columns([
      ["quiet stream: resampling and gate", "ns a sample", "to the loop", "goal", "must"],
      ns("bare loop over magnitudes", quiet.loop),
      ns("one stream", quiet.one, limits.quiet),
      ns(`${devices} streams in turn`, quiet.all, limits.quiet),
    ]),
    "",
    ...columns([
      ["one candidate", "µs a window", "to the kernel", "goal", "must"],
      ["window and features", result.features.toFixed(1), (result.features / least).toFixed(2), "", ""],
      ...classifiers.map(({ name, batch, us }) => {
        const [goal, must] = name === "kernel" ? limits.classifier : ["", ""];
        return [nameOf(name, batch), us.toFixed(1), (us / least).toFixed(2), String(goal), String(must)];
      }),
    ]),
    "",
    ...columns([
      [`${devices} devices`, "gates/h each", "windows/h each", "of a core", "goal", "must"],
      ...shares.map(({ asked, gatesAnHour, windowsAnHour, share }) => [
        whereOf(asked),
        gatesAnHour.toFixed(0),
        windowsAnHour.toFixed(0),
        percent(share),
        ...(asked === 0 ? limits.shareQuiet : limits.shareDaily).map(percent),
      ]),
    ]),
    "",
    `A quiet device's stream holds ${Math.round(result.bytesPerDevice).toLocaleString("en")} bytes`,
    `Kernel beside TensorFlow.js on WASM over ${result.compared} windows: scores differ by ${differences.wasm.toExponential(1)} at most; one by one and in a batch by ${differences.batch}`,
    ...result.notes.flatMap((note) => ["", `Note: ${note}`]),
    "",
    `ratio ${(classifiers.find(({ name, batch }) => name !== "kernel" && batch === 1)!.us / least).toFixed(2)}`,
  ].join("\n");
}

const program = new Command("bench:detector")
  .description(
    "measure what the detector costs: a sample of a quiet stream, a window through features and classifier, and a town of devices on one core",
  )
  .addOption(
    new Option(
      "--source <set>",
      "whose daily life is played (default: stress-predict; generated where it is not there)",
    ).choices(sources),
  )
  .option("--devices <n>", `devices side by side (default: ${usual.devices})`, whole)
  .option("--rounds <n>", `alternating rounds (default: ${usual.rounds})`, whole)
  .option("--seconds <s>", `of each device, played in a round (default: ${usual.seconds})`, whole)
  .option("--windows <n>", `that each way of computing them is given in a round (default: ${usual.windows})`, whole)
  .option("--quick", "a tenth of the devices and short rounds: figures for a first look")
  .option("--json", "print one JSON object instead of tables")
  .addHelpText(
    "after",
    `
What a processor shares with others (caches, clock, its neighbours on the host) changes single figures by a third: compare the ratios of one run, and measure
on a machine that does nothing else. CPU time is counted, so that waiting for a core is not, but a busy neighbour still empties the caches.

Examples:
  $ npm run -s bench:detector                               about a minute
  $ npm run -s bench:detector -- --quick
  $ npm run -s bench:detector -- --source sisfall --json > figures.json
  $ npm run -s bench:detector -- --devices 2000 --rounds 9

Recordings are read from the folder that FALLVAKT_RECORDINGS names. The last line is "ratio x.xx": a window by TensorFlow.js on WASM, one by one, to one by the
kernel.`,
  )
  .action(async ({ quick: isQuick, json, ...given }: Options) => {
    const settings = { ...(isQuick ? quick : usual), ...given };
    const result = await measureDetector(settings, (line) => process.stderr.write(`${line}\n`));
    console.log(json ? JSON.stringify(result, null, 2) : tableOf(result));
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench:detector: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
