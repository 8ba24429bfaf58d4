// FOR CONFORMANCE TESTS ONLY: the gateway's broker with nobody behind it and everybody let in, for suites that are run by hand:
// `node gateway/broker/conformance-server.ts 1883`, then for instance eclipse-paho/paho.mqtt.testing, interoperability/client_test.py.
import { pino } from "pino";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { openConformanceBroker } from "./conformance-broker.ts";

const broker = openConformanceBroker(Number(process.argv[2] ?? 1883), systemClock(), pino(pino.destination(2)));
await broker.start();
process.stdout.write(`${broker.url}\n`);
