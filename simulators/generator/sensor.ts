import { stepsPerSecond } from "./motion.ts";
import type { Chance } from "./random.ts";

/** An accelerometer: what is lost between the movement and the number. */
export interface Sensor {
  rateHz: number;
  /** Clips at ± this, per axis, g. */
  rangeG: number;
  /** Smallest step of the output, g. */
  resolutionG: number;
  /** Standard deviation of the noise of one sample, g. */
  noiseG: number;
  /** Largest zero offset of an axis, g. */
  offsetG: number;
  /** Largest error of an axis's scale, as a share. */
  scaleError: number;
}

/** Like the wrist device of weda-fall: ±4 g, 0.1 m/s². */
export const wristSensor: Sensor = {
  rateHz: 50,
  rangeG: 4,
  resolutionG: 0.0102,
  noiseG: 0.004,
  offsetG: 0.03,
  scaleError: 0.02,
};
/** Like the belt device of sisfall: ±16 g, 3.9 mg (data sheet of the ADXL345). */
export const waistSensor: Sensor = {
  rateHz: 50,
  rangeG: 16,
  resolutionG: 0.0039,
  noiseG: 0.0045,
  offsetG: 0.04,
  scaleError: 0.03,
};

/**
 * Samples what is felt (g per axis, `stepsPerSecond`): each sample is the mean over its own period, which is also what limits the bandwidth;
 * then scale, offset, noise, range and resolution. Returns x, y, z interleaved, milli-g.
 */
export function sampled(
  felt: readonly [Float64Array, Float64Array, Float64Array],
  sensor: Sensor,
  random: Chance,
): Int16Array {
  const per = Math.round(stepsPerSecond / sensor.rateHz);
  const length = Math.floor(felt[0].length / per);
  const out = new Int16Array(length * 3);
  for (let axis = 0; axis < 3; axis++) {
    const scale = 1 + random.between(-sensor.scaleError, sensor.scaleError);
    const offset = random.between(-sensor.offsetG, sensor.offsetG);
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let step = 0; step < per; step++) sum += felt[axis]![i * per + step]!;
      const read = (sum / per) * scale + offset + sensor.noiseG * random.normal();
      const clipped = Math.max(-sensor.rangeG, Math.min(sensor.rangeG, read));
      out[3 * i + axis] = Math.round(Math.round(clipped / sensor.resolutionG) * sensor.resolutionG * 1000);
    }
  }
  return out;
}
