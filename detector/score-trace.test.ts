import { describe, expect, test } from "vitest";
import { inputLength } from "./model-input.ts";
import { scoredTrace, scoreTrace } from "./score-trace.ts";
import { impact, lying, type Stage, stage, standing } from "./synthetic-wearer.ts";

const fall = impact(10.3, 4, standing, lying);

/** A fall that was told, and what is to be asked for its picture. */
function told(options: Stage, lost: readonly number[] = []) {
  const story = stage(options);
  let asked: Float32Array | null = null;
  story.send(fall, 40, (frame) => (lost.includes(frame.sequence) ? null : frame));
  for (const { command } of story.told) if (command.kind === "classify") asked = command.input;
  const [detect] = story.of("detect");
  return { asked, detect: detect!, state: story.state() };
}

describe("how the score moved", () => {
  test("the moment that was judged is asked about with the very input that was judged", () => {
    const { asked, detect, state } = told({ score: () => 0.95 });
    const { told: where, conclusion } = detect;
    const trace = scoreTrace(state, where, conclusion.evidence.window!)!;
    expect(trace).toMatchObject({ startMs: -4000, stepMs: 250 });
    const judged = (where.judgedMs - trace.startMs) / trace.stepMs;
    expect(judged).toBe(16);
    expect(trace.inputs[judged]).toHaveLength(inputLength);
    expect(trace.inputs[judged]).toEqual(asked);
    expect(trace.inputs[0]).not.toEqual(asked);
    expect(where.point).toEqual({ medium: 0.5, strong: 0.9 });
  });

  test("a device's own threshold is what it was held against", () => {
    const { detect } = told({ score: () => 0.95, threshold: 0.7 });
    expect(detect.told.point).toEqual({ medium: 0.7, strong: 0.9 });
  });

  test("moments with too little known are not asked about, and those before the stream began are left out", () => {
    const { detect, state } = told({ score: () => 0.6 }, [12, 13, 14]);
    const { inputs, startMs } = scoreTrace(state, detect.told, detect.conclusion.evidence.window!)!;
    const at = (seconds: number) => inputs[(seconds * 1000 - startMs) / 250];
    expect(at(0)).not.toBeNull();
    expect(at(2.5)).toBeNull();
    const early = stage({ score: () => 0.95 });
    early.send(impact(2.3, 4, standing, lying), 8);
    const [first] = early.of("detect");
    const trace = scoreTrace(early.state(), first!.told, first!.conclusion.evidence.window!)!;
    expect(trace.startMs).toBeGreaterThanOrEqual(-2500);
    expect(trace.startMs).toBeLessThan(-1500);
  });

  test("nothing is left out beyond what is not over: only moments with their 2.5 s after them", () => {
    const story = stage({ score: () => 0.95 });
    for (let second = 11; story.of("detect").length === 0; second++) story.send(fall, second);
    const [detect] = story.of("detect");
    const trace = scoreTrace(story.state(), detect!.told, detect!.conclusion.evidence.window!)!;
    const last = trace.startMs + (trace.inputs.length - 1) * trace.stepMs;
    expect(last).toBeGreaterThanOrEqual(0);
    expect(last).toBeLessThan(1000);
  });

  test("a stream that is gone has none; answers fall where they were asked for", () => {
    const { detect, state } = told({ score: () => 0.95 });
    const window = detect.conclusion.evidence.window!;
    expect(scoreTrace(state, { ...detect.told, bootId: 9 }, window)).toBeNull();
    const input = new Float32Array(inputLength);
    const trace = { startMs: -500, stepMs: 250, inputs: [input, null, input] };
    expect(scoredTrace(trace, [0.12345, 0.9], detect.told)).toEqual({
      startMs: -500,
      stepMs: 250,
      values: [0.123, null, 0.9],
      judgedMs: detect.told.judgedMs,
      medium: 0.5,
      strong: 0.9,
    });
  });
});
