import { join } from "node:path";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { eraseFromInflux } from "../event-log/erase-influx.ts";
import { blankSpooled } from "../event-log/erase-spool.ts";
import type { InfluxConfig, SpooledPoint } from "../event-log/influx-writer.ts";
import { actOf } from "../registry/acting.ts";
import { type DwellingKey, findDwelling } from "../registry/dwellings.ts";
import type { Erasure, Forgotten, Store, Traces } from "../store/store.ts";

/** What a running service had in hand when the store forgot the dwelling has reached the spool or InfluxDB after this, ms. */
const settleMs = 2_000;
/** How often the store is tried to be rewritten beside a service that is at work in it, and the wait between, ms. */
const compacting = { tries: 40, waitMs: 500 };

export type ErasurePart = "store" | "spool" | "influx" | "overwritten";

export interface ErasureDone {
  dwellingId: string;
  forgotten: Forgotten;
  spooledLines: number;
  /** False where no InfluxDB is configured, or it was left out on purpose. */
  influx: boolean;
}

export interface ErasureOptions {
  store: Store;
  dataDir: string;
  influx: InfluxConfig | undefined;
  clock: Clock;
  /** Told after each part. */
  onPart(part: ErasurePart, says: string): void;
}

/**
 * Erases a dwelling: who lived there cannot be found any more, and the logs are still whole. Cut off at any moment, it is finished by doing it again;
 * those that were cut off before are finished first.
 * @throws with the mend where no dwelling has the key, where an episode of it is open, or where a part cannot be done now.
 */
export async function eraseDwelling(
  options: ErasureOptions,
  dwelling: DwellingKey,
  by: string,
): Promise<ErasureDone[]> {
  const { store, clock } = options;
  const act = { ...actOf(clock, by), by, via: "cli" as const };
  const done: ErasureDone[] = [];
  for (const erasure of await store.erasure.unfinished()) done.push(await finish(options, erasure));
  const key = dwelling.key.trim().toLowerCase();
  const isKnown = (await store.registry.dwellings()).some(({ alias }) => alias.toLowerCase() === key);
  // What was asked for was just finished.
  if (!isKnown && done.length > 0) return done;
  const { id, alias } = await findDwelling(store, dwelling);
  if ((await store.erasure.openEpisodes(id)) > 0) throw stillOpen(alias);
  done.push(await finish(options, await store.erasure.begin(id, act)));
  return done;
}

const stillOpen = (key: string) =>
  new Error(`key ${key} has an alarm that is open: close it, then run this again. Nothing was erased`);

async function finish(
  { store, dataDir, influx, clock, onPart }: ErasureOptions,
  erasure: Erasure,
): Promise<ErasureDone> {
  const { id, dwellingId, traces } = erasure;
  const forgotten = await store.erasure.forget(id, Math.round(clock.wallNow()));
  if (!forgotten) {
    throw new Error(
      `key ${traces?.alias ?? dwellingId} has an alarm that was opened meanwhile: close it, then run this again. Its devices are shut out already`,
    );
  }
  onPart(
    "store",
    `${forgotten.keys} keys destroyed, ${forgotten.residents} residents and ${forgotten.episodes} episodes forgotten, ${forgotten.devices} devices shut out`,
  );
  let spooledLines = 0;
  if (traces) {
    const spool = join(dataDir, "spool");
    spooledLines = await blankSpooled(spool, isAbout(traces));
    await pause(clock, settleMs);
    spooledLines += await blankSpooled(spool, isAbout(traces));
    onPart("spool", `${spooledLines} lines blanked`);
    if (influx) {
      await eraseFromInflux(influx, traces);
      // What was on its way to InfluxDB meanwhile.
      await pause(clock, settleMs);
      await eraseFromInflux(influx, traces);
    }
    onPart("influx", influx ? "its series dropped" : "none");
    await store.erasure.dropTraces(id);
  }
  await compact(store, clock);
  await store.erasure.finish(id, Math.round(clock.wallNow()));
  onPart("overwritten", "the store is written anew, its WAL is empty");
  return { dwellingId, forgotten, spooledLines, influx: influx !== undefined };
}

async function compact(store: Store, clock: Clock): Promise<void> {
  for (let tries = 0; tries < compacting.tries; tries++) {
    if (await store.erasure.compact()) return;
    await pause(clock, compacting.waitMs);
  }
  throw new Error(
    "the store is too busy to be written anew: all is erased, but deleted bytes may be on the disk still. Run this again",
  );
}

function isAbout({ dwellingId, alias, isShared, devices, episodes }: Traces): (point: SpooledPoint) => boolean {
  const ids = new Set(episodes.map((episode) => episode.id));
  return ({ tags, fields }) =>
    (!isShared && tags.alias === alias) ||
    (dwellingId !== undefined && tags.dwelling === dwellingId) ||
    devices.includes(tags.device ?? "") ||
    ids.has(String(fields.episode ?? ""));
}

const pause = (clock: Clock, ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
