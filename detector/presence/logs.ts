import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { z } from "zod";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";

const unzip = promisify(gunzip);

/** A change that a log tells of. */
export interface Change {
  deviceId: string;
  sensor: PresenceReport["sensor"];
  room: string;
  state: PresenceReport["state"];
  at: WallMs;
}

/** A home's log, in order of time. Its local time is taken for UTC. */
export interface HomeLog {
  home: string;
  changes: Change[];
  /** Device ids of doors that lead out. */
  entrances: string[];
  /** When the resident slept or was out, as somebody wrote down. */
  asleepOrOut: { from: WallMs; to: WallMs }[];
  /** Lines that could not be read, and why. */
  problems: string[];
}

const Manifest = z.object({
  homes: z.array(z.object({ home: z.string(), eventsFile: z.string(), activitiesFile: z.string() })),
});
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  .transform((text) => Date.parse(`${text}Z`));
const Line = z.object({
  t: time,
  sensor: z.string(),
  type: z.string(),
  room: z.string(),
  v: z.union([z.literal(0), z.literal(1)]),
});
const Activity = z.object({ start: time, end: time, activity: z.string() });

/** Kasteren's 1 is leaving the house, 10 sleeping. */
const asleepOrOut = new Set(["Sleeping", "Leaving", "1", "10"]);

/** Reads the homes that a folder's manifest.json lists. Throws where there is none, or a file of it is missing. */
export async function readLogs(folder: string, only?: readonly string[]): Promise<HomeLog[]> {
  const path = join(folder, "manifest.json");
  const text = await readFile(path, "utf8").catch(() => {
    throw new Error(`${path} cannot be read: a folder of presence logs has a manifest.json that lists its homes.`);
  });
  const manifest = Manifest.parse(JSON.parse(text));
  const known = manifest.homes.map(({ home }) => home);
  const unknown = only?.find((home) => !known.includes(home));
  if (unknown !== undefined) throw new Error(`${path} lists no home "${unknown}"; it has ${known.join(", ")}.`);
  const logs: HomeLog[] = [];
  for (const { home, eventsFile, activitiesFile } of manifest.homes) {
    if (only && !only.includes(home)) continue;
    const problems: string[] = [];
    const events = await readLines(join(folder, eventsFile), Line, problems);
    const activities = await readLines(join(folder, activitiesFile), Activity, problems);
    const changes = events.map(changeOf).sort((a, b) => a.at - b.at);
    const entrances = [...new Set(changes.map(({ deviceId }) => deviceId))].filter((id) =>
      /front-?door|main-?door/.test(id),
    );
    const spans = activities.filter(({ activity }) => asleepOrOut.has(activity));
    const from = spans.map(({ start, end }) => ({ from: start, to: end }));
    logs.push({ home, changes, entrances, asleepOrOut: from, problems });
  }
  return logs;
}

function changeOf({ t, sensor, type, room, v }: z.infer<typeof Line>): Change {
  return { deviceId: sensor, sensor: kindOf(sensor, type), room, state: v === 1 ? "on" : "off", at: t };
}

/** An appliance is, like a cistern, something that is put to use: only its `on` is somebody's doing. */
function kindOf(sensor: string, type: string): Change["sensor"] {
  if (type === "pir") return "motion";
  if (type === "pressure") return sensor.includes("bed") ? "bed" : "seat";
  return type === "flush" || type === "electric" ? "flush" : "contact";
}

async function readLines<T extends z.ZodType>(path: string, schema: T, problems: string[]): Promise<z.infer<T>[]> {
  const lines = (await unzip(await readFile(path))).toString("utf8").split("\n");
  const read: z.infer<T>[] = [];
  lines.forEach((line, number) => {
    if (!line.trim()) return;
    try {
      read.push(schema.parse(JSON.parse(line)));
    } catch (error) {
      const why = error instanceof z.ZodError ? error.issues[0]?.message : "no JSON";
      problems.push(`${path}, line ${number + 1}: ${why}`);
    }
  });
  return read;
}
