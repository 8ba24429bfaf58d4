import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What a test can need beside npm's packages: a program on the PATH, or a folder that a variable names. */
const needs = {
  influxd: () => onPath("influxd"),
  chromium: () => onPath("chromium"),
  // Debian puts it where only root's PATH leads.
  mosquitto: () => onPath("mosquitto") || isProgram("/usr/sbin/mosquitto"),
  mosquitto_pub: () => onPath("mosquitto_pub"),
  openssl: () => onPath("openssl"),
  strace: () => onPath("strace"),
  gcc: () => onPath("gcc"),
  "dpkg as root": () => onPath("dpkg") && process.getuid?.() === 0,
  "qemu-aarch64-static": () => onPath("qemu-aarch64-static") && existsSync("/usr/aarch64-linux-gnu/lib/libstdc++.so.6"),
  "systemd-notify": () => onPath("systemd-notify"),
  "arm-none-eabi-gcc": () => onPath("arm-none-eabi-gcc"),
  FALLVAKT_RECORDINGS: () => folder("FALLVAKT_RECORDINGS"),
  FALLVAKT_SPECS: () => folder("FALLVAKT_SPECS"),
} as const;

export type Need = keyof typeof needs;

/**
 * True where `need` is missing, for `test.skipIf(lacks("influxd"))("… (needs influxd)")`.
 * In CI nothing may be missing: there it throws, which fails the file.
 */
export function lacks(need: Need): boolean {
  if (needs[need]()) return false;
  if (process.env.CI)
    throw new Error(`${need} is missing, and in CI nothing may be skipped; see test/services/install`);
  return true;
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => isProgram(join(directory, program)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function folder(variable: string): boolean {
  const path = process.env[variable];
  if (path && !existsSync(path)) throw new Error(`${variable} names ${path}, which is not there`);
  return Boolean(path);
}
