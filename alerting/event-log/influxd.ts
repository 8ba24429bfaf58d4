import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** An InfluxDB 1.x of our own. */
export interface OwnInfluxd {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts an `influxd` (1.x) on a free port of this machine with its own small configuration and its data in `dataDir`.
 * @returns null where there is no influxd on the PATH.
 * @throws where it is there and does not come up.
 */
export async function startInfluxd(options: {
  dataDir: string;
  port?: number;
  /** Runs the server's continuous queries, looking each second for those that are due. */
  continuousQueries?: boolean;
}): Promise<OwnInfluxd | null> {
  if (!onPath("influxd")) return null;
  const { dataDir, port = 0, continuousQueries = false } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const configPath = join(dataDir, "influxdb.conf");
  writeFileSync(configPath, configText(dataDir, port, continuousQueries), { mode: 0o600 });
  const child = spawn("influxd", ["-config", configPath], { stdio: ["ignore", "pipe", "pipe"] });
  const url = await listening(child);
  return {
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGTERM");
      await gone;
    },
  };
}

function configText(dataDir: string, port: number, continuousQueries: boolean): string {
  const folder = (name: string) => JSON.stringify(join(dataDir, name));
  return `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = ${folder("meta")}
[data]
  dir = ${folder("data")}
  wal-dir = ${folder("wal")}
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = ${continuousQueries}
  run-interval = "1s"
  log-enabled = false
[subscriber]
  enabled = false
`;
}

/** The address from its own log: port 0 lets the system choose. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let last = "";
    const hear = (line: string) => {
      last = line;
      const port = /Listening on HTTP.*addr=\S*?:(\d+)/.exec(line)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    };
    for (const stream of [child.stdout, child.stderr]) {
      // Read to the end, or the process would stand still when the pipe is full.
      if (stream) createInterface({ input: stream }).on("line", hear);
    }
    child.once("error", (error) => reject(new Error(`influxd cannot be started: ${error.message}`)));
    child.once("exit", (code) => reject(new Error(`influxd ended at once (code ${code}): ${last.slice(0, 200)}`)));
  });
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
