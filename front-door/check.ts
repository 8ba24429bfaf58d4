import { accessSync, constants, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { Command, Option } from "commander";
import colours from "picocolors";
import { loadClassifier } from "../detector/classifier/classifier.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { checkCertificates } from "./certificate-check.ts";
import { type Config, defaultConfigPath, type Role, readConfig } from "./config.ts";
import { openLog } from "./log.ts";
import { checkMasterKey } from "./master-key-check.ts";
import { checkRotas } from "./rota-check.ts";
import { alertingFolder, remoteIntake } from "./service.ts";
import { linesIn } from "./settings-file.ts";

const clock = systemClock();

interface CheckOptions {
  config: string;
  role: Role;
  model: boolean;
  json: boolean;
}

interface Finding {
  what: string;
  ok: boolean;
  /** What was found; where it is not well, with the mend. */
  says: string;
  /** Well for now, but not for long. */
  warning?: true;
}

/** `fallvakt check`: reads the configuration through and tries what it names, without starting anything. */
export function checkCommand(): Command {
  return new Command("check")
    .description("say what is wrong in the configuration and around it, and the mend")
    .option("--config <file>", "the configuration", defaultConfigPath)
    .addOption(
      new Option("--role <role>", "what the process shall do").choices(["all", "gateway", "alerting"]).default("all"),
    )
    .option("--model", "check only the detector's model, without a configuration", false)
    .option("--json", "print JSON", false)
    .addHelpText("after", "\nExamples:\n  fallvakt check\n  fallvakt check --role gateway --config gateway.yaml")
    .action(async (options: CheckOptions) => {
      const findings = await examine(options);
      if (options.json) process.stdout.write(`${JSON.stringify(findings)}\n`);
      else for (const one of findings) process.stdout.write(`${mark(one)} ${one.what}: ${one.says}\n`);
      if (findings.some((finding) => !finding.ok)) process.exitCode = 1;
    });
}

const mark = ({ ok, warning }: Finding) =>
  warning ? colours.yellow("soon") : ok ? colours.green("ok  ") : colours.red("mend");

async function examine({ config: path, role, model }: CheckOptions): Promise<Finding[]> {
  if (model) return [await tryModel("auto")];
  // A configuration that cannot be read ends it here: its error has every problem with its line.
  const config = readConfig(path, role);
  const findings: Finding[] = [{ what: "configuration", ok: true, says: path }, tryFolder(config.dataDir)];
  if (role !== "alerting") {
    const { host, port } = config.gateway.mqtt;
    findings.push(await tryPort("gateway.mqtt", host, port), await tryModel(config.gateway.detector.backend));
  }
  findings.push(...certificates(config, role, path));
  if (role === "all") findings.push(...selfTest(config));
  if (role === "gateway" && config.gateway.intake) findings.push(await tryIntake(config));
  const { alerting } = config;
  if (role !== "gateway" && alerting) {
    findings.push(await tryPort("alerting.http", alerting.http.host, alerting.http.port));
    const { tls } = alerting.intake;
    if (tls) findings.push(await tryPort("alerting.intake.tls", tls.host, tls.port));
    if (alerting.influx) findings.push(await tryAnswer("alerting.influx", `${alerting.influx.url}/ping`));
    if (alerting.twilio.baseUrl) findings.push(await tryAnswer("alerting.twilio.baseUrl", alerting.twilio.baseUrl));
    findings.push(masterKey(config, alerting), exposure(alerting, path), ...rotas(config, alerting, path));
  }
  return findings;
}

/** Both halves of a self-test, where one is written down. */
function selfTest({ gateway, alerting }: Config): Finding[] {
  const [own, wanted] = [gateway.selfTest, alerting?.selfTest];
  if (!own && !wanted) return [];
  const mend = (what: string, says: string): Finding[] => [{ what, ok: false, says }];
  if (!own) return mend("gateway.selfTest", "missing: nobody runs alerting.selfTest; fallvakt self-test device");
  if (!wanted) return mend("alerting.selfTest", "missing: nobody asks for gateway.selfTest; fallvakt self-test device");
  if (own.device === wanted.device) return [{ what: "alerting.selfTest", ok: true, says: own.device }];
  return mend(
    "gateway.selfTest.device",
    `${own.device} is not the ${wanted.device} of alerting.selfTest; name one device`,
  );
}

function masterKey(config: Config, alerting: NonNullable<Config["alerting"]>): Finding {
  const { level, says } = checkMasterKey(config, alerting);
  const what = alerting.masterKey === undefined ? "alerting.masterKeyFile" : "alerting.masterKey";
  return { what, ok: level !== "mend", says, ...(level === "warn" ? { warning: true } : {}) };
}

function rotas(config: Config, alerting: NonNullable<Config["alerting"]>, path: string): Finding[] {
  const lineOf = linesIn(path);
  let found: ReturnType<typeof checkRotas>;
  try {
    found = checkRotas(alerting, alertingFolder(config), clock.wallNow());
  } catch (error) {
    const says = `the store cannot be read (${error instanceof Error ? error.message : String(error)}); run this as the service's own user`;
    return [{ what: "alerting.rotas", ok: false, says }];
  }
  if (found.length === 0 && alerting.rotas.length > 0) {
    const says = "somebody is on call at every moment of the next 7 days";
    return [{ what: "alerting.rotas", ok: true, says }];
  }
  return found.map(({ key, says }) => {
    const line = lineOf(key);
    return { what: key, ok: true, warning: true, says: `${line === null ? path : `${path}:${line}`}: ${says}` };
  });
}

function certificates(config: Config, role: Role, path: string): Finding[] {
  const lineOf = linesIn(path);
  return checkCertificates(config, role, clock.wallNow()).map(({ key, level, says }) => {
    const line = lineOf(key);
    const where = line === null ? path : `${path}:${line}`;
    return {
      what: key,
      ok: level !== "mend",
      says: `${where}: ${says}`,
      ...(level === "warn" ? { warning: true } : {}),
    };
  });
}

/** Asks alerting as the gateway would, with its token or certificate, without handing anything in. */
async function tryIntake(config: Config): Promise<Finding> {
  const what = "gateway.intake";
  let remote: Awaited<ReturnType<typeof remoteIntake>> | null = null;
  try {
    remote = await remoteIntake(config, clock, openLog("silent"));
    await remote.intake.reach();
    return { what, ok: true, says: `${config.gateway.intake?.url} answers` };
  } catch (error) {
    return { what, ok: false, says: error instanceof Error ? error.message : String(error) };
  } finally {
    await remote?.stop();
  }
}

function tryFolder(dataDir: string): Finding {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK);
    return { what: "dataDir", ok: true, says: dataDir };
  } catch {
    return {
      what: "dataDir",
      ok: false,
      says: `${dataDir} cannot be written; give its owner the right, or name another`,
    };
  }
}

async function tryModel(backend: Config["gateway"]["detector"]["backend"]): Promise<Finding> {
  try {
    const classifier = await loadClassifier({ backend, log: { info() {}, warn() {} } });
    const says = `model ${classifier.modelVersion}, backend ${classifier.backend}, golden windows agree`;
    classifier.dispose();
    return { what: "detector", ok: true, says };
  } catch (error) {
    return { what: "detector", ok: false, says: error instanceof Error ? error.message : String(error) };
  }
}

function tryPort(what: string, host: string, port: number): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const mend =
        error.code === "EADDRINUSE"
          ? "is taken: is Fallvakt running already? Else choose another port"
          : `cannot be had (${error.code})`;
      resolve({ what, ok: false, says: `${host}:${port} ${mend}` });
    });
    server.listen(port, host, () => server.close(() => resolve({ what, ok: true, says: `${host}:${port} is free` })));
  });
}

async function tryAnswer(what: string, url: string): Promise<Finding> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(5000) });
    return { what, ok: true, says: `${new URL(url).origin} answers` };
  } catch {
    return {
      what,
      ok: false,
      says: `${new URL(url).origin} does not answer; is it running, and is the address right?`,
    };
  }
}

function exposure(alerting: NonNullable<Config["alerting"]>, path: string): Finding {
  const { publicUrl } = alerting.http;
  const what = "alerting.http.publicUrl";
  if (publicUrl.startsWith("https:") || alerting.twilio.baseUrl) return { what, ok: true, says: publicUrl };
  return {
    what,
    ok: false,
    says: `${path}:${linesIn(path)(what)}: ${publicUrl} is not encrypted: put a proxy with a certificate in front, and name its https address`,
  };
}
