import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Placement } from "../detection.ts";
import { Manifest, placementOf, type Recording, Trial } from "./format.ts";

const unzip = promisify(gunzip);

/** What could not be read, in words for a person: which file, which trial, why. */
export interface RecordingProblem {
  where: string;
  why: string;
}

export interface RecordingPart {
  dataset: string;
  part: string;
  placement: Placement;
  recordings: Recording[];
}

export interface RecordingSet {
  dataset: string;
  parts: RecordingPart[];
  problems: RecordingProblem[];
}

export interface ReadOptions {
  /** Only this part. */
  part?: string;
  /** The wearing place where part and manifest do not tell it; overrides them where they do. */
  placement?: Placement;
  /** Only these subjects. */
  subjects?: readonly string[];
  /** At most this many trials a part. */
  limit?: number;
}

/**
 * Reads a recording set: a folder with `manifest.json` and one gzip file per part.
 * A broken trial or part is left out and told of in `problems`; the rest is read. Throws only where there is no usable manifest.
 */
export async function readRecordingSet(folder: string, options: ReadOptions = {}): Promise<RecordingSet> {
  const manifest = await readManifest(folder);
  const problems: RecordingProblem[] = [];
  const trials = checkedTrials(folder, manifest, problems);
  const wanted = Object.entries(manifest.files).filter(([part]) => !options.part || part === options.part);
  if (wanted.length === 0) {
    const has = Object.keys(manifest.files).join(", ");
    throw new Error(`${folder}: ${has ? `no part "${options.part}"; it has ${has}` : "the manifest lists no files"}`);
  }
  const parts: RecordingPart[] = [];
  for (const [part, { file }] of wanted) {
    const placement = options.placement ?? placementOf(part, manifest);
    if (!placement) {
      problems.push({ where: `${folder}, part ${part}`, why: "wearing place unknown; name it with --placement" });
      continue;
    }
    const path = join(folder, file);
    let bytes: Buffer;
    try {
      if (basename(file) !== file) throw new Error("the file must lie in the set's own folder");
      bytes = await unzip(await readFile(path));
    } catch (error) {
      problems.push({ where: path, why: error instanceof Error ? error.message : String(error) });
      continue;
    }
    const values = new Int16Array(bytes.length >> 1);
    for (let i = 0; i < values.length; i++) values[i] = bytes.readInt16LE(i * 2);
    const recordings: Recording[] = [];
    for (const trial of trials) {
      if (trial.part !== part) continue;
      if (options.subjects && !options.subjects.includes(trial.subject)) continue;
      if (options.limit !== undefined && recordings.length >= options.limit) break;
      const end = (trial.offset + trial.samples) * 3;
      if (end > values.length) {
        problems.push({
          where: `${path}, trial ${trial.id}`,
          why: `ends at sample ${trial.offset + trial.samples}; the file has ${Math.floor(values.length / 3)}`,
        });
        continue;
      }
      recordings.push({ trial, placement, samples: values.slice(trial.offset * 3, end) });
    }
    parts.push({ dataset: manifest.dataset, part, placement, recordings });
  }
  return { dataset: manifest.dataset, parts, problems };
}

async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, "manifest.json");
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}. A recording set has a manifest.json.`);
  }
  const manifest = Manifest.safeParse(json);
  if (manifest.success) return manifest.data;
  const issue = manifest.error.issues[0];
  throw new Error(`${path}: ${issue?.path.join(".")}: ${issue?.message}`);
}

function checkedTrials(folder: string, manifest: Manifest, problems: RecordingProblem[]): Trial[] {
  const trials: Trial[] = [];
  manifest.trials.forEach((raw, index) => {
    const trial = Trial.safeParse(raw);
    if (trial.success && Object.hasOwn(manifest.files, trial.data.part)) {
      trials.push(trial.data);
      return;
    }
    const name = (raw as { id?: unknown } | null)?.id ?? `number ${index + 1}`;
    const issue = trial.success ? undefined : trial.error.issues[0];
    problems.push({
      where: `${join(folder, "manifest.json")}, trial ${name}`,
      why: issue ? `${issue.path.join(".")}: ${issue.message}` : `names a part that the manifest does not list`,
    });
  });
  return trials;
}
