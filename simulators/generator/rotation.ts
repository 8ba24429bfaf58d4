import type { Chance } from "./random.ts";

export type Vector = [number, number, number];
/** A rotation matrix, row by row. */
export type Rotation = readonly [number, number, number, number, number, number, number, number, number];

export function times(a: Rotation, b: Rotation): Rotation {
  const cell = (row: number, column: number) =>
    a[3 * row]! * b[column]! + a[3 * row + 1]! * b[3 + column]! + a[3 * row + 2]! * b[6 + column]!;
  return [cell(0, 0), cell(0, 1), cell(0, 2), cell(1, 0), cell(1, 1), cell(1, 2), cell(2, 0), cell(2, 1), cell(2, 2)];
}

/** The vector turned by the rotation: from the turned frame to the outer one. */
export function turned(r: Rotation, [x, y, z]: Vector): Vector {
  return [r[0] * x + r[1] * y + r[2] * z, r[3] * x + r[4] * y + r[5] * z, r[6] * x + r[7] * y + r[8] * z];
}

/** The vector seen from the turned frame: the inverse of `turned`. */
export function seenFrom(r: Rotation, [x, y, z]: Vector): Vector {
  return [r[0] * x + r[3] * y + r[6] * z, r[1] * x + r[4] * y + r[7] * z, r[2] * x + r[5] * y + r[8] * z];
}

/** Rotation about an axis through the origin (right hand), by the vector's length in radians. */
export function about([x, y, z]: Vector): Rotation {
  const angle = Math.hypot(x, y, z);
  if (angle < 1e-12) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const [u, v, w] = [x / angle, y / angle, z / angle];
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const k = 1 - c;
  return [
    c + u * u * k,
    u * v * k - w * s,
    u * w * k + v * s,
    u * v * k + w * s,
    c + v * v * k,
    v * w * k - u * s,
    u * w * k - v * s,
    v * w * k + u * s,
    c + w * w * k,
  ];
}

/** Any mounting, evenly spread over the sphere: an axis and angle from a random unit quaternion. */
export function anyRotation(random: Chance): Rotation {
  const q = [random.normal(), random.normal(), random.normal(), random.normal()];
  const [a, b, c, d] = q.map((part) => part / Math.hypot(...q)) as [number, number, number, number];
  const sine = Math.hypot(b, c, d);
  const angle = 2 * Math.atan2(sine, a);
  return about([(b / sine) * angle, (c / sine) * angle, (d / sine) * angle]);
}
