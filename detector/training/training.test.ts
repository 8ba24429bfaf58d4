import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import { useWasm } from "../classifier/backend.ts";
import { modelFolder } from "../classifier/card.ts";
import { loadClassifier } from "../classifier/classifier.ts";
import { logitOf } from "../classifier/gap-margin.ts";
import { resampled } from "../evaluation/degrade.ts";
import { points } from "../synthetic-wearer.ts";
import { augment, variants } from "./augment.ts";
import { cardPage } from "./card-page.ts";
import { cardOf } from "./card-text.ts";
import { type Design, designs, rankingsOf, tryDesign } from "./designs.ts";
import { type DailyLife, dailyLifeOf, type Example, examplesOf, type Source } from "./examples.ts";
import { foldsOf, leaveOut, leavePairsOut, trainBoth } from "./folds.ts";
import { keepIn } from "./kept-branches.ts";
import { leavePeopleOut, leaveSetsOut, peopleIn } from "./left-out.ts";
import { withGap } from "./made-up-windows.ts";
import { scoresOf } from "./network.ts";
import { randomFrom } from "./random.ts";
import { trainingSets } from "./sources.ts";
import { budget, thresholdsFor } from "./thresholds.ts";
import { addFigures, writeModel } from "./write-model.ts";

const run = promisify(execFile);

/** A made-up trial of 12 s at 50 Hz: a fall that ends lying, or a jump that ends standing. */
function made(n: number, label: "fall" | "adl", placement: "wrist" | "waist"): Source {
  const random = randomFrom(n + (label === "fall" ? 1000 : 0));
  const peak = random.between(1.5, 4);
  const samples = new Int16Array(600 * 3);
  for (let i = 0; i < 600; i++) {
    const near = Math.exp(-(((i - 300) / 4) ** 2)) * peak * 1000;
    const down = label === "fall" && i > 300;
    samples[i * 3] = Math.round(near + (down ? 1000 : 0) + random.between(-40, 40));
    samples[i * 3 + 1] = Math.round((down ? 0 : 1000) + random.between(-40, 40));
  }
  const recording: Recording = {
    placement,
    samples,
    trial: {
      part: placement,
      offset: 0,
      samples: 600,
      rateHz: 50,
      id: `${label}${n}`,
      subject: `S${n % 6}`,
      activity: "x",
      label,
      peakS: 6,
    },
  };
  return { dataset: "made-up", part: placement, recording, rangeG: 8 };
}

const sources = (["wrist", "waist"] as const).flatMap((placement) =>
  Array.from({ length: 24 }, (_, n) => [made(n, "fall", placement), made(n, "adl", placement)]).flat(),
);
let examples: Example[];
let folder: string;
beforeAll(async () => {
  await useWasm();
  examples = examplesOf(sources, 1);
  folder = await mkdtemp(join(tmpdir(), "fallvakt-trained-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const options = { epochs: 6, branches: 1, seed: 3 };

describe("examples", () => {
  test("are cut by the streaming code from whole recordings, as they are and augmented", () => {
    expect(new Set(examples.map(({ variant }) => variant))).toEqual(new Set(variants));
    expect(examples.some(({ label }) => label === 1)).toBe(true);
    const asIs = examples.filter(({ variant }) => variant === "as-is");
    expect(asIs).toHaveLength(sources.length);
    for (const { rangeClass, variant } of examples) expect(rangeClass).toBe(variant === "clipped" ? "2g" : "wide");
  });

  test("in a fall's trial without a labelled onset nothing but the peak is known", () => {
    const fall = made(1, "fall", "wrist");
    for (let i = 60; i < 64; i++) fall.recording.samples[i * 3] = 2500;
    const labels = (onsetS?: number) => {
      const { trial, ...rest } = fall.recording;
      const recording = { ...rest, trial: { ...trial, ...(onsetS === undefined ? {} : { onsetS, endS: 6.5 }) } };
      return examplesOf([{ ...fall, recording }], 1, ["as-is"]).map(({ label }) => label);
    };
    expect(labels()).toEqual([1]);
    expect(labels(5.8)).toEqual([0, 1]);
  });

  test("a lower rate keeps the length and the times of the labels", () => {
    const [source] = sources;
    const slow = resampled(source!.recording, 20, 0.5);
    expect(slow.trial.rateHz).toBe(20);
    expect(slow.samples.length / 3 / 20).toBeCloseTo(12, 0);
    for (const variant of variants) {
      const copy = augment(source!.recording, 8, variant, randomFrom(5));
      expect(copy?.recording.trial.rateHz).toBeGreaterThanOrEqual(20);
      const largest = copy!.recording.samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (variant === "clipped") expect(largest).toBeLessThanOrEqual(2000);
    }
  });

  test("a copy whose device slipped tilts no further than it slipped, and only from the peak on", () => {
    const { recording } = sources.find(({ recording: { trial } }) => trial.label === "adl")!;
    let slips = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { samples, trial } = augment(recording, 8, "soft", randomFrom(seed))!.recording;
      const tilt = (fromS: number, toS: number) => {
        const sum = [0, 0, 0];
        const at = (s: number) => Math.round((s * trial.samples) / 12);
        for (let i = at(fromS); i < at(toS); i++) for (const axis of [0, 1, 2]) sum[axis]! += samples[i * 3 + axis]!;
        return (Math.acos(sum[1]! / Math.hypot(...sum)) * 180) / Math.PI;
      };
      // A zero that is off by 60 milli-g on an axis tilts by 5° at most.
      expect(tilt(0, 5)).toBeLessThan(6);
      expect(tilt(8, 12)).toBeLessThan(35 + 6);
      if (tilt(8, 12) > 8) slips++;
    }
    expect(slips).toBeGreaterThan(5);
    expect(slips).toBeLessThan(30);
  });

  test("the acceptance set is none of the training sets", () => {
    expect(trainingSets.some((name) => name.includes("umafall"))).toBe(false);
  });
});

describe("ranking of designs", () => {
  const scored = (id: string, label: 0 | 1, score: number) => ({
    example: { ...examples[0]!, label, trial: `made-up/wrist/${id}/as-is`, variant: "as-is" as const },
    score,
  });

  test("is by trial: a fall's own window, daily life's highest, and none where no gate opened", () => {
    const wrist = sources
      .filter(({ part }) => part === "wrist")
      .filter(({ recording }) => /[0-3]$/.test(recording.trial.id));
    const falls = wrist.filter(({ recording }) => recording.trial.label === "fall");
    const quiet = wrist.filter(({ recording }) => recording.trial.label === "adl");
    const best = falls.slice(1).map(({ recording }, i) => scored(recording.trial.id, 1, i === 0 ? 0.3 : 0.9));
    const lower = quiet.flatMap(({ recording: { trial } }) => [scored(trial.id, 0, 0.2), scored(trial.id, 0, 0.4)]);
    // A high window of a fall's trial that is not the fall finds nothing.
    const [ranking] = rankingsOf([...best, ...lower, scored(falls[0]!.recording.trial.id, 0, 0.99)], wrist, [0.9]);
    expect(ranking).toMatchObject({ set: "made-up/wrist", falls: falls.length, dailyLife: quiet.length });
    expect(ranking?.found[0]?.share).toBeCloseTo((falls.length - 2) / falls.length, 9);
    expect(ranking?.area).toBeCloseTo((falls.length - 2) / falls.length, 9);
  });

  test.each(Object.entries<Design>(designs))("%s can be trained, and scores each example once", async (_, design) => {
    const all = await tryDesign(design, examples, peopleIn(sources, 2), { ...options, epochs: 1 });
    expect(new Set(all.map(({ example }) => example))).toEqual(new Set(examples));
    expect(all).toHaveLength(examples.length);
  });
});

describe("training", () => {
  test("the same seed trains the same model, and it tells the made-up falls from jumps", async () => {
    const [a, b] = [await trainBoth(examples, options), await trainBoth(examples, options)];
    const inputs = examples.filter(({ model }) => model === "wrist").map(({ input }) => input);
    expect(scoresOf(a.wrist, inputs)).toEqual(scoresOf(b.wrist, inputs));
    const clear = examples.filter(({ model, variant }) => model === "waist" && variant === "as-is");
    const scores = scoresOf(
      a.waist,
      clear.map(({ input }) => input),
    );
    clear.forEach(({ label }, i) => {
      expect(scores[i]! > 0.5).toBe(label === 1);
    });
  }, 60_000);

  test("what is written loads on the kernel and on WebAssembly, with its golden windows and figures", async () => {
    const models = await trainBoth(examples, { ...options, epochs: 1 });
    const card = cardOf(sources, examples, { seed: 3, quick: true, epochs: 1, branches: 1, folds: 2 });
    const out = join(folder, "model");
    await writeModel(out, {
      models,
      operatingPoints: points(0.5, 0.9),
      gapMargins: { wrist: 0.5, waist: 0 },
      bank: { wrist: {}, waist: {} },
      examples,
      ...card,
    });
    const none = { tells: "nobody left out", sets: [], robustness: [] };
    await addFigures(out, "seed 3", none, none);
    const [{ input }] = examples as [Example];
    for (const backend of ["kernel", "wasm"] as const) {
      const classifier = await loadClassifier({ backend, folder: pathToFileURL(`${out}/`) });
      expect(classifier.operatingPoints).toEqual(points(0.5, 0.9));
      expect(classifier.score("wrist", [input])[0]).toBeCloseTo(scoresOf(models.wrist, [input])[0]!, 5);
      const gapped = withGap(input);
      const [raw] = scoresOf(models.wrist, [gapped]);
      expect(logitOf(classifier.score("wrist", [gapped])[0]!)).toBeCloseTo(logitOf(raw!) - 0.5, 3);
      expect(classifier.score("waist", [gapped])[0]).toBeCloseTo(scoresOf(models.waist, [gapped])[0]!, 5);
      classifier.dispose();
    }
  }, 60_000);
});

describe("folds", () => {
  test("leave each person out once and whole", async () => {
    const folds = foldsOf(["a/1", "a/2", "a/3", "b/1", "b/2", "a/1"], 2);
    expect([...folds.values()].sort()).toEqual([0, 0, 0, 1, 1]);
    const { scores, models } = await leaveOut(examples, peopleIn(sources, 2), { ...options, epochs: 1 });
    expect(scores.map(({ example }) => example.trial).sort()).toEqual(examples.map(({ trial }) => trial).sort());
    expect(models).toHaveLength(2);
  }, 60_000);

  test("a fold's thresholds come from the other folds, by models that saw neither", async () => {
    const folds = peopleIn(sources, 3);
    const inner = await leavePairsOut(examples, folds, { ...options, epochs: 1 });
    expect(inner).toHaveLength(3);
    inner.forEach((scores, fold) => {
      const others = examples.filter(({ person }) => folds.foldOf.get(person) !== fold);
      expect(new Set(scores.map(({ example }) => example))).toEqual(new Set(others));
      expect(scores).toHaveLength(others.length);
    });
  }, 60_000);

  test("people and sets that are left out are judged whole, also made worse", async () => {
    const two = sources.map((source, i) => (i % 4 < 2 ? source : { ...source, dataset: "other" }));
    const known = examplesOf(two, 1);
    const people = await leavePeopleOut(two, known, peopleIn(two, 3), { ...options, epochs: 2 }, true);
    const sets = await leaveSetsOut(two, known, peopleIn(two, 3), { ...options, epochs: 2 });
    for (const report of [people, sets]) {
      expect(report.sets.map(({ dataset, part, falls, adls }) => [dataset, part, falls, adls])).toEqual(
        expect.arrayContaining([
          ["made-up", "wrist", 12, 12],
          ["other", "waist", 12, 12],
        ]),
      );
    }
    expect(people.robustness.filter(({ part }) => part === "wrist").map(({ name }) => name)).toContain(
      "5 % of frames lost",
    );
    expect(sets.robustness).toEqual([]);
  }, 120_000);
});

describe("kept branches", () => {
  test("are taken where the very same was trained, and trained again where a window, an option or the file differs", async () => {
    const kept = keepIn(join(folder, "kept"));
    let trained = 0;
    const run = async (list: Example[], seed: number) => {
      const epochs: number[] = [];
      const quick = { ...options, epochs: 2, seed, kept, onEpoch: (loss: number) => epochs.push(loss) };
      const { wrist } = await trainBoth(list, quick);
      trained += epochs.filter((loss) => !Number.isNaN(loss)).length;
      return scoresOf(
        wrist,
        list.slice(0, 5).map(({ input }) => input),
      );
    };
    const first = await run(examples, 1);
    const all = trained;
    expect(all).toBe(2 * 2 * 2);
    expect(await run(examples, 1)).toEqual(first);
    expect(trained).toBe(all);
    await run(examples.slice(1), 1);
    await run(examples, 2);
    expect(trained).toBeGreaterThanOrEqual(all + 2 * 2 + 2 * 2 * 2);
    for (const file of await readdir(join(folder, "kept"))) await writeFile(join(folder, "kept", file), "torn");
    const before = trained;
    expect(await run(examples, 1)).toEqual(first);
    expect(trained).toBe(before + all);
  }, 60_000);
});

describe("thresholds", () => {
  /** `count` windows of a set's daily life, scores even from 0 to 1, and so many trials that each stand for a window; more never open the gate. */
  function daily(dataset: string, count: number, trials: number, more: Partial<Example> = {}) {
    const example: Example = {
      ...examples.find(({ model, label }) => model === "wrist" && label === 0)!,
      ...{ dataset, person: `${dataset}/S1`, label: 0, inFall: false, variant: "as-is", rangeClass: "wide", ...more },
    };
    const { person, model, rangeClass } = example;
    return {
      scored: Array.from({ length: count }, (_, i) => ({
        example: { ...example, trial: `${dataset}/${i}/as-is` },
        score: i / count,
      })),
      trials: Array.from({ length: trials }, (): DailyLife => ({ dataset, person, model, rangeClass })),
    };
  }
  const through = (scored: readonly { score: number }[], threshold: number) =>
    scored.filter(({ score }) => score >= threshold).length;
  const { wide } = budget.scripted.wrist;

  test("let no more of daily life through than the budget, on every set by itself; trials that never open the gate are quiet ones", () => {
    const a = daily("a", 1000, 1500);
    const b = daily("b", 500, 500);
    const trials = [...a.trials, ...b.trials];
    const { medium, strong } = thresholdsFor([...a.scored, ...b.scored], trials).wrist.wide;
    expect(Math.max(through(a.scored, medium) / 1500, through(b.scored, medium) / 500)).toBeLessThanOrEqual(wide);
    expect(through(b.scored, medium)).toBe(Math.floor(500 * wide));
    expect(through(b.scored, strong)).toBe(Math.floor(500 * wide * budget.strongShare));
    // What comes before a fall is no trial of daily life.
    const before = daily("b", 500, 0, { inFall: true }).scored.map((one) => ({ ...one, score: 0.999 }));
    expect(thresholdsFor([...a.scored, ...b.scored, ...before], trials).wrist.wide.medium).toBe(medium);
  });

  test("where one set alone stands behind them, they may cost only a share of it", () => {
    const { scored, trials } = daily("a", 1000, 1000);
    const { medium } = thresholdsFor(scored, trials).wrist.wide;
    expect(through(scored, medium)).toBe(Math.floor(1000 * wide * budget.soleShare));
  });

  test("people who were not scored do not count", () => {
    const a = daily("a", 1000, 1000);
    const others = a.trials.map((trial) => ({ ...trial, person: "a/S2" }));
    expect(thresholdsFor(a.scored, [...a.trials, ...others])).toEqual(thresholdsFor(a.scored, a.trials));
  });

  test("where nothing of a range class was seen, the other's thresholds stand in", () => {
    const { scored, trials } = daily("a", 500, 500, { rangeClass: "2g", model: "waist" });
    const { waist } = thresholdsFor(scored, trials);
    expect(waist.wide).toEqual(waist["2g"]);
    expect(waist["2g"].medium).toBeGreaterThan(0.9);
  });

  test("a seated hour counts once, also where a copy of it was made for the same range", () => {
    const seated = daily("stress-predict", 1000, 1, { rangeClass: "2g" });
    const people = Array.from({ length: 20 }, (_, i) => `stress-predict/S${i}`);
    const trials = people.map((person): DailyLife => ({ ...seated.trials[0]!, person }));
    const scored = seated.scored.map(({ example, score }, i) => ({
      example: { ...example, person: people[i % 20]! },
      score,
    }));
    const copies = scored.map(({ example, score }) => ({
      example: { ...example, variant: "clipped" as const, trial: example.trial.replace("as-is", "clipped") },
      score: score + 0.0005,
    }));
    const alone = thresholdsFor(scored, trials).wrist["2g"];
    expect(through(scored, alone.medium)).toBe(Math.floor(budget.seatedPerHour * 18.6));
    expect(thresholdsFor([...scored, ...copies], trials).wrist["2g"]).toEqual(alone);
    // Of a sensor that is wider itself there are copies alone.
    expect(thresholdsFor(copies, trials).wrist["2g"].medium).toBeCloseTo(alone.medium + 0.0005, 6);
  });
});

describe("trials of daily life", () => {
  test("are all there are, and those of a wider sensor count as seen by one of ±2 g too", () => {
    const [fall, adl] = [sources.find(({ recording }) => recording.trial.label === "fall")!, sources[1]!];
    expect(dailyLifeOf([fall])).toEqual([]);
    expect(dailyLifeOf([adl, { ...adl, rangeG: 2 }]).map(({ rangeClass }) => rangeClass)).toEqual(["wide", "2g", "2g"]);
  });
});

test("the card's page is that of the card", async () => {
  const card = await readFile(new URL("card.json", modelFolder), "utf8");
  const page = await readFile(new URL("card.md", modelFolder), "utf8");
  expect(page).toBe(cardPage(JSON.parse(card)));
});

describe("the command", () => {
  const script = fileURLToPath(new URL("./train.ts", import.meta.url));

  test("helps with examples", async () => {
    const { stdout } = await run(process.execPath, [script, "--help"]);
    expect(stdout).toContain("npm run -s train -- --folds 5 --json -");
  });

  test("says what is missing", async () => {
    const { FALLVAKT_RECORDINGS: _, ...env } = process.env;
    await expect(run(process.execPath, [script], { env })).rejects.toThrow("FALLVAKT_RECORDINGS is not set");
  });
});
