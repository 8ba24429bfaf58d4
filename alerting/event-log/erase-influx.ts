import type { Traces } from "../store/store.ts";
import { type InfluxConfig, influxClient } from "./influx-writer.ts";

/** Points of an episode can be told a little after it was closed, ms. */
const afterClosingMs = 3_600_000;

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** What must be said to InfluxDB for a dwelling to be gone. Where another one has its key number, only the time of its own episodes goes. */
export function erasingStatements({ dwellingId, alias, isShared, devices, episodes }: Traces): string[] {
  const ofDwelling = dwellingId === undefined ? [] : [`DROP SERIES WHERE "dwelling" = ${quoted(dwellingId)}`];
  const ofDevices = [...devices.map((device) => `DROP SERIES WHERE "device" = ${quoted(device)}`), ...ofDwelling];
  if (!isShared) return [`DROP SERIES WHERE "alias" = ${quoted(alias)}`, ...ofDevices];
  const ofEpisodes = episodes.map(
    ({ from, to }) =>
      `DELETE WHERE "alias" = ${quoted(alias)} AND time >= ${Math.floor(from)}ms AND time <= ${Math.ceil(to) + afterClosingMs}ms`,
  );
  return [...ofEpisodes, ...ofDevices];
}

/**
 * Takes a dwelling out of InfluxDB. Can be done again.
 * @throws with the mend where InfluxDB cannot be reached, or cannot delete.
 */
export async function eraseFromInflux(config: InfluxConfig, traces: Traces): Promise<void> {
  const client = influxClient(config);
  for (const statement of erasingStatements(traces)) {
    try {
      await client.query(statement);
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      // No database yet: nothing was ever written.
      if (/database not found/i.test(says)) return;
      throw new Error(
        `InfluxDB did not take "DROP SERIES" (${says.slice(0, 120)}). Run this again when it answers; a server without that statement (2.x, 3) needs its own delete for alias and device, then run this with --without-influx`,
      );
    }
  }
}
