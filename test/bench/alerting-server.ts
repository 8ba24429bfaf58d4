import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { pino } from "pino";
import { createAlerting } from "../../alerting/alerting.ts";
import { AlertingConfig } from "../../alerting/config.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { type AlertingFigures, type AlertingQuestion, tell } from "./messages.ts";

// Alerting as it runs on one node, all of it on: SQLite with full sync in its thread, the Twilio SDK, webhooks, event log, log to a file.
// Arguments: the settings as JSON, a folder for its data.
const [settings = "", folder = ""] = process.argv.slice(2);
const dataDir = await mkdtemp(join(folder, "fallvakt-bench-"));
const log = pino({ level: "info" }, pino.destination({ dest: join(dataDir, "alerting.log"), sync: false }));
const config = AlertingConfig.parse(JSON.parse(settings));
const alerting = createAlerting({ config, dataDir, clock: systemClock(), log });
await alerting.start();
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
let before = committed();

/** Each step of an episode is one entry of its log and one transaction; each try at the provider is begun in one of its own. */
function committed(): number {
  const db = new DatabaseSync(join(dataDir, "alerting.db"), { readOnly: true });
  try {
    const count = (table: string) => Number(db.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get()?.n);
    return count("episode_log") + count("attempts");
  } finally {
    db.close();
  }
}

function figures(): AlertingFigures {
  const counters = alerting.counters();
  const bad = /failed$|^page\.(retryable|permanent|unknown)$|^intake\.bad|^store\.not-ready$/;
  return {
    commits: committed() - before,
    loop: { p50: loop.percentile(50) / 1e6, p99: loop.percentile(99) / 1e6, longest: loop.max / 1e6 },
    events: alerting.eventsLogged(),
    failed: Object.entries(counters).flatMap(([name, n]) => (n > 0 && bad.test(name) ? [`${name} ${n}`] : [])),
  };
}

async function close(): Promise<void> {
  await alerting.stop();
  await rm(dataDir, { recursive: true, force: true });
  process.exit(0);
}

process.on("disconnect", () => void close());
process.on("message", (question: AlertingQuestion) => {
  if (question === "close") void close();
  else if (question === "figures") tell(figures());
  else {
    before = committed();
    loop.reset();
    tell(figures());
  }
});
tell({ port: Number(new URL(alerting.url).port) });
