import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import type { RecordingSet } from "../../firmware-contracts/recordings/read.ts";
import { createDevice } from "../device/device.ts";
import { type PlayedTrial, playSideBySide, playTrial, rangeOf, wait } from "../replay/play.ts";
import { dwelling, type SimulatedDwelling } from "./neighbourhood.ts";

/** A trial and the dwelling that it is played in. */
export interface Scene {
  recording: Recording;
  rangeG: number;
  dwelling: SimulatedDwelling;
}

/** A scene that was played, or the reason why it was not. */
export type PlayedScene = { scene: Scene } & ({ played: PlayedTrial } | { refused: string });

/** Gives each trial of a set a dwelling of its own, with a device that has the sensor the part was recorded with. */
export function castScenes(set: RecordingSet): Scene[] {
  const scenes: Scene[] = [];
  for (const { placement, recordings } of set.parts) {
    const rangeG = rangeOf(recordings);
    for (const recording of recordings) {
      scenes.push({ recording, rangeG, dwelling: dwelling(scenes.length, placement) });
    }
  }
  return scenes;
}

/** Clock time over which the first devices begin, so that a viewer sees one thing after another. */
const curtainMs = 15_000;
/** A device that still waits for a CONNACK or a PUBACK after this long of the clock has a gateway that is gone; a busy machine at speed 8 needs minutes. */
const patienceMs = 600_000;

/** Plays scenes as devices of different dwellings, `sideBySide` at a time, over real MQTT connections with credentials. */
export async function playScenes(options: {
  scenes: readonly Scene[];
  url: string;
  /** The secret of each device, by its id. */
  secrets: ReadonlyMap<string, string>;
  clock: Clock;
  sideBySide: number;
  onPlayed?: (scene: PlayedScene) => void;
  signal?: AbortSignal;
}): Promise<PlayedScene[]> {
  const { clock, url, secrets, signal } = options;
  const results: PlayedScene[] = [];
  const stages = Array.from({ length: Math.min(options.sideBySide, options.scenes.length) }, (_, i) => i);
  const raised = new Set<number>();
  const done = (result: PlayedScene) => {
    results.push(result);
    options.onPlayed?.(result);
  };
  await playSideBySide(
    stages,
    options.scenes,
    () => !signal?.aborted,
    async (stage, scene) => {
      if (!raised.has(stage)) {
        raised.add(stage);
        await wait(clock, (stage * curtainMs) / stages.length, signal);
      }
      const { deviceId } = scene.dwelling;
      const device = createDevice({ url, deviceId, secret: secrets.get(deviceId) ?? "", clock, rangeG: scene.rangeG });
      try {
        await device.connect(patienceMs);
        const played = await playTrial(device, scene.recording, clock, signal ? { signal } : {});
        await device.drain(patienceMs);
        done({ scene, played });
      } catch (error) {
        done({ scene, refused: error instanceof Error ? error.message : String(error) });
      } finally {
        await device.disconnect();
      }
    },
  );
  return results;
}
