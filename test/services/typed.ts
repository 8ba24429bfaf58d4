import type { Command } from "commander";
import { vi } from "vitest";

/** Runs a command as a person types it, and returns what it prints. Throws what it throws. */
export async function typed(command: Command, ...args: string[]): Promise<string> {
  let printed = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    await command.parseAsync(args, { from: "user" });
  } finally {
    write.mockRestore();
  }
  return printed;
}
