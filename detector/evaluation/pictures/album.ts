import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordingPart } from "../../../firmware-contracts/recordings/read.ts";
import { modelFor, type OperatingPoints, rangeClassOf } from "../../operating-points.ts";
import type { Played } from "../play.ts";
import { judgeTrial } from "../trials.ts";
import { type IndexEntry, indexPage } from "./index-page.ts";
import { pictureOf, whyMissed } from "./picture.ts";

/** A folder with pictures of what went wrong, and a page that lists them. */
export interface Album {
  /** Draws a part's missed falls and false alarms. */
  add(part: RecordingPart, played: readonly Played[], operatingPoints: OperatingPoints): Promise<void>;
  /** Writes the page. */
  close(modelVersion: string): Promise<{ pictures: number; index: string }>;
}

/** Makes the folder where it is missing. Files of an earlier album are overwritten where names are the same, and else stay. */
export async function openAlbum(folder: string): Promise<Album> {
  await mkdir(folder, { recursive: true });
  const entries: IndexEntry[] = [];
  const taken = new Set<string>();
  const fileFor = (name: string) => {
    const plain = name.replaceAll(/[^A-Za-z0-9-]+/g, "_");
    let file = `${plain}.svg`;
    // Two folders may hold sets of the same name.
    for (let n = 2; taken.has(file); n++) file = `${plain}-${n}.svg`;
    taken.add(file);
    return file;
  };

  return {
    async add({ dataset, part }, played, operatingPoints) {
      for (const one of played) {
        const { trial, placement } = one.recording;
        const point = operatingPoints[modelFor(placement)][rangeClassOf(one.rangeG)];
        const { found, wrong } = judgeTrial(one);
        const put = async (kind: IndexEntry["kind"], told: string, alarm: Played["alarms"][number] | null) => {
          const set = `${dataset}/${part}`;
          const file = fileFor(`${set}-${trial.id}-${kind}${alarm ? `-${alarm.impactS.toFixed(0)}s` : ""}`);
          await writeFile(join(folder, file), pictureOf({ set, kind, told, played: one, alarm, point }));
          entries.push({ file, kind, told, set, trial });
        };
        if (trial.label === "fall" && !found) await put("missed fall", whyMissed(one, point), null);
        for (const alarm of wrong) {
          const { strength, evidence } = alarm.conclusion;
          const after = (alarm.detectedS - alarm.impactS).toFixed(1);
          await put(
            "false alarm",
            `${strength}, score ${evidence.score.toFixed(2)}, ${after} s after the impact`,
            alarm,
          );
        }
      }
    },
    async close(modelVersion) {
      const index = join(folder, "index.html");
      await writeFile(index, indexPage(entries, modelVersion));
      return { pictures: entries.length, index };
    },
  };
}
