import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A machine of its own with systemd as its first process, on this one's programs and network. */
export interface SystemdContainer {
  /** Runs a program in it; returns what it printed. */
  run(...command: string[]): string;
  /** A property of a unit, as `systemctl show` has it. */
  show(unit: string, property: string): string;
  close(): Promise<void>;
}

/** Whether a container can be booted here: a host that is a container itself often refuses. */
export function canBootSystemd(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("systemd-nspawn", ["--version"], { stdio: "ignore" });
    execFileSync("unshare", ["--mount", "--pid", "--fork", "--uts", "--ipc", "true"], { stdio: "ignore" });
    return /name=systemd|cgroup2/.test(readFileSync("/proc/mounts", "utf8"));
  } catch {
    return false;
  }
}

interface ContainerOptions {
  /** Empty; becomes its root. */
  root: string;
  /** Is laid over this machine's /usr, which it cannot write. */
  usr: string;
  /** A unit's template file, which is enabled as each of `instances`. */
  unitFile: string;
  instances: readonly string[];
  /** A user that the unit runs as. */
  user: { name: string; id: number };
  /** Becomes /etc/NAME, the user's own. */
  etc: { name: string; folder: string };
}

const kept = [
  "passwd",
  "group",
  "shadow",
  "nsswitch.conf",
  "ld.so.cache",
  "ssl",
  "alternatives",
  "pam.d",
  "login.defs",
  "security",
];

/** Boots it; resolves when its first process answers. @throws where it does not within 30 s. */
export async function bootSystemd({
  root,
  usr,
  unitFile,
  instances,
  user,
  etc,
}: ContainerOptions): Promise<SystemdContainer> {
  const inRoot = (...path: string[]) => join(root, ...path);
  for (const path of ["usr", "etc/systemd/system/multi-user.target.wants", "var", "run", "tmp", "root"]) {
    mkdirSync(inRoot(path), { recursive: true });
  }
  for (const link of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${link}`, inRoot(link));
  for (const name of kept)
    cpSync(`/etc/${name}`, inRoot("etc", name), { recursive: true, dereference: true, errorOnExist: false });
  // Without it there is no operating system here, to its eyes.
  writeFileSync(inRoot("etc/os-release"), readFileSync("/etc/os-release"));
  writeFileSync(inRoot("etc/machine-id"), "");
  const append = (file: string, line: string) => {
    const text = readFileSync(inRoot(file), "utf8");
    writeFileSync(
      inRoot(file),
      `${text
        .split("\n")
        .filter((one) => one && !one.startsWith(`${user.name}:`))
        .join("\n")}\n${line}\n`,
    );
  };
  append("etc/passwd", `${user.name}:x:${user.id}:${user.id}::/:/usr/sbin/nologin`);
  append("etc/group", `${user.name}:x:${user.id}:`);
  cpSync(etc.folder, inRoot("etc", etc.name), { recursive: true });
  execFileSync("chown", ["-R", `${user.id}:${user.id}`, inRoot("etc", etc.name)]);
  const template = unitFile.split("/").at(-1) ?? "";
  cpSync(unitFile, inRoot("etc/systemd/system", template));
  for (const instance of instances) {
    symlinkSync(
      `../${template}`,
      inRoot("etc/systemd/system/multi-user.target.wants", template.replace("@", `@${instance}`)),
    );
  }
  const nspawn = spawn(
    "systemd-nspawn",
    [
      ...["--register=no", "--keep-unit", "--quiet", "--resolv-conf=off", "--timezone=off", "--directory", root],
      ...[`--overlay-ro=/usr:${usr}:/usr`, "--boot", "systemd.unit=multi-user.target"],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [nspawn.stdout, nspawn.stderr]) stream.on("data", (chunk) => (said += chunk));
  const ended = new Promise<void>((resolve) => nspawn.once("exit", () => resolve()));

  const run = (...command: string[]) =>
    execFileSync("nsenter", ["--target", String(firstProcessOf(nspawn)), "--all", ...command], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
  const container: SystemdContainer = {
    run,
    show: (unit, property) => run("systemctl", "show", unit, "--property", property, "--value").trim(),
    async close() {
      nspawn.kill("SIGTERM");
      const late = setTimeout(() => nspawn.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(late);
    },
  };
  for (let tries = 0; tries < 60; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (nspawn.exitCode !== null) break;
    try {
      run("systemctl", "show", "--property=Version");
      return container;
    } catch {
      // It has not come so far.
    }
  }
  await container.close();
  throw new Error(`systemd did not come up: ${said.slice(-2000)}`);
}

function firstProcessOf(nspawn: ChildProcess): number {
  const children = readFileSync(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, "utf8").trim().split(" ");
  const [first] = children;
  if (!first) throw new Error("nothing runs in the container yet");
  return Number(first);
}
