// A gateway in a process of its own, for the tests that kill it. Alerting is in the test's process, over HTTP.
// Arguments: data folder, alerting's address, token, more configuration as JSON, how fast its clock runs. Writes the broker's address to standard output.
import { pino } from "pino";
import { loadClassifier } from "../detector/classifier/classifier.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { GatewayConfig } from "./config.ts";
import { createGateway } from "./gateway.ts";
import { createHttpIntake } from "./outbox/http-intake.ts";

const [dataDir = "", url = "", token = "", more = "{}", speed = "1"] = process.argv.slice(2);
const clock = systemClock(Number(speed));
const gateway = createGateway({
  config: GatewayConfig.parse({ mqtt: { port: 0 }, ...JSON.parse(more) }),
  dataDir,
  intake: createHttpIntake({ url, token, clock, timeoutSeconds: 5 }),
  clock,
  log: pino({ level: "warn" }, pino.destination({ dest: 2, sync: true })),
  classifier: await loadClassifier({ backend: "auto" }),
});
await gateway.start();
process.stdout.write(`${gateway.mqttUrl}\n`);
