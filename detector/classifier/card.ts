import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { ModelPlacement } from "../operating-points.ts";

const score = z.number().min(0).max(1);
const OperatingPoint = z.object({ medium: score, strong: score });
const ByRange = z.object({ "2g": OperatingPoint, wide: OperatingPoint });
/** Shares of the falls of people left out, each with the score below which they lie: `[0.03, 0.41]` is that 3 % scored less than 0.41. */
const Quantiles = z.array(z.tuple([z.number().gt(0).lt(1), score])).min(1);
const BankByRange = z.object({ "2g": Quantiles.optional(), wide: Quantiles.optional() });
const ModelFile = z.object({ file: z.string().regex(/^[\w.-]+$/), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** What must stand in `model/card.json` for the detector to start. More stands there for people to read. */
export const ModelCard = z.object({
  version: z.string().min(1).max(60),
  inputLength: z.number().int().positive(),
  featureCount: z.number().int().positive(),
  channels: z.object({ length: z.number().int().positive(), count: z.number().int().positive() }),
  operatingPoints: z.object({ wrist: ByRange, waist: ByRange }),
  /** By how many logits a window with a gap is scored lower; a card of before it has none. */
  gapMargins: z.object({ wrist: z.number().min(0).max(20), waist: z.number().min(0).max(20) }).optional(),
  /** What falls of people left out scored; a card of before it has none. */
  bank: z.object({ wrist: BankByRange.optional(), waist: BankByRange.optional() }).optional(),
  models: z.object({
    wrist: z.object({ topology: ModelFile, weights: ModelFile }),
    waist: z.object({ topology: ModelFile, weights: ModelFile }),
  }),
  golden: ModelFile,
});
export type ModelCard = z.infer<typeof ModelCard>;

/** Windows with the scores that every backend must give. Inputs are `inputLength` values each. */
export const GoldenWindows = z.object({
  windows: z
    .array(z.object({ model: z.enum(["wrist", "waist"]), input: z.array(z.number()), score: z.number() }))
    .min(2),
});
export type GoldenWindows = z.infer<typeof GoldenWindows>;

export interface ModelFiles {
  card: ModelCard;
  /** As TensorFlow.js keeps a layers model: topology and weight specs as JSON, weights as bytes. */
  models: Record<ModelPlacement, { topology: unknown; weights: Uint8Array }>;
  golden: GoldenWindows;
}

/** Where the committed model lies, from a clone and from the compiled package alike. */
export const modelFolder = new URL("../model/", import.meta.url);

/**
 * Reads the card and all that it names. Throws where something is missing or not what the card says: a damaged model must not judge.
 */
export async function readModel(folder: URL = modelFolder): Promise<ModelFiles> {
  const card = await readCard(folder);
  const read = async (name: ModelPlacement) => ({
    topology: JSON.parse((await checked(folder, card.models[name].topology)).toString("utf8")) as unknown,
    weights: new Uint8Array(await checked(folder, card.models[name].weights)),
  });
  const golden = GoldenWindows.safeParse(JSON.parse((await checked(folder, card.golden)).toString("utf8")));
  if (!golden.success) throw damaged(card.golden.file, "does not hold golden windows");
  return { card, models: { wrist: await read("wrist"), waist: await read("waist") }, golden: golden.data };
}

/** Reads the card alone. Throws as `readModel`. */
export async function readCard(folder: URL = modelFolder): Promise<ModelCard> {
  const text = await readOrRefuse(new URL("card.json", folder));
  let json: unknown;
  try {
    json = JSON.parse(text.toString("utf8"));
  } catch {
    throw damaged("card.json", "is no JSON");
  }
  const parsed = ModelCard.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw damaged("card.json", `${issue?.path.join(".")}: ${issue?.message}`);
  }
  return parsed.data;
}

async function checked(folder: URL, { file, sha256 }: { file: string; sha256: string }): Promise<Buffer> {
  const bytes = await readOrRefuse(new URL(file, folder));
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sha256) throw damaged(file, `its SHA-256 is ${actual}, the card says ${sha256}`);
  return bytes;
}

async function readOrRefuse(url: URL): Promise<Buffer> {
  try {
    return await readFile(url);
  } catch (error) {
    throw damaged(url.pathname, error instanceof Error ? error.message : String(error));
  }
}

function damaged(file: string, why: string): Error {
  return new Error(
    `The detector's model is damaged: ${file}: ${why}. Install Fallvakt anew, or restore detector/model from the repository.`,
  );
}
