import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SpooledPoint } from "./influx-writer.ts";
import { segmentName } from "./spool.ts";

/**
 * Blanks the lines of a spool that are about something, in place: each becomes as many spaces. So a service that is reading and appending at the same
 * time keeps its places, and the bytes on the disk are overwritten.
 * @returns how many lines were blanked.
 */
export async function blankSpooled(directory: string, isAbout: (point: SpooledPoint) => boolean): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  let blanked = 0;
  for (const name of names.filter((one) => segmentName.test(one)))
    blanked += await blankIn(join(directory, name), isAbout);
  return blanked;
}

async function blankIn(path: string, isAbout: (point: SpooledPoint) => boolean): Promise<number> {
  // Drained meanwhile: then it is gone as a whole.
  const file = await open(path, "r+").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (!file) return 0;
  try {
    const bytes = await file.readFile();
    let blanked = 0;
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; from = end + 1, end = bytes.indexOf(10, from)) {
      const point = pointIn(bytes.toString("utf8", from, end));
      if (!point || !isAbout(point)) continue;
      await file.write(Buffer.alloc(end - from, " "), 0, end - from, from);
      blanked++;
    }
    if (blanked > 0) await file.sync();
    return blanked;
  } finally {
    await file.close();
  }
}

function pointIn(line: string): SpooledPoint | null {
  try {
    return JSON.parse(line) as SpooledPoint;
  } catch {
    return null;
  }
}
