import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSerial } from "../serial.ts";

/** How many segments the whole spool has at most: the oldest is what is dropped at once when it is full. */
const segmentsAtMost = 16;
export const segmentName = /^(\d{10})\.ndjson$/;

/** Where reading stands: everything before it was written to InfluxDB, or dropped. */
interface Cursor {
  segment: number;
  offset: number;
}

export interface SpoolBatch {
  lines: string[];
  /** What reading comes to once the batch is dealt with. */
  next: Cursor;
  /** How often places in the spool had changed when it was read. */
  edition: number;
}

/**
 * Lines on disk, oldest first, in segments of one file each, bounded: where it is full the oldest segment is dropped and its lines are counted,
 * and `expire` takes out what is too old.
 * It survives a restart; lines are not synced one by one, so a power cut can cost the last moments.
 */
export interface Spool {
  append(lines: readonly string[]): Promise<{ dropped: number }>;
  /** Up to `most` lines that are not dealt with yet. */
  peek(most: number): Promise<SpoolBatch>;
  /**
   * Deals with a batch: it will not be read again, also after a restart.
   * @returns false where lines were taken out since it was read, so that its place is no more: what is left of it comes again.
   */
  advance(batch: SpoolBatch): Promise<boolean>;
  /** Drops the lines that are too old, wherever they stand. */
  expire(isOld: (line: string) => boolean): Promise<{ dropped: number }>;
  /** Lines that are not dealt with yet. */
  waiting(): number;
}

export async function openSpool(directory: string, maxBytes: number): Promise<Spool> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const cursorPath = join(directory, "cursor.json");
  const pathOf = (segment: number) => join(directory, `${String(segment).padStart(10, "0")}.ndjson`);
  const segmentBytes = Math.max(4096, Math.floor(maxBytes / segmentsAtMost));

  const sizes = new Map<number, number>();
  for (const name of await readdir(directory)) {
    // Cut off in the middle of writing it.
    if (name.endsWith(".new")) await rm(join(directory, name), { force: true });
    const number = segmentName.exec(name)?.[1];
    if (number) sizes.set(Number(number), (await stat(join(directory, name))).size);
  }
  const numbers = () => [...sizes.keys()].sort((a, b) => a - b);
  let cursor: Cursor = await readCursor(cursorPath, numbers()[0] ?? 1);
  for (const number of numbers()) if (number < cursor.segment) await remove(number);
  // A new one at each start: the last line of the old one may be cut short.
  let writing = Math.max(cursor.segment, ...numbers()) + 1;
  let waiting = 0;
  let edition = 0;
  for (const number of numbers()) waiting += (await read(number, number === cursor.segment ? cursor.offset : 0)).length;
  sizes.set(writing, 0);

  async function remove(segment: number): Promise<void> {
    await rm(pathOf(segment), { force: true });
    sizes.delete(segment);
  }

  /** The whole lines of a segment from a place on. */
  async function read(segment: number, offset: number, most = Number.POSITIVE_INFINITY): Promise<string[]> {
    let text: string;
    try {
      const file = await open(pathOf(segment), "r");
      try {
        const bytes = Buffer.alloc(Math.max(0, (await file.stat()).size - offset));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
        text = bytes.toString("utf8", 0, bytesRead);
      } finally {
        await file.close();
      }
    } catch {
      return [];
    }
    return text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .slice(0, -1)
      .slice(0, most);
  }

  async function keepCursor(next: Cursor): Promise<void> {
    cursor = next;
    await writeFile(`${cursorPath}.new`, JSON.stringify(cursor));
    await rename(`${cursorPath}.new`, cursorPath);
  }

  /** Leaves only these lines in a segment. Cut off in the middle, lines are read twice at worst, which InfluxDB takes for the same points. */
  async function replace(segment: number, lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${line}\n`).join("");
    const path = pathOf(segment);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    if (segment === cursor.segment) await keepCursor({ segment, offset: 0 });
    await rename(`${path}.new`, path);
    sizes.set(segment, Buffer.byteLength(text));
    if (lines.length > 0 || segment === writing) return;
    await remove(segment);
    if (segment === cursor.segment) await keepCursor({ segment: numbers()[0] ?? writing, offset: 0 });
  }

  // Appending and reading both move the cursor and drop segments: one at a time.
  const serial = createSerial();
  const inTurn: Pick<Spool, "append" | "peek" | "advance" | "expire"> = {
    async append(lines) {
      const text = lines.map((line) => `${line}\n`).join("");
      if ((sizes.get(writing) ?? 0) >= segmentBytes) {
        writing++;
        sizes.set(writing, 0);
      }
      await appendFile(pathOf(writing), text, { mode: 0o600 });
      sizes.set(writing, (sizes.get(writing) ?? 0) + Buffer.byteLength(text));
      waiting += lines.length;
      let dropped = 0;
      while ([...sizes.values()].reduce((sum, size) => sum + size, 0) > maxBytes && sizes.size > 1) {
        const oldest = numbers()[0] ?? writing;
        const lost = (await read(oldest, oldest === cursor.segment ? cursor.offset : 0)).length;
        await remove(oldest);
        await keepCursor({ segment: numbers()[0] ?? writing, offset: 0 });
        dropped += lost;
        waiting -= lost;
      }
      return { dropped };
    },
    async peek(most) {
      for (const number of numbers().filter((n) => n >= cursor.segment)) {
        const offset = number === cursor.segment ? cursor.offset : 0;
        const lines = await read(number, offset, most);
        if (lines.length === 0) continue;
        const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
        return { lines, next: { segment: number, offset: offset + bytes }, edition };
      }
      return { lines: [], next: cursor, edition };
    },
    async advance({ lines, next, edition: read }) {
      if (read !== edition) return false;
      // The segment can have been dropped meanwhile: then the cursor is past it already, and so are the lines' counts.
      if (next.segment < cursor.segment) return true;
      await keepCursor(next);
      waiting -= lines.length;
      for (const number of numbers()) if (number < next.segment && number !== writing) await remove(number);
      if (next.offset >= (sizes.get(next.segment) ?? 0)) {
        // What InfluxDB has taken does not lie here any longer, in the segment now written neither.
        if (next.segment === writing) sizes.set(++writing, 0);
        await remove(next.segment);
        await keepCursor({ segment: numbers()[0] ?? writing, offset: 0 });
      }
      return true;
    },
    async expire(isOld) {
      let [gone, dropped] = [0, 0];
      for (const number of numbers().filter((n) => n >= cursor.segment)) {
        const lines = await read(number, number === cursor.segment ? cursor.offset : 0);
        // Lines come in order of time, so that a first one that is young enough speaks for its segment.
        if (lines[0] === undefined || !isOld(lines[0])) continue;
        const kept = lines.filter((line) => !isOld(line));
        await replace(number, kept);
        gone += lines.length - kept.length;
        // A blank line was erased: nobody misses it.
        dropped += lines.filter((line) => line.trim() !== "" && isOld(line)).length;
      }
      if (gone > 0) edition++;
      waiting -= gone;
      return { dropped };
    },
  };
  return {
    append: (lines) => serial(() => inTurn.append(lines)),
    peek: (most) => serial(() => inTurn.peek(most)),
    advance: (batch) => serial(() => inTurn.advance(batch)),
    expire: (isOld) => serial(() => inTurn.expire(isOld)),
    waiting: () => Math.max(0, waiting),
  };
}

async function readCursor(path: string, first: number): Promise<Cursor> {
  try {
    const { segment, offset } = JSON.parse(await readFile(path, "utf8")) as Partial<Cursor>;
    if (Number.isInteger(segment) && Number.isInteger(offset))
      return { segment: segment ?? first, offset: offset ?? 0 };
  } catch {
    // None yet, or cut short: from the oldest line on. InfluxDB takes the same point twice as one.
  }
  return { segment: first, offset: 0 };
}
