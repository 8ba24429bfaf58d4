// A gateway in a process of its own, so that its memory is its own, for the attacks of broker-attack.test.ts. Argument: the folder of its data and
// certificates. Tells its addresses, and at any message its counters.
import { join } from "node:path";
import { pino } from "pino";
import { loadClassifier } from "../../detector/classifier/classifier.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { certificateFiles } from "../../front-door/certificates.ts";
import { GatewayConfig } from "../../gateway/config.ts";
import { createGateway } from "../../gateway/gateway.ts";
import { devicesNamed, rememberingIntake } from "../../gateway/test-bench.ts";
import { healthyDevices, rogueDevices } from "./attack-names.ts";

const [folder = ""] = process.argv.slice(2);
const tls = {
  host: "127.0.0.1",
  port: 0,
  certFile: join(folder, certificateFiles.broker),
  keyFile: join(folder, certificateFiles.brokerKey),
};
const gateway = createGateway({
  config: GatewayConfig.parse({ mqtt: { port: 0, tls } }),
  dataDir: join(folder, "data"),
  intake: rememberingIntake(await devicesNamed(...healthyDevices, ...rogueDevices)),
  clock: systemClock(),
  log: pino({ level: "error" }, pino.destination(2)),
  classifier: await loadClassifier({ backend: "auto" }),
});
await gateway.start();
process.on("message", () => process.send?.(gateway.counters()));
process.on("disconnect", () => process.exit(0));
process.send?.({ plain: gateway.mqttUrl, tls: gateway.mqttsUrl });
