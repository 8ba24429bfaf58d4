import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { probeNative } from "../../detector/classifier/backend.ts";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import { type DetectorState, openDetector, step } from "../../detector/detector.ts";
import { gateMg } from "../../detector/gate.ts";
import { rateHz } from "../../detector/history.ts";
import { modelInput } from "../../detector/model-input.ts";
import { emptyWindow, windowAround } from "../../detector/window.ts";
import { type DetectorLoad, frameOf, type List, readLoad } from "./detector-load.ts";
import { defaultSource, type Source } from "./frames.ts";
import type { Say } from "./measure.ts";

export interface DetectorSettings {
  source?: Source;
  devices: number;
  /** Rounds in which everything has its turn; the figures are medians over them. */
  rounds: number;
  /** Seconds of each device that are played in a round. */
  seconds: number;
  /** Windows that each way of computing them is given in a round, at least. */
  windows: number;
}

/** Of one stream in a round: a tenth of a second's work, and enough for the compiler to have done its own. */
const samplesInARow = 1_000_000;

/** Gates an hour: seated and at easy tasks (measured, stress-predict), and at scripted daily life. */
export const gatesAnHour = [107, 1000] as const;

export interface DetectorResult {
  source: Source;
  node: string;
  settings: DetectorSettings;
  /** CPU ns a sample on a stream in which no gate opens. `loop`: a bare loop over magnitudes, over the same samples. */
  quiet: { loop: number; one: number; all: number };
  /** CPU µs a window. */
  features: number;
  classifiers: { name: string; batch: number; us: number }[];
  /** Of a core, all devices together. */
  shares: { asked: number; gatesAnHour: number; windowsAnHour: number; share: number }[];
  /** Of a device whose stream is quiet: its state, on the heap and off it. */
  bytesPerDevice: number;
  /** Largest difference between a score of the kernel and of TensorFlow.js on WebAssembly, and between the kernel's one by one and together. */
  differences: { wasm: number; batch: number };
  /** Windows compared. */
  compared: number;
  notes: string[];
}

/** Microseconds of CPU that this process has taken, garbage collection too: a busy machine counts for less than by the clock. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** A way of doing something: `run` does it at least `times` times and returns how often it did. */
interface Way {
  name: string;
  batch: number;
  run(times: number): number;
}

export async function measureDetector(settings: DetectorSettings, say: Say): Promise<DetectorResult> {
  const source = settings.source ?? defaultSource();
  const kernel = await loadClassifier({ backend: "kernel" });
  const wasm = await loadClassifier({ backend: "wasm" });
  const notes: string[] = [];
  say(`daily life of ${source} …`);
  const load = await readLoad(source, kernel, gatesAnHour);

  const inputs = load.candidates.map(({ history, impact }) => modelInput(windowAround(history, impact)));
  const differences = compare(load, kernel, wasm, inputs);
  const kernelWays = [1, 64].map((batch) => scoring("kernel", kernel, load, inputs, batch));
  const wasmWays = [1, 32, 64].map((batch) => scoring("TensorFlow.js, WASM", wasm, load, inputs, batch));
  const ways = [featuresOf(load), ...kernelWays, ...wasmWays];
  say(`windows: ${ways.length} ways, ${settings.rounds} rounds …`);
  const [features = Number.NaN, ...scored] = alternate(ways, settings.rounds, settings.windows);
  const classifiers = ways.slice(1).map(({ name, batch }, i) => ({ name, batch, us: scored[i]! }));
  wasm.dispose();
  // After it: TensorFlow.js has one backend at a time.
  const refused = await probeNative();
  if (refused !== null) notes.push(`native TensorFlow is left out: ${refused}`);
  else classifiers.push(...(await nativeRows(settings, load, inputs, say)));

  const loop = { name: "loop", batch: 1, run: bareLoop(load.quiet) };
  const one = town(load, load.quiet, 1, kernel);
  say(`one quiet stream, ${settings.rounds} rounds …`);
  const [loopUs = Number.NaN, oneUs = Number.NaN] = alternate(
    [loop, { name: "one stream", batch: 1, run: (times) => one.play(Math.ceil(times / rateHz)).frames * rateHz }],
    settings.rounds,
    samplesInARow,
  );

  const kinds = [{ asked: 0, lists: load.quiet }, ...load.daily];
  const shares: DetectorResult["shares"] = [];
  let bytesPerDevice = 0;
  for (const kind of kinds) {
    say(`${settings.devices} devices, ${kind.asked === 0 ? "quiet" : `${kind.asked} gates an hour`} …`);
    const before = await bytesInUse();
    const many = town(load, kind.lists, settings.devices, kernel);
    // Until the ring of 41 s is full: before, its memory is not there.
    many.play(Math.max(45, settings.seconds));
    if (kind.asked === 0) bytesPerDevice = ((await bytesInUse()) - before) / settings.devices;
    const perSecond: number[] = [];
    let gates = 0;
    let windows = 0;
    for (let round = 0; round < settings.rounds; round++) {
      const start = cpuUs();
      const played = many.play(settings.seconds);
      perSecond.push((cpuUs() - start) / settings.seconds);
      gates += played.gates;
      windows += played.windows;
    }
    const hours = (settings.devices * settings.seconds * settings.rounds) / 3600;
    const share = median(perSecond) / 1e6;
    shares.push({ asked: kind.asked, gatesAnHour: gates / hours, windowsAnHour: windows / hours, share });
  }
  const all = (shares[0]!.share * 1e9) / (settings.devices * rateHz);
  return {
    source,
    node: process.version,
    settings,
    quiet: { loop: loopUs * 1000, one: oneUs * 1000, all },
    features,
    classifiers,
    shares,
    bytesPerDevice,
    differences,
    compared: inputs.length,
    notes,
  };
}

async function nativeRows({ rounds, windows }: DetectorSettings, load: DetectorLoad, inputs: Float32Array[], say: Say) {
  const native = await loadClassifier({ backend: "native" });
  const ways = [1, 32, 64].map((batch) => scoring("TensorFlow.js, native", native, load, inputs, batch));
  say(`windows, native: ${rounds} rounds …`);
  const taken = alternate(ways, rounds, windows);
  native.dispose();
  return ways.map(({ name, batch }, i) => ({ name, batch, us: taken[i]! }));
}

/** CPU µs of one time of each way: each in turn in each round, beginning with another one; a round before does not count. */
function alternate(ways: readonly Way[], rounds: number, times: number): number[] {
  const taken = new Map<Way, number[]>(ways.map((way) => [way, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const way = ways[(turn + round) % ways.length]!;
      const start = cpuUs();
      const done = way.run(times);
      if (round > 0) taken.get(way)!.push((cpuUs() - start) / done);
    }
  }
  return ways.map((way) => median(taken.get(way)!));
}

function featuresOf({ candidates }: DetectorLoad): Way {
  const window = emptyWindow();
  return {
    name: "window and features",
    batch: 1,
    run(times) {
      let done = 0;
      while (done < times) {
        for (const { history, impact } of candidates) modelInput(windowAround(history, impact, window));
        done += candidates.length;
      }
      return done;
    },
  };
}

function scoring(
  name: string,
  classifier: Classifier,
  { placement }: DetectorLoad,
  inputs: readonly Float32Array[],
  batch: number,
): Way {
  const batches = Array.from({ length: Math.floor(inputs.length / batch) }, (_, i) =>
    inputs.slice(i * batch, (i + 1) * batch),
  );
  if (batches.length === 0) batches.push(Array.from({ length: batch }, (_, i) => inputs[i % inputs.length]!));
  return {
    name,
    batch,
    run(times) {
      let done = 0;
      for (let i = 0; done < times; i = (i + 1) % batches.length) {
        classifier.score(placement, batches[i]!);
        done += batch;
      }
      return done;
    },
  };
}

function compare({ placement }: DetectorLoad, kernel: Classifier, wasm: Classifier, inputs: readonly Float32Array[]) {
  const together = kernel.score(placement, inputs);
  const expected = wasm.score(placement, inputs);
  const furthest = (others: readonly number[]) => Math.max(...together.map((score, i) => Math.abs(score - others[i]!)));
  return { wasm: furthest(expected), batch: furthest(inputs.map((input) => kernel.score(placement, [input])[0]!)) };
}

/** The least that can be asked of a sample: whether its magnitude is over the gate. */
function bareLoop(lists: readonly List[]): Way["run"] {
  let over = 0;
  return (times) => {
    let done = 0;
    while (done < times) {
      for (const list of lists) {
        for (const samples of list) {
          for (let i = 0; i < samples.length; i += 3) {
            const x = samples[i]!;
            const y = samples[i + 1]!;
            const z = samples[i + 2]!;
            if (Math.sqrt(x * x + y * y + z * z) >= gateMg) over++;
          }
          done += samples.length / 3;
        }
      }
    }
    // Read once, so that the loop is not left out.
    return over > 0 ? done + 0 * over : done;
  };
}

/** Many devices side by side: a frame of one second from each in turn, and their windows to the classifier in batches of 64, as the gateway has it. */
function town(load: DetectorLoad, lists: readonly List[], devices: number, classifier: Classifier) {
  const { placement, rangeG } = load;
  const states = Array.from({ length: devices }, () =>
    openDetector({ placement, operatingPoints: classifier.operatingPoints }),
  );
  let second = 0;
  let waiting: { state: DetectorState; candidateId: string; input: Float32Array }[] = [];
  let gates = 0;
  let windows = 0;

  function take(state: DetectorState, commands: ReturnType<typeof step>[1]): void {
    for (const command of commands) {
      if (command.kind === "gate-opened") gates++;
      else if (command.kind === "classify")
        waiting.push({ state, candidateId: command.candidateId, input: command.input });
    }
  }

  function answer(now: number): void {
    const asked = waiting;
    waiting = [];
    windows += asked.length;
    const scores = classifier.score(
      placement,
      asked.map(({ input }) => input),
    );
    for (const [i, { state, candidateId }] of asked.entries()) {
      take(state, step(state, { kind: "scored", candidateId, score: scores[i]! }, now)[1]);
    }
  }

  return {
    play(seconds: number) {
      gates = 0;
      windows = 0;
      for (const until = second + seconds; second < until; second++) {
        for (let device = 0; device < devices; device++) {
          // A frame that was decoded just now is in the processor's cache, the device's state is not: devices near each other play the same eight frames.
          const list = lists[Math.floor((device * lists.length) / devices)]!;
          const ahead = ((device % 8) * list.length) / 8 + (device >> 5) * 7;
          const samples = list[Math.floor(second + ahead) % list.length]!;
          const frame = frameOf(samples, second, rangeG);
          const [state, commands] = step(states[device]!, { kind: "frame", frame }, frame.arrivedAt);
          if (commands.length > 0) take(state, commands);
          if (waiting.length >= 64) answer(frame.arrivedAt);
        }
        while (waiting.length > 0) answer(1_700_000_000_000 + second * 1000);
      }
      return { frames: seconds * devices, gates, windows };
    },
  };
}

/** Twice: what is off the heap goes after the objects that hold it. */
async function bytesInUse(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
