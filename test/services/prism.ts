import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { freePort } from "../../front-door/free-port.ts";

export interface PrismCounts {
  checked: number;
  invalid: number;
  forwarded: number;
}

/** Prism between a caller and a server: what goes through is checked against an OpenAPI description. */
export interface OwnPrism {
  url: string;
  /** By Prism's own log, once it has said all: requests that it has judged, those that it refused, and those that it let through to the server. */
  counts(): Promise<PrismCounts>;
  /** What Prism said of requests and answers that are not as described. */
  complaints(): string[];
  stop(): Promise<void>;
}

/** Reading a description of 150 paths takes it about 3 s; longer than this is a failure, ms. */
const startMs = 30_000;
const stopMs = 5_000;

const program = (name: string) => new URL(`../../node_modules/.bin/${name}`, import.meta.url).pathname;

/** Starts Prism as a validating proxy before `upstream`: a request that is not as described is answered with 422 and goes no further. */
export async function startPrism(document: string, upstream: string): Promise<OwnPrism> {
  const port = await freePort();
  const args = [program("prism"), "proxy", "--port", String(port), "--errors", document, upstream];
  const child = spawn(program("node"), args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const counts = { checked: 0, invalid: 0, forwarded: 0 };
  const complaints: string[] = [];
  let lastLine = "";
  let callOff = () => {};
  const started = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Prism did not start within ${startMs / 1000} s`)), startMs);
    callOff = () => clearTimeout(timer);
    const hear = (raw: string) => {
      const line = stripVTControlCharacters(raw);
      lastLine = line;
      if (line.includes("Prism is listening")) resolve();
      if (/\[HTTP SERVER\].*Request received/.test(line)) counts.checked++;
      if (/\[HTTP SERVER\].*Request terminated with error/.test(line)) counts.invalid++;
      if (/\[PROXY\].*> Forwarding/.test(line)) counts.forwarded++;
      if (/Request terminated with error|Violation:/.test(line)) complaints.push(line);
    };
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on("line", hear);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Prism ended (code ${code}): ${lastLine}`)));
  });
  try {
    await started;
  } catch (error) {
    await stop(child);
    throw error;
  } finally {
    callOff();
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async counts() {
      // Its log comes a little after its answers.
      for (let same = 0, tries = 0; same < 3 && tries < 100; tries++) {
        const before = JSON.stringify(counts);
        await new Promise((resolve) => setTimeout(resolve, 50));
        same = JSON.stringify(counts) === before && counts.checked === counts.invalid + counts.forwarded ? same + 1 : 0;
      }
      return { ...counts };
    },
    complaints: () => [...complaints],
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await gone;
  clearTimeout(timer);
}
