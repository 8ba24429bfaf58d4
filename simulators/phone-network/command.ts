import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError, Option } from "commander";
import colours from "picocolors";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { startPhoneNetwork } from "./network.ts";

interface Options {
  port: number;
  host: string;
  accountSid?: string;
  authToken?: string;
  number: string;
  inbound?: string;
  speed: number;
}

/** `fallvakt phones`: the phone network alone, with its phones on the terminal. */
export function phonesCommand(): Command {
  return new Command("phones")
    .description(
      "a phone network to try the service by hand: shows what phones receive, sends what you type as their replies",
    )
    .option("--port <port>", "port of the API", number, 8090)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(
      new Option("--account-sid <sid>", "the account's sid; made up where none is given").env("TWILIO_ACCOUNT_SID"),
    )
    .addOption(
      new Option("--auth-token <token>", "the account's token; made up where none is given").env("TWILIO_AUTH_TOKEN"),
    )
    .option("--number <number>", "the account's own number, that pages come from", "+46766860000")
    .option("--inbound <url>", "the service's webhook for replies")
    .option("--speed <factor>", "how fast the network's time runs", number, 1)
    .addHelpText(
      "after",
      `
Every Swedish mobile number has a phone here. Type a number and a text to reply from it:
  +46701740605 274 T

Examples:
  fallvakt phones --inbound http://127.0.0.1:8080/webhooks/twilio/inbound
  TWILIO_AUTH_TOKEN=… fallvakt phones --port 8090 --account-sid AC…`,
    )
    .action(run);
}

function number(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError("a number of 0 or more");
  return value;
}

async function run(options: Options): Promise<void> {
  const accountSid = options.accountSid ?? `AC${randomBytes(16).toString("hex")}`;
  const authToken = options.authToken ?? randomBytes(16).toString("hex");
  const network = await startPhoneNetwork({
    clock: systemClock(options.speed),
    accountSid,
    authToken,
    port: options.port,
    host: options.host,
    everyNumberHasAPhone: true,
  });
  network.addNumber(options.number, options.inbound ? { inboundUrl: options.inbound } : {});
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  say(`Phone network at ${network.url}`);
  say(`account ${accountSid}, number ${options.number}`);
  // A token that the caller gave is a secret of theirs and is not shown.
  if (!options.authToken) say(`token ${authToken} (made up for this run)`);
  if (!options.inbound) say("Replies go nowhere: name the service's webhook with --inbound URL.");

  network.onMessage((phone, message) => say(`${colours.cyan(phone.number)} ${colours.dim("◀")} ${message.body}`));
  network.onWebhook((hook) => {
    if (hook.status !== null && hook.status < 300) return;
    say(colours.yellow(`${hook.kind} webhook: ${hook.error ?? `HTTP ${hook.status}`} (${hook.url})`));
  });

  const lines = createInterface({ input: process.stdin });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  void stopped.then(() => lines.close());
  for await (const line of lines) {
    const [, from, text] = /^\s*(\+\d+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (!from || !text) {
      if (line.trim()) say("Type: NUMBER text, such as +46701740605 274 T");
      continue;
    }
    try {
      const phone = network.phones.get(from) ?? network.addPhone(from);
      await phone.reply(text, options.number);
      say(`${colours.cyan(from)} ${colours.dim("▶")} ${text}`);
    } catch (error) {
      say(colours.red(error instanceof Error ? error.message : String(error)));
    }
  }
  // A terminal's end of input ends the network; in the background, with no input, it runs until it is told to stop.
  if (!process.stdin.isTTY) await stopped;
  await network.close();
}
