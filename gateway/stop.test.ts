import { expect, test } from "vitest";
import { loadClassifier } from "../detector/classifier/classifier.ts";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import { encodeFrame } from "../firmware-contracts/frame.ts";
import { devicesNamed, openBench, publish, restFrame } from "./test-bench.ts";

/** The machine's clock, which knows what is still waited for. */
function watchedClock() {
  const real = systemClock();
  const waiting = new Map<symbol, string>();
  const clock: Clock = {
    ...real,
    after(ms, run) {
      const id = Symbol();
      waiting.set(id, `${ms} ms, asked for ${new Error().stack?.split("\n")[2]?.trim()}`);
      const callOff = real.after(ms, () => {
        waiting.delete(id);
        run();
      });
      return () => {
        waiting.delete(id);
        callOff();
      };
    },
  };
  return { clock, waiting: () => [...waiting.values()] };
}

test("what was stopped waits for nothing: the process ends at once, and the next one can start", async () => {
  const { clock, waiting } = watchedClock();
  const devices = await devicesNamed("watch-1");
  const bench = await openBench({ devices, classifier: await loadClassifier({ backend: "auto" }), clock });
  const client = await bench.connect("watch-1");
  await publish(client, "watch-1", "accel", encodeFrame(restFrame()));
  expect(waiting().length).toBeGreaterThan(0);
  await bench.close();
  expect(waiting()).toEqual([]);
});
