import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { makeMasterKey } from "../alerting/store/master-key-file.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { newSecret } from "../firmware-contracts/secret.ts";
import { certificateFiles, writeCertificates } from "./certificates.ts";
import { defaultConfigPath } from "./config.ts";

interface InitOptions {
  config: string;
  dataDir: string;
  simulatedPhones: boolean;
  language: "sv" | "en";
  force: boolean;
  host: string[];
  certificatesOnly: boolean;
}

/** Folder of the certificates, beside the configuration. */
export const certificatesFolder = "certificates";

/** The master key, beside the configuration and apart from the data. */
const masterKeyPath = "keys/master.key";

/** The port that `fallvakt phones` listens on where nothing else is said. */
const phonesPort = 8090;
const simulatedNumber = "+46766860000";
const publicUrl = "http://127.0.0.1:8080";

/** `fallvakt init`: writes a configuration with fresh secrets. There is no default password anywhere. */
export function initCommand(): Command {
  return new Command("init")
    .description("write a configuration file with fresh secrets")
    .option("--config <file>", "where to write it", defaultConfigPath)
    .option("--data-dir <folder>", "where the service keeps everything", process.env.FALLVAKT_DATA_DIR ?? "data")
    .option(
      "--simulated-phones",
      "page the phones of `fallvakt phones` instead of real ones, to try the service",
      false,
    )
    .option("--language <sv|en>", "language of the texts that staff read", "sv")
    .option("--force", "overwrite an existing file; the certificate authority in certificates/ stays", false)
    .option(
      "--host <name...>",
      "names and addresses by which devices and gateways reach this machine, for its certificates; beside its own name",
      [],
    )
    .option(
      "--certificates-only",
      "write only new certificates for broker and intake, as before the old ones end; a running service takes them up",
      false,
    )
    .addHelpText(
      "after",
      `
Examples:
  fallvakt init                      then fill in the phones, and set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN
  fallvakt init --host larm.example.se --host 192.168.1.20
  fallvakt init --simulated-phones   then: fallvakt phones   and, in another terminal: fallvakt start`,
    )
    .action(async (options: InitOptions) => {
      const folder = join(dirname(options.config), certificatesFolder);
      if (options.certificatesOnly) return writeServerCertificates(folder, options.host);
      if (existsSync(options.config) && !options.force) {
        throw new Error(`${options.config} is there already; --force overwrites it`);
      }
      if (options.language !== "sv" && options.language !== "en") throw new Error("--language is sv or en");
      const account = { sid: `AC${hex(32)}`, token: hex(32) };
      // Holds secrets: nobody but its owner reads it.
      writeFileSync(options.config, configText(options, account), { mode: 0o600 });
      await writeServerCertificates(folder, options.host);
      writeMasterKey(join(dirname(options.config), masterKeyPath));
      process.stdout.write(
        `Wrote ${options.config}.\nNext:\n` +
          (options.simulatedPhones
            ? `  fallvakt phones --account-sid ${account.sid} --auth-token ${account.token} --number ${simulatedNumber} --inbound ${publicUrl}/webhooks/twilio/inbound\n                                        the phones, in a terminal of its own\n`
            : `  1. put your staff's phones and the SMS provider's number in ${options.config}\n`) +
          "  fallvakt check                        says what is still missing\n" +
          "  fallvakt user add NAME                an account for the console\n" +
          "  fallvakt device add ID --placement wrist --key 38 --consent-by NAME\n" +
          "  fallvakt start\n" +
          "  fallvakt device test ID --by NAME     its falls call staff once that was answered with the key number\n",
      );
    });
}

/** One that is there stays: what was sealed with it could not be read any more. */
function writeMasterKey(file: string): void {
  const { isNew } = makeMasterKey(file);
  if (!isNew) return;
  process.stdout.write(
    `Made the master key: ${file}. It opens residents and the log: back it up now, apart from the data. Lost, they are lost.\n`,
  );
}

async function writeServerCertificates(folder: string, named: readonly string[]): Promise<void> {
  const hosts = [...new Set([...named, hostname(), "localhost", "127.0.0.1", "::1"])];
  const isNew = await writeCertificates(folder, hosts, new Date(systemClock().wallNow()));
  if (isNew) {
    const [certificate, key] = [join(folder, certificateFiles.authority), certificateFiles.authorityKey];
    const warning = `Whoever has its key, ${key}, can make certificates that devices and gateways trust.`;
    process.stdout.write(`Made a certificate authority: ${certificate}. ${warning}\n`);
  }
  const paths = [certificateFiles.broker, certificateFiles.intake].map((file) => join(folder, file));
  process.stdout.write(`Wrote ${paths.join(" and ")} for ${hosts.join(", ")}; they are valid for 10 years.\n`);
}

function configText(
  { dataDir, simulatedPhones, language }: InitOptions,
  account: { sid: string; token: string },
): string {
  const provider = simulatedPhones
    ? `    # The simulated phone network: start it with "fallvakt phones".
    accountSid: ${account.sid}
    authToken: ${account.token}
    from: "${simulatedNumber}"
    baseUrl: http://127.0.0.1:${phonesPort}`
    : `    # From your Twilio account. The number must be one that can be answered, not a name.
    accountSid: { env: TWILIO_ACCOUNT_SID }
    authToken: { env: TWILIO_AUTH_TOKEN }
    from: "+46700000000" # your number at the provider`;
  const responders = simulatedPhones
    ? `    - { id: patrol-1, name: Patrull 1, phone: "+46701740601" }
    - { id: patrol-2, name: Patrull 2, phone: "+46701740602" }
    - { id: leader, name: Gruppchef, phone: "+46701740603" }`
    : `    # The phones that are paged. One line each.
    - { id: patrol-1, name: Patrull 1, phone: "+46700000000" }
    - { id: patrol-2, name: Patrull 2, phone: "+46700000000" }
    - { id: leader, name: Gruppchef, phone: "+46700000000" }`;
  return `# Fallvakt's configuration. Every key is described in docs/configuration.md.
# Instead of a secret you may write { env: NAME } or { file: PATH }.
dataDir: ${dataDir}

gateway:
  id: gateway-1
  mqtt:
    # Without encryption, for this machine alone.
    host: 127.0.0.1
    port: 1883
    # For devices: MQTT over TLS.
    tls:
      host: 0.0.0.0
      port: 8883
      certFile: ${certificatesFolder}/${certificateFiles.broker}
      keyFile: ${certificatesFolder}/${certificateFiles.brokerKey}
      caFile: ${certificatesFolder}/${certificateFiles.authority}
      clientCertificates: accepted # besides secrets; off, or required

alerting:
  language: ${language}
  http:
    host: 127.0.0.1
    port: 8080
    # The address that the SMS provider reaches; its signatures are made over exactly this.
    publicUrl: ${publicUrl}
  twilio:
${provider}
  responders:
${responders}
  policy:
    steps:
      - { responders: [patrol-1], waitSeconds: 120 }
      - { responders: [patrol-2], waitSeconds: 120 }
      # A step can name whoever is on call: { rotas: [night], waitSeconds: 120 }, with the shifts under rotas (alerting/rota/README.md).
  # Told when nobody takes an alarm.
  operators: [leader]
  # Called too when somebody cannot get in.
  # keyHolders: [leader]
  intake:
    # What a gateway in another process shows at the door.
    token: ${newSecret()}
    # For gateways that show a certificate instead: fallvakt gateway certificate ID --out FILE
    # tls:
    #   host: 0.0.0.0
    #   port: 8443
    #   certFile: ${certificatesFolder}/${certificateFiles.intake}
    #   keyFile: ${certificatesFolder}/${certificateFiles.intakeKey}
    #   caFile: ${certificatesFolder}/${certificateFiles.authority}
  # By which names, addresses and the log are sealed. Back it up apart from the data.
  masterKeyFile: ${masterKeyPath}
  # influx: { url: "http://127.0.0.1:8086", database: fallvakt }
`;
}

/** Credentials in the form Twilio's have. */
function hex(length: number): string {
  return randomBytes(length / 2).toString("hex");
}
