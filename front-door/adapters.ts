import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { systemClock } from "../firmware-contracts/clock.ts";
import { nothingWhy } from "../gateway/adapters/adapter.ts";
import { adapters } from "../gateway/adapters/all.ts";
import { type AdapterKind, adapterKinds, type MappedDevice, meanings } from "../gateway/adapters/config.ts";
import { type Became, type Captured, Example, payloadOf, plainly, playCaptured } from "../gateway/adapters/example.ts";
import { Config, defaultConfigPath } from "./config.ts";
import { readSettings } from "./settings-file.ts";
import { print, printTable } from "./table.ts";

interface TryOptions {
  topic?: string;
  retained: boolean;
  config?: string;
  as?: MappedDevice["as"];
  json: boolean;
}

/** What is played: messages, and which devices they are of. `isGuessed`: the mapping was made up from the topic. */
interface Played {
  messages: Captured[];
  devices: readonly MappedDevice[];
  base?: string | undefined;
  isGuessed: boolean;
}

/** `fallvakt adapters`: which ecosystems are understood, and what a captured payload becomes. */
export function adaptersCommand(): Command {
  return new Command("adapters")
    .description("sensors of others: which are understood, and what a captured payload becomes")
    .addCommand(listCommand())
    .addCommand(tryCommand());
}

function listCommand(): Command {
  return new Command("list")
    .description("the ecosystems that are understood, and their topics")
    .option("--json", "for programs", false)
    .addHelpText("after", "\nExample:\n  fallvakt adapters list")
    .action(({ json }: { json: boolean }) => {
      const rows = adapterKinds.map((kind) => ({ kind, reads: adapters[kind].what, topics: topicsOf(kind) }));
      if (json) return print(JSON.stringify(rows, null, 2));
      printTable(
        ["adapter", "reads", "topics"],
        rows.map(({ kind, reads, topics }) => [kind, reads, topics.join("  ")]),
      );
    });
}

/** What it subscribes to for a device called NAME. */
function topicsOf(kind: AdapterKind): string[] {
  const entity = kind === "esphome" ? { entity: "binary_sensor/ID" } : kind === "shelly" ? { entity: "input:0" } : {};
  const devices = [{ name: kind === "chirpstack" ? "DEVEUI" : "NAME", device: "device-1", ...entity }];
  return adapters[kind]
    .filters({ base: adapters[kind].base, devices })
    .map((topic) => topic.replace("deveui", "DEVEUI"));
}

function tryCommand(): Command {
  return new Command("try")
    .description(
      "what a captured payload becomes, and why nothing where nothing does; no broker and no gateway is needed",
    )
    .argument("<adapter>", `one of ${adapterKinds.join(", ")}`)
    .argument("<file>", "the payload as it was captured, or an example of gateway/adapters; - reads standard input")
    .option("--topic <topic>", "the topic that it came on; an example names its own")
    .option("--retained", "as if the broker had retained it", false)
    .option("--config <file>", `take base and devices from this configuration (as ${defaultConfigPath})`)
    .addOption(
      new Option("--as <meaning>", "what the device stands for, where no configuration says it").choices(meanings),
    )
    .option("--json", "for programs", false)
    .addHelpText(
      "after",
      `
Examples:
  mosquitto_sub -t 'zigbee2mqtt/bathroom' -C 1 > captured.json
  fallvakt adapters try zigbee2mqtt captured.json --topic zigbee2mqtt/bathroom
  fallvakt adapters try zigbee2mqtt captured.json --topic zigbee2mqtt/bathroom --retained
  fallvakt adapters try esphome on.txt --topic node-1/binary_sensor/sos/state --as help
  fallvakt adapters try shelly rpc.json --topic shellyplusi4-1/events/rpc --config fallvakt.yaml`,
    )
    .action((adapter: string, file: string, options: TryOptions) => {
      const kind = adapterKinds.find((one) => one === adapter);
      if (!kind) throw new Error(`no adapter is called ${adapter}; it is one of ${adapterKinds.join(", ")}`);
      const played = read(kind, file, options);
      const became = playCaptured(kind, played, played.messages, systemClock().wallNow());
      print(options.json ? asJson(became, played) : asText(became, played));
    });
}

function read(kind: AdapterKind, file: string, options: TryOptions): Played {
  const bytes = readFileSync(file === "-" ? 0 : file);
  const example = options.topic === undefined ? exampleIn(bytes) : null;
  if (!example && options.topic === undefined) {
    throw new Error(`${file} is no example that names its topic: say which by --topic`);
  }
  const messages = example
    ? example.messages.map((one) => ({
        ...one,
        retained: one.retained || options.retained,
        payload: payloadOf(one.payload),
      }))
    : [{ after: 0, topic: options.topic ?? "", retained: options.retained, payload: withoutNewline(bytes) }];
  if (options.config !== undefined) {
    const own = readSettings(Config, options.config, process.env).gateway.adapters.find((one) => one.kind === kind);
    if (!own) throw new Error(`${options.config} has no adapter of kind ${kind}`);
    return { messages, devices: own.devices, base: own.base, isGuessed: false };
  }
  if (example) return { messages, devices: example.devices, base: example.base, isGuessed: false };
  return { messages, devices: guessed(kind, options), isGuessed: true };
}

function exampleIn(bytes: Uint8Array): Example | null {
  try {
    const parsed = Example.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** An editor's or a shell's, which no device sent. */
function withoutNewline(bytes: Buffer): Uint8Array {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

/** A mapping that fits the topic, so that a payload can be looked at before there is a configuration. */
function guessed(kind: AdapterKind, { topic = "", as }: TryOptions): MappedDevice[] {
  const device = "device-1";
  const levels = topic.split("/");
  const more = as ? { as } : {};
  switch (kind) {
    case "zigbee2mqtt":
      return [
        {
          name:
            levels
              .slice(1)
              .join("/")
              .replace(/\/availability$/, "") || "NAME",
          device,
          ...more,
        },
      ];
    case "chirpstack":
      return [{ name: levels[3] ?? "", device, ...more }];
    case "esphome": {
      const [entity, name] = [levels.slice(-3, -1).join("/"), levels.slice(0, -3).join("/")];
      const isStatus = levels.at(-1) === "status";
      return [{ name: isStatus ? levels.slice(0, -1).join("/") : name, entity, device, as: as ?? "motion" }];
    }
    case "shelly": {
      const name = topic.replace(/\/(events\/rpc|online)$/, "");
      const entities = [
        "input:0",
        "input:1",
        "input:2",
        "input:3",
        "presencezone:200",
        "bthomedevice:200",
        "bthomesensor:200",
      ];
      return entities.map((entity) => ({ name, entity, device, ...more }));
    }
  }
}

function asJson(became: readonly Became[], { isGuessed }: Played): string {
  const rows = became.map((one) =>
    "told" in one
      ? { message: one.message, after: one.after, device: one.device, becomes: plainly(one.told) }
      : { message: one.message, after: one.after, becomes: null, nothing: one.nothing, why: nothingWhy[one.nothing] },
  );
  return JSON.stringify({ mapping: isGuessed ? "made up from the topic" : "given", became: rows }, null, 2);
}

function asText(became: readonly Became[], { messages, isGuessed }: Played): string {
  const lines = isGuessed ? ["No configuration was given: the device is called device-1 here."] : [];
  messages.forEach(({ topic, retained }, at) => {
    lines.push(`${topic}${retained ? " (retained)" : ""}`);
    const own = became.filter(({ message }) => message === at);
    lines.push(...own.map(lineOf));
    if (own.length > 0 && own.every((one) => "told" in one && one.told.kind === "status")) {
      lines.push(`  nothing else: ${nothingWhy["no-field"]}`);
    }
    if (own.length === 0) lines.push("  nothing new: the same was told a moment ago");
  });
  for (const one of became.filter(({ message }) => message === null)) lines.push(`after ${one.after} s`, lineOf(one));
  return lines.join("\n");
}

function lineOf(one: Became): string {
  if (!("told" in one)) return `  nothing: ${nothingWhy[one.nothing]}`;
  const { kind, ...rest } = plainly(one.told);
  const told = Object.entries(rest).filter(([name, value]) => value !== undefined && !(name === "age" && value === 0));
  const what = {
    presence: "presence",
    help: "CALL FOR HELP",
    status: "sign of life",
    availability: "availability",
    fall: "FALL",
  };
  const values = told.map(([name, value]) => `${name} ${String(value)}`).join(", ");
  return `  ${one.device}: ${what[kind as keyof typeof what]}${values ? `: ${values}` : ""}`;
}
