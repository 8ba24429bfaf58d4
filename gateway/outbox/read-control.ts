import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { KeptControl } from "../ingest/kept-control.ts";

/** The last Control that the gateway of this folder kept, beside one that may be running; null where there is none. */
export function readKeptControl(folder: string): KeptControl | null {
  const path = join(folder, "gateway.sqlite");
  if (!existsSync(path)) return null;
  const file = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
  try {
    const row = file.prepare("SELECT body FROM control").get();
    const parsed = row ? KeptControl.safeParse(JSON.parse(String(row.body))) : null;
    return parsed?.success ? parsed.data : null;
  } finally {
    file.close();
  }
}
