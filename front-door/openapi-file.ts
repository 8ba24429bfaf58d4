import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { createAlerting } from "../alerting/alerting.ts";
import { AlertingConfig } from "../alerting/config.ts";
import { systemClock } from "../firmware-contracts/clock.ts";

/** The description of the console's API, as a service with all its parts gives it. */
export async function openApiOfService(): Promise<Record<string, unknown>> {
  const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-openapi-"));
  const config = AlertingConfig.parse({
    http: { port: 0, publicUrl: "http://127.0.0.1:0" },
    twilio: {
      accountSid: `AC${"0".repeat(32)}`,
      authToken: "0".repeat(32),
      from: "+46766860000",
      baseUrl: "http://127.0.0.1:1",
    },
    responders: [{ id: "nobody", name: "Nobody", phone: "+46701740602" }],
    policy: { steps: [{ responders: ["nobody"], waitSeconds: 60 }] },
    operators: ["nobody"],
    intake: { token: "0".repeat(32) },
  });
  const alerting = createAlerting({ config, dataDir, clock: systemClock(), log: pino({ level: "silent" }) });
  try {
    await alerting.start();
    const answer = await fetch(`${alerting.url}/api/v1/openapi.json`);
    return (await answer.json()) as Record<string, unknown>;
  } finally {
    await alerting.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export const openApiFile = (document: Record<string, unknown>) => `${JSON.stringify(document, null, 2)}\n`;

if (import.meta.main) {
  writeFileSync(new URL("../docs/openapi.json", import.meta.url), openApiFile(await openApiOfService()));
}
