import { createRequire } from "node:module";
import type { InfluxDB } from "influx";
import type { AlertingConfig } from "../config.ts";
import type { Point } from "./points.ts";

/** The package is loaded only where there is an InfluxDB. */
const require = createRequire(import.meta.url);

/** A spooled line: a point, and a number that tells points of the same millisecond apart. */
export interface SpooledPoint extends Point {
  n: number;
}

export type InfluxConfig = NonNullable<AlertingConfig["influx"]>;

/** One request's limit, ms of real time. */
const requestMs = 10_000;

export interface InfluxWriter {
  /** Writes points; returns how many the server refused for what they are. Rejects where it cannot be reached. */
  write(points: readonly SpooledPoint[]): Promise<{ refused: number }>;
}

export function influxClient(config: InfluxConfig): InfluxDB {
  const url = new URL(config.url);
  const { InfluxDB } = require("influx") as typeof import("influx");
  return new InfluxDB({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (url.protocol === "https:" ? 443 : 80)),
    protocol: url.protocol === "https:" ? "https" : "http",
    ...(url.pathname === "/" ? {} : { path: url.pathname }),
    database: config.database,
    ...(config.username === undefined ? {} : { username: config.username }),
    ...(config.password === undefined ? {} : { password: config.password }),
    // The spool's own loop tries again, and knows of restarts.
    pool: { maxRetries: 0, requestTimeout: requestMs },
  });
}

export function createInfluxWriter(config: InfluxConfig): InfluxWriter {
  const client = influxClient(config);

  async function write(points: readonly SpooledPoint[], mayCreate = true): Promise<{ refused: number }> {
    try {
      await client.writePoints(
        points.map(({ measurement, tags, fields, at, n }) => ({
          measurement,
          tags,
          fields,
          // InfluxDB takes two points of one series and time for one: the nanoseconds keep them apart.
          timestamp: String(BigInt(at) * 1_000_000n + BigInt(n % 1_000_000)),
        })),
        { precision: "n" },
      );
      return { refused: 0 };
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 && mayCreate) {
        await client.createDatabase(config.database);
        return write(points, false);
      }
      // 400: a point is at fault, not the server. Halved until it is alone, so that the others get through.
      if (status !== 400) throw error;
      if (points.length === 1) return { refused: 1 };
      const half = Math.ceil(points.length / 2);
      const first = await write(points.slice(0, half));
      const second = await write(points.slice(half));
      return { refused: first.refused + second.refused };
    }
  }

  return { write: (points) => write(points) };
}

function statusOf(error: unknown): number | null {
  const status = (error as { res?: { statusCode?: unknown } } | null)?.res?.statusCode;
  return typeof status === "number" ? status : null;
}
