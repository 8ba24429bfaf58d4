import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// `node firmware-contracts/c/size.ts`: how much of a microcontroller's flash the C code takes.

/** What all of it may take on a Cortex-M4, code and constants, bytes. */
export const sizeLimit = 2048;
export const armCompiler = "arm-none-eabi-gcc";
export const cortexM4 = ["-std=c99", "-Os", "-mcpu=cortex-m4", "-mthumb", "-Wall", "-Wextra", "-Werror"];

export interface CodeSize {
  /** Code and constants of everything, bytes. */
  flash: number;
  /** Variables that live as long as the program, bytes. */
  ram: number;
  functions: { name: string; bytes: number }[];
  /** What it needs from elsewhere: a C library, a compiler's helpers. */
  needs: string[];
}

/** Compiles fallvakt.c for a Cortex-M4 and looks at the object file. Throws where the compiler is missing or refuses. */
export function measureSize(): CodeSize {
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-size-"));
  try {
    const object = join(folder, "fallvakt.o");
    const run = (tool: string, args: string[]) => execFileSync(tool, args, { encoding: "utf8", timeout: 60_000 });
    run(armCompiler, [...cortexM4, "-c", fileURLToPath(new URL("fallvakt.c", import.meta.url)), "-o", object]);
    const [, sizes = ""] = run("arm-none-eabi-size", [object]).split("\n");
    const [text = 0, data = 0, bss = 0] = sizes.trim().split(/\s+/).map(Number);
    const symbols = run("arm-none-eabi-nm", ["-S", "--size-sort", object]).trim().split("\n");
    const functions = symbols
      .map((line) => line.split(/\s+/))
      .filter(([, , kind]) => kind === "T" || kind === "t")
      .map(([, bytes = "", , name = ""]) => ({ name, bytes: Number.parseInt(bytes, 16) }))
      .reverse();
    const undefinedSymbols = run("arm-none-eabi-nm", ["-u", object]).trim();
    const needs = undefinedSymbols ? undefinedSymbols.split("\n").map((line) => line.trim().replace(/^U\s+/, "")) : [];
    return { flash: text + data, ram: data + bss, functions, needs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { flash, ram, functions, needs } = measureSize();
  for (const { name, bytes } of functions) process.stdout.write(`${String(bytes).padStart(6)}  ${name}\n`);
  process.stdout.write(
    `${armCompiler} ${cortexM4.join(" ")}\nneeds from a library: ${needs.join(", ") || "nothing"}\nRAM ${ram} bytes\nflash ${flash} of ${sizeLimit} bytes\n`,
  );
  if (flash > sizeLimit) process.exitCode = 1;
}
