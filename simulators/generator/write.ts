import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type GeneratedSet, parts } from "./set.ts";

const zip = promisify(gzip);

/** Writes a set as `manifest.json` and one gzip file per part into `folder`, which is made where it is missing. */
export async function writeSet(folder: string, set: GeneratedSet): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of parts) {
    const values = set.parts[part];
    const bytes = Buffer.alloc(values.length * 2);
    values.forEach((value, i) => {
      bytes.writeInt16LE(value, i * 2);
    });
    const name = set.manifest.files[part]?.file;
    if (!name) throw new Error(`the manifest lists no file for part ${part}`);
    await writeFile(join(folder, name), await zip(bytes));
  }
  // The manifest comes last: a folder with one is whole.
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(set.manifest, null, 1)}\n`);
}
