import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { loadClassifier } from "../../detector/classifier/classifier.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { type Detection, Placement } from "../../firmware-contracts/detection.ts";
import type { Control, Intake } from "../../firmware-contracts/intake.ts";
import { hashSecret } from "../../firmware-contracts/secret.ts";
import { GatewayConfig } from "../../gateway/config.ts";
import { createGateway } from "../../gateway/gateway.ts";
import { type GatewayAnswer, type GatewayQuestion, tell } from "./messages.ts";
import { deviceName } from "./publisher.ts";

// The gateway as it runs in a building, all of it on: true model, journal and outbox on the disk, log to a file. Only alerting is a list in memory.
// Arguments: how many devices it knows, where they are worn, their secret, a folder for its data.
const [count = "", worn = "", secret = "", folder = tmpdir()] = process.argv.slice(2);
const placement = Placement.parse(worn);
const dataDir = await mkdtemp(join(folder, "fallvakt-bench-"));
const clock = systemClock();
const log = pino({ level: "info" }, pino.destination({ dest: join(dataDir, "gateway.log"), sync: false }));
const secretHash = await hashSecret(secret, "device");
const control: Control = {
  v: 1,
  version: 1,
  devices: Array.from({ length: Number(count) }, (_, i) => ({
    deviceId: deviceName(i),
    secretHash,
    placement,
    revoked: false,
  })),
};
const detections: Detection[] = [];
const intake: Intake = {
  async submit(item) {
    if (item.type === "detection") detections.push(item.detection);
  },
  control: async (have) => (have === control.version ? null : control),
};
const classifier = await loadClassifier({ backend: "auto", log });
const connections = Number(count) + 100;
// All of them come from one address, and send as fast as they can.
const limits = { connections, connectionsPerAddress: connections, publishesPerSecond: 100_000 };
const config = GatewayConfig.parse({ mqtt: { port: 0 }, limits });
const gateway = createGateway({ config, dataDir, intake, clock, log, classifier });
await gateway.start();

async function close(): Promise<void> {
  await gateway.stop();
  await rm(dataDir, { recursive: true, force: true });
  process.exit(0);
}

process.on("disconnect", () => void close());
process.on("message", (question: GatewayQuestion) => {
  if (question === "close") void close();
  else {
    const answer: GatewayAnswer = { counters: gateway.counters(), problems: gateway.problems() };
    tell(answer);
  }
});
tell({ port: Number(new URL(gateway.mqttUrl).port), backend: classifier.backend });
