import type { AddressInfo } from "node:net";
import type { Source } from "./frames.ts";

// What the benchmark and its child processes tell each other.

/** A server's first word. */
export interface Listening {
  port: number;
  /** What computes the gateway's classifier. */
  backend?: string;
}

export type GatewayQuestion = "counters" | "close";
export interface GatewayAnswer {
  counters: Record<string, number>;
  problems: string[];
}

export type Frames = "daily" | "quiet";

/** What the load is told to do. It does one thing at a time. */
export type LoadOrder =
  | { kind: "prepare"; source: Source; publishers: number }
  | {
      kind: "run";
      port: number;
      /** Process whose CPU time is read at both ends of the measured time. */
      pid: number;
      frames: Frames;
      hasSubscriber: boolean;
      window: number;
      bootId: number;
      warmMs: number;
      measureMs: number;
    }
  /** Opens idle connections and keeps them; `frames` of the quiet kind are sent on each first. */
  | { kind: "hold"; port: number; connections: number; frames: number }
  | { kind: "let-go" };

/** What was prepared. */
export interface Prepared {
  rateHz: number;
  placement: string;
  packetBytes: number;
  /** Seconds of recordings that the publishers play before they begin again, all together. */
  dailySeconds: number;
  quietSeconds: number;
}

/** One run. CPU times in seconds, of user and system together. */
export interface RunResult {
  messages: number;
  seconds: number;
  serverCpuSeconds: number;
  loadCpuSeconds: number;
  /** Of 1: how much of what was published the subscriber was sent; null without one. */
  delivered: number | null;
}

export type LoadAnswer = { ok: true; value: Prepared | RunResult | null } | { ok: false; why: string };

/** `begin` forgets what was measured so far. */
export type AlertingQuestion = "begin" | "figures" | "close";
/** Of the alerting service since `begin`. */
export interface AlertingFigures {
  /** Transactions committed: each step of an episode, and each try at the provider. */
  commits: number;
  /** Delay of the event loop, ms. */
  loop: { p50: number; p99: number; longest: number };
  /** Events on their way to InfluxDB. */
  events: { written: number; spooled: number; dropped: number };
  /** What went wrong, by the counters; empty where all is well. */
  failed: string[];
}

export type ProviderQuestion = "arrivals" | "close";
/** When the first text about each device came in, wall ms. */
export type Arrivals = [deviceId: string, at: number][];

/** Says something to the parent process. */
export function tell(message: Listening | GatewayAnswer | LoadAnswer | AlertingFigures | Arrivals): void {
  process.send?.(message);
}

export function tellPort(address: AddressInfo | string | null): void {
  if (address && typeof address === "object") tell({ port: address.port });
}
