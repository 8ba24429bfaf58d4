import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { channelCount, channelLength } from "../channels.ts";
import type { ModelCard } from "../classifier/card.ts";
import type { GapMargins } from "../classifier/gap-margin.ts";
import { toJson } from "../evaluation/report-json.ts";
import { featureCount } from "../features.ts";
import { inputLength } from "../model-input.ts";
import type { ModelPlacement, OperatingPoints } from "../operating-points.ts";
import type { Bank } from "./bank.ts";
import type { Example } from "./examples.ts";
import type { LeftOutReport } from "./left-out.ts";
import { scoresOf } from "./network.ts";
import { randomFrom } from "./random.ts";

export interface ModelToWrite {
  version: string;
  models: Record<ModelPlacement, LayersModel>;
  operatingPoints: OperatingPoints;
  gapMargins: GapMargins;
  bank: Bank;
  /** From which golden windows are made: random ones near a few real statistics, never a recording's own. */
  examples: readonly Example[];
  /** What else the card tells, for people. */
  told: Record<string, unknown>;
}

const goldenPerModel = 12;

/** Writes weights, golden windows and card to `folder`. */
export async function writeModel(folder: string, model: ModelToWrite): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const put = async (file: string, bytes: Uint8Array) => {
    await writeFile(join(folder, file), bytes);
    return { file, sha256: createHash("sha256").update(bytes).digest("hex") };
  };
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  const files = async (name: ModelPlacement) => {
    const { modelTopology, weightSpecs, weightData } = await artifactsOf(model.models[name]);
    return {
      topology: await put(`${name}.json`, json({ modelTopology, weightSpecs })),
      weights: await put(`${name}.bin`, weightData),
    };
  };
  const golden = (["wrist", "waist"] as const).flatMap((name) => goldenOf(name, model));
  const card: ModelCard & Record<string, unknown> = {
    version: model.version,
    ...model.told,
    inputLength,
    featureCount,
    channels: { length: channelLength, count: channelCount },
    operatingPoints: model.operatingPoints,
    gapMargins: model.gapMargins,
    bank: model.bank,
    models: { wrist: await files("wrist"), waist: await files("waist") },
    golden: await put("golden.json", json({ windows: golden })),
  };
  await writeFile(join(folder, "card.json"), `${toJson(card)}\n`);
}

/** Puts the figures of people and sets left out into a written model's card, without the single trials. */
export async function addFigures(folder: string, how: string, people: LeftOutReport, sets: LeftOutReport) {
  const path = join(folder, "card.json");
  const { figures: _, ...card } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const told = {
    how: `${people.tells}; ${how}`,
    intervals: "95 %: Wilson for shares, Poisson for rates",
    sets: people.sets.map(({ trials: __, ...set }) => set),
    robustness: people.robustness,
    setsOut: {
      how: `${sets.tells}; ${how}`,
      sets: sets.sets.map(({ trials: __, byActivity: ___, byAgeGroup: ____, ...set }) => set),
    },
  };
  await writeFile(path, `${toJson({ ...card, figures: told })}\n`);
}

/** A model as TensorFlow.js writes it: topology, weight specs, weights. */
export async function artifactsOf(model: LayersModel) {
  let kept: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      kept = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  if (!kept?.weightData) throw new Error("TensorFlow.js saved no weights");
  const data = Array.isArray(kept.weightData)
    ? new Uint8Array(await new Blob(kept.weightData).arrayBuffer())
    : new Uint8Array(kept.weightData);
  return { modelTopology: kept.modelTopology, weightSpecs: kept.weightSpecs, weightData: data };
}

/**
 * Golden windows are no recordings' windows: each value lies between those of two windows of the training set, by a share of its own,
 * rounded so that JSON gives back exactly what was scored.
 */
function goldenOf(name: ModelPlacement, { models, examples }: ModelToWrite) {
  const random = randomFrom(7);
  const falls = examples.filter((one) => one.model === name && one.label === 1);
  const life = examples.filter((one) => one.model === name && one.label === 0);
  const any = (list: Example[]) => list[Math.floor(random.between(0, list.length))]!;
  const inputs = Array.from({ length: goldenPerModel }, (_, i) => {
    const a = any(i % 2 ? falls : life);
    const b = any(i % 3 ? falls : life);
    return a.input.map((value, j) => {
      const share = random.between(0.2, 0.8);
      return Math.fround(Math.round((value + share * (b.input[j]! - value)) * 1000) / 1000);
    });
  });
  const scores = scoresOf(models[name], inputs);
  return inputs.map((input, i) => ({
    model: name,
    input: Array.from(input, (value) => Math.round(value * 1000) / 1000),
    score: scores[i]!,
  }));
}
