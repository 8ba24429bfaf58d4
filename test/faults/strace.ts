import { existsSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { dirname } from "node:path";

/** One system call of a traced program, as it ended. */
export interface Call {
  thread: number;
  name: string;
  /** Path or address behind the first argument's file descriptor; empty where there is none. */
  on: string;
  text: string;
  /** Null where the process was killed in it. */
  result: number | null;
}

const watched = "fsync,fdatasync,write,writev,pwrite64,openat";

/**
 * `strace` with what it writes to `log`. One thread for the journal's files, so that "the Nth sync" is the same in every run.
 * @param only a file: faults come, and are counted, in its calls alone, whichever thread makes them; and no others are written to `log`.
 */
export function strace(
  log: string,
  faults: readonly string[],
  only?: string,
): { under: string[]; env: Record<string, string> } {
  const inject = faults.flatMap((fault) => ["-e", `inject=${fault}`]);
  // With its filter in the kernel strace is three times as fast, but the signals that it injects are lost.
  const fast = faults.some((fault) => fault.includes("signal=")) ? [] : ["--seccomp-bpf"];
  const path = only === undefined ? [] : ["-P", only];
  return {
    under: ["strace", "-f", ...fast, "-yy", "-s", "32", "-o", log, "-e", `trace=${watched}`, ...path, ...inject],
    env: { UV_THREADPOOL_SIZE: "1" },
  };
}

/** Reads a log of `strace -f -yy`: calls in the order in which they ended. Those in which the process was killed come last. */
export function readCalls(log: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<number, string>();
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (!/^(\w+\(|<\.\.\.)/.test(rest)) continue;
    const begun = / <unfinished \.\.\.>$/.exec(rest);
    if (begun) {
      unfinished.set(Number(thread), rest.slice(0, begun.index));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const text = resumed ? `${unfinished.get(Number(thread)) ?? ""}${resumed[1]}` : rest;
    unfinished.delete(Number(thread));
    calls.push(callOf(Number(thread), text));
  }
  for (const [thread, text] of unfinished) calls.push(callOf(thread, text));
  return calls;
}

function callOf(thread: number, text: string): Call {
  const [, name = "", on = ""] = /^(\w+)\((?:\d+<(.*?)>[,)])?/.exec(text) ?? [];
  const result = /\) += (-?\d+)[^=]*$/.exec(text);
  return { thread, name, on, text, result: result ? Number(result[1]) : null };
}

export const isSync = ({ name }: Call) => name === "fsync" || name === "fdatasync";

/** How many PUBACK packets (MQTT 3.1.1, 3.4: 0x40) a call wrote to a socket, whatever else it wrote with them: what waits for a busy socket is written at once. */
export function pubacksIn(call: Call): number {
  if (!call.name.startsWith("write") || !call.on.startsWith("TCP")) return 0;
  const bytes = bytesWritten(call);
  let pubacks = 0;
  for (let at = 0; at < bytes.length; ) {
    // Two bytes, for HTTP goes over sockets too, and its text has none of this.
    if (bytes[at] === 0x40 && bytes[at + 1] === 2) pubacks++;
    // The length of what remains: seven bits a byte, the lowest first (2.2.3).
    let remaining = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[++at] ?? 0;
      remaining |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    at += 1 + remaining;
  }
  return pubacks;
}

/** What a `write` or `writev` wrote; bytes of a long buffer that strace leaves out are 0. */
function bytesWritten({ text, result }: Call): number[] {
  const buffers = text.matchAll(/"((?:[^"\\]|\\.)*)"(?:\.{3})?, (?:iov_len=)?(\d+)/g);
  const bytes = [...buffers].flatMap(([, shown = "", length]) => {
    const buffer = bytesShown(shown);
    return [...buffer, ...new Array<number>(Math.max(0, Number(length) - buffer.length)).fill(0)];
  });
  return bytes.slice(0, Math.max(0, result ?? 0));
}

const escapes: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/** A string as strace shows it: octal numbers, and the escapes of C. */
function bytesShown(shown: string): number[] {
  return [...shown.matchAll(/\\([0-7]{1,3})|\\(.)|[^\\]/g)].map(([char, octal, escaped]) => {
    if (octal !== undefined) return Number.parseInt(octal, 8);
    return escaped === undefined ? char.charCodeAt(0) : (escapes[escaped] ?? escaped.charCodeAt(0));
  });
}

/** How far a file, named by the end of its path, was written by these calls, and how far of that it was synced. Bytes. */
export function extent(calls: readonly Call[], path: string): { written: number; synced: number } {
  let written = 0;
  let synced = 0;
  for (const call of calls) {
    if (!call.on.endsWith(path)) continue;
    if (isSync(call) && call.result === 0) synced = written;
    else if (call.name === "pwrite64") {
      const [, length, offset] = /, (\d+), (\d+)\)/.exec(call.text) ?? [];
      written = Math.max(written, Number(offset) + Number(length));
    } else if (call.name.startsWith("write")) written += call.result ?? 0;
  }
  return { written, synced };
}

/**
 * What a power cut would have left of the files below `folder` that the traced program made or wrote: what was written and not synced is cut off,
 * and a new file whose name was not synced is gone. A file that was overwritten in the middle is left as it is.
 * @param before sizes of the files that were there when the program was started.
 * @returns how many files were cut or taken away.
 */
export function cutPower(log: string, folder: string, before: ReadonlyMap<string, number>): number {
  const files = new Map<string, { size: number; synced: number; isNamed: boolean; isOverwritten: boolean }>();
  const file = (path: string) => {
    const size = before.get(path) ?? 0;
    const made = files.get(path) ?? { size, synced: size, isNamed: before.has(path), isOverwritten: false };
    files.set(path, made);
    return made;
  };
  for (const call of readCalls(log)) {
    if (!call.on.startsWith(folder)) {
      const opened = /^openat\([^"]*"(?:[^"\\]|\\.)*"?.*O_CREAT.* = \d+<(.*)>$/.exec(call.text)?.[1];
      if (opened?.startsWith(folder)) file(opened);
      continue;
    }
    if (isSync(call)) {
      if (call.result !== 0) continue;
      for (const [path, other] of files) if (dirname(path) === call.on) other.isNamed = true;
      if (files.has(call.on)) file(call.on).synced = file(call.on).size;
    } else if (call.name === "pwrite64") {
      const [, length, offset] = /, (\d+), (\d+)\)/.exec(call.text) ?? [];
      const one = file(call.on);
      if (Number(offset) < one.synced) one.isOverwritten = true;
      one.size = Math.max(one.size, Number(offset) + Number(length));
    } else if (call.name.startsWith("write")) file(call.on).size += call.result ?? 0;
  }
  let cut = 0;
  for (const [path, { synced, isNamed, isOverwritten }] of files) {
    // SQLite's index of the write-ahead log is rebuilt from it, and never synced.
    if (path.endsWith("-shm") || isOverwritten || !existsSync(path)) continue;
    if (!isNamed) rmSync(path);
    else if (statSync(path).size > synced) truncateSync(path, synced);
    else continue;
    cut++;
  }
  return cut;
}
