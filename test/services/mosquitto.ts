import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../front-door/free-port.ts";

const run = promisify(execFile);
const example = new URL("../../gateway/deploy/mosquitto/", import.meta.url);
const path = `${process.env.PATH ?? ""}:/usr/sbin`;

/** Those that run: they must not outlive a test that ends in the middle. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A Mosquitto of a test's own, configured by the example in gateway/deploy/mosquitto. */
export interface OwnMosquitto {
  /** Where devices connect. */
  readonly devicesUrl: string;
  /** Where gateways do. */
  readonly gatewaysUrl: string;
  /** With `tls`: the authority's certificate. */
  readonly caFile: string;
  readonly pid: number;
  addUser(name: string, password: string): Promise<void>;
  /** Takes its name away and has the broker know. */
  removeUser(name: string): Promise<void>;
  start(): Promise<void>;
  /** As an operator stops it: it saves what waits. */
  stop(): Promise<void>;
  /** kill −9. */
  kill(): Promise<void>;
}

export const gatewayUser = { username: "gateway-1", password: "a-password-of-the-gateway" };

/** Makes the files of a Mosquitto below `folder`; it does not run yet. Without `tls` the certificates' lines of the example are left out. */
export async function createMosquitto(
  folder: string,
  options: { tls?: boolean; change?: (conf: string) => string } = {},
): Promise<OwnMosquitto> {
  const [devicesPort, gatewaysPort] = [await freePort(), await freePort()];
  const passwords = join(folder, "passwords");
  const confFile = join(folder, "mosquitto.conf");
  writeFileSync(passwords, "", { mode: 0o600 });
  writeFileSync(join(folder, "acl"), readFileSync(new URL("acl", example)), { mode: 0o600 });
  if (options.tls) await makeCertificates(folder);
  const conf = readFileSync(new URL("fallvakt.conf", example), "utf8")
    .replace("listener 8883", `listener ${devicesPort} 127.0.0.1`)
    .replace("listener 8884 127.0.0.1", `listener ${gatewaysPort} 127.0.0.1`)
    .replaceAll("/etc/mosquitto/fallvakt/", `${folder}/`)
    .replace("/var/lib/mosquitto/", `${folder}/`)
    .replaceAll(options.tls ? /(?!)/g : /^(cafile|certfile|keyfile) .*\n/gm, "");
  // Started as root it would become another user, who cannot read the test's folder.
  const user = process.getuid?.() === 0 ? "user root\n" : "";
  writeFileSync(confFile, (options.change?.(conf) ?? conf) + user);

  let child: ChildProcess | null = null;
  let logged = "";

  function written(what: string, from = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      const own = child;
      const deadline = performance.now() + 10_000;
      const look = () => {
        if (logged.indexOf(what, from) >= 0) resolve();
        else if (performance.now() > deadline || own?.exitCode !== null) {
          reject(new Error(`Mosquitto did not say "${what}": ${logged.slice(-600)}`));
        } else setTimeout(look, 10);
      };
      look();
    });
  }

  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const own = child;
    child = null;
    if (!own || own.exitCode !== null) return;
    const gone = new Promise((resolve) => own.once("exit", resolve));
    own.kill(signal);
    await gone;
  }

  async function changePasswords(...args: string[]): Promise<void> {
    await run("mosquitto_passwd", args, { env: { ...process.env, PATH: path } });
    if (!child) return;
    const from = logged.length;
    child.kill("SIGHUP");
    await written("Reloading config", from);
    // The line is written before the files are read.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  const scheme = options.tls ? "mqtts://localhost" : "mqtt://127.0.0.1";
  const broker: OwnMosquitto = {
    devicesUrl: `${scheme}:${devicesPort}`,
    gatewaysUrl: `${scheme}:${gatewaysPort}`,
    caFile: join(folder, "ca.crt"),
    get pid() {
      if (!child?.pid) throw new Error("Mosquitto does not run");
      return child.pid;
    },
    addUser: (name, password) => changePasswords("-b", passwords, name, password),
    removeUser: (name) => changePasswords("-D", passwords, name),
    async start() {
      logged = "";
      const own = spawn("mosquitto", ["-c", confFile], {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, PATH: path },
      });
      own.stderr.on("data", (chunk: Buffer) => {
        logged += chunk.toString();
      });
      child = own;
      running.add(own);
      own.once("exit", () => running.delete(own));
      await written(" running");
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
  await broker.addUser(gatewayUser.username, gatewayUser.password);
  return broker;
}

/** An authority and a certificate for localhost, valid for a day. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    ...["-days", "1", "-subj", "/CN=Fallvakt test authority", "-keyout", "ca.key", "-out", "ca.crt"],
  );
  await openssl("req", ...key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr");
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost\n");
  await openssl(
    "x509",
    ...["-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1"],
    ...["-extfile", "names", "-out", "server.crt"],
  );
}
