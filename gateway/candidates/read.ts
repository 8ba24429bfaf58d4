import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { CandidateRow } from "./row.ts";
import { candidateSchema, candidatesFile } from "./tables.ts";

interface Stored {
  device: string;
  id: string;
  impact_at: number;
  lane: CandidateRow["lane"];
  placement: CandidateRow["placement"];
  range_g: number;
  boot: number;
  sequence: number;
  score: number;
  model: string;
  threshold: number;
  decided: CandidateRow["decided"];
  afterwards: CandidateRow["afterwards"];
  features: Uint8Array;
  window: Uint8Array | null;
}

/** A device's candidates with impacts at or after `since`, the oldest first, beside a gateway that may be running. Null where there is no log. @throws where it is of another version. */
export function readCandidates(folder: string, deviceId: string, since: WallMs): CandidateRow[] | null {
  const path = candidatesFile(folder);
  if (!existsSync(path)) return null;
  const file = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
  try {
    const { user_version: schema } = file.prepare("PRAGMA user_version").get() as { user_version: number };
    // It is being made just now.
    if (schema === 0) return null;
    if (schema !== candidateSchema) {
      throw new Error(`${path} is of another version of Fallvakt: start the gateway of this one, which begins it anew`);
    }
    const rows = file
      .prepare("SELECT * FROM candidate WHERE device = ? AND impact_at >= ? ORDER BY impact_at, id")
      .all(deviceId, Math.round(since)) as unknown as Stored[];
    return rows.map(rowOf);
  } finally {
    file.close();
  }
}

function rowOf(row: Stored): CandidateRow {
  return {
    deviceId: row.device,
    candidateId: row.id,
    impactAt: row.impact_at,
    lane: row.lane,
    placement: row.placement,
    rangeG: row.range_g,
    bootId: row.boot,
    sequence: row.sequence,
    score: row.score,
    model: row.model,
    threshold: row.threshold,
    decided: row.decided,
    afterwards: row.afterwards,
    // Copied: a blob's bytes need not lie where numbers may.
    features: new Float32Array(row.features.slice().buffer),
    window: row.window && new Int16Array(row.window.slice().buffer),
  };
}
