import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { Command } from "commander";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { generateSet } from "../../simulators/generator/set.ts";
import { rangeOf } from "../../simulators/replay/play.ts";
import { whole } from "./arguments.ts";
import { frameOf } from "./frames.ts";
import { framePacket, pubackLength } from "./packets.ts";
import { deviceName, openConnection } from "./publisher.ts";
import { startGateway } from "./servers.ts";

// `npm run -s bench:trouble`: what it costs each device that a thousand of them are in trouble at once.

const clock = systemClock();
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

/** Seconds of rest before the fall: the gateway's buffer of ten is full, and is written when the gate opens. */
const restSeconds = 13;
/** Seconds from the impact's frame on that count as trouble: the candidate is decided 22 s after it at the latest. */
const troubleSeconds = 12;

/** `life`: each device sends at its own moment of the second. `instant`: all at the same moment, as nothing but a test does. */
const modes = ["life", "instant"] as const;
type Mode = (typeof modes)[number];

interface Waits {
  p50: number;
  p99: number;
  longest: number;
}
interface Outcome {
  mode: Mode;
  /** From a frame's last byte to its PUBACK, ms. */
  rest: Waits;
  trouble: Waits;
  fallsTold: number;
  commits: number;
}

/** A generated hard fall at the waist as seconds of samples: rest, the fall, and what comes after it. */
function fallInSeconds(): { seconds: Int16Array[]; impactSecond: number; rateHz: number; rangeG: number } {
  const { manifest, parts } = generateSet({ seed: 7 });
  const trial = manifest.trials.find(
    ({ part, label, activityName }) => part === "waist" && label === "fall" && !/soft/i.test(activityName),
  );
  if (!trial) throw new Error("the generated set has no hard fall at the waist");
  const { rateHz, offset, samples, peakS } = trial;
  const length = rateHz * 3;
  const second = (n: number) => parts.waist.slice(offset * 3 + n * length, offset * 3 + (n + 1) * length);
  const own = Array.from({ length: Math.floor(samples / rateHz) }, (_, n) => second(n));
  const calm = Array.from({ length: restSeconds }, () => own[0]!);
  const after = Array.from({ length: troubleSeconds }, () => own.at(-1)!);
  const impactSecond = restSeconds + Math.floor(peakS ?? 0);
  return { seconds: [...calm, ...own, ...after], impactSecond, rateHz, rangeG: rangeOf([{ samples: parts.waist }]) };
}

const fall = fallInSeconds();

function waitsOf(list: number[]): Waits {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), longest: at(1) };
}

async function run(mode: Mode, devices: number, folder: string | undefined): Promise<Outcome> {
  const secret = randomBytes(20).toString("base64url");
  const gateway = await startGateway({ name: "gateway", devices, placement: "waist", secret, folder });
  const sockets: Socket[] = [];
  try {
    const waits: number[][] = fall.seconds.map(() => []);
    const target = { port: gateway.port, secret };
    for (let i = 0; i < devices; i += 100) {
      const names = Array.from({ length: Math.min(100, devices - i) }, (_, k) => deviceName(i + k));
      sockets.push(...(await Promise.all(names.map((name) => openConnection(target, name)))));
    }
    const packets = sockets.map((_, i) =>
      fall.seconds.map((samples, second) => {
        const payload = frameOf(samples, { rateHz: fall.rateHz, rangeG: fall.rangeG, bootId: 1, sequence: second });
        return framePacket(deviceName(i), second + 1, payload);
      }),
    );
    const sentAt = sockets.map(() => new Float64Array(fall.seconds.length));
    for (const [i, socket] of sockets.entries()) {
      socket.on("data", (chunk: Buffer) => {
        const now = clock.monotonicNow();
        for (let at = 0; at + pubackLength <= chunk.length; at += pubackLength) {
          const second = chunk.readUInt16BE(at + 2) - 1;
          waits[second]?.push(now - sentAt[i]![second]!);
        }
      });
    }
    const start = clock.monotonicNow() + 200;
    const send = (i: number, second: number) => {
      sentAt[i]![second] = clock.monotonicNow();
      sockets[i]!.write(packets[i]![second]!);
    };
    for (let second = 0; second < fall.seconds.length; second++) {
      const begins = start + second * 1000;
      if (mode === "instant") {
        await sleep(begins - clock.monotonicNow());
        for (let i = 0; i < sockets.length; i++) send(i, second);
      } else {
        for (let i = 0; i < sockets.length; ) {
          const due = begins + (i * 1000) / sockets.length;
          const wait = due - clock.monotonicNow();
          if (wait > 0.5) await sleep(wait);
          else send(i++, second);
        }
      }
    }
    await sleep(3000);
    const counters = (await gateway.counters()) ?? {};
    // The first seconds warm the machine up, on both sides.
    return {
      mode,
      rest: waitsOf(waits.slice(8, restSeconds).flat()),
      trouble: waitsOf(waits.slice(fall.impactSecond, fall.impactSecond + troubleSeconds).flat()),
      fallsTold: counters["detections.fall"] ?? 0,
      commits: counters["journal.commits"] ?? 0,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await gateway.close();
  }
}

const ms = (value: number) => value.toFixed(1).padStart(8);

const program = new Command("bench:trouble")
  .description("measure how long PUBACKs take while many devices fall at once (Linux, about a minute and a half)")
  .option("--devices <n>", "devices that fall", whole, 1000)
  .option("--folder <dir>", "where the gateway keeps its data: the disk whose syncs count (default: temporary files)")
  .option("--json", "print one JSON object instead of a table")
  .addHelpText(
    "after",
    `
Each device is at rest for ${restSeconds} s, one frame of 1 s at a time, then all fall within the same second. "life": each sends at its own moment of the second.
"instant": all of them in the same moment, and for the impact with ten seconds to be written for each.

Examples:
  $ npm run -s bench:trouble
  $ npm run -s bench:trouble -- --devices 200 --folder /mnt/sd-card --json`,
  )
  .action(async ({ devices, folder, json }: { devices: number; folder?: string; json?: boolean }) => {
    const outcomes: Outcome[] = [];
    for (const mode of modes) {
      process.stderr.write(`${devices} devices, ${mode} …\n`);
      outcomes.push(await run(mode, devices, folder));
    }
    if (json) {
      console.log(JSON.stringify({ devices, outcomes }, null, 2));
      return;
    }
    console.log(`PUBACK, ms, of ${devices} devices that fall within the same second (Node ${process.version})`);
    console.log("               at rest                      in trouble                   cost");
    console.log(
      "             p50      p99  longest       p50      p99  longest       p50      p99   falls told  commits",
    );
    for (const { mode, rest, trouble, fallsTold, commits } of outcomes) {
      const row = [rest.p50, rest.p99, rest.longest].map(ms).join(" ");
      const worse = [trouble.p50, trouble.p99, trouble.longest].map(ms).join(" ");
      const cost = [trouble.p50 - rest.p50, trouble.p99 - rest.p99].map(ms).join(" ");
      console.log(
        `${mode.padEnd(8)}${row}  ${worse}  ${cost}   ${String(fallsTold).padStart(10)} ${String(commits).padStart(8)}`,
      );
    }
    const waited = outcomes[0]?.trouble.p99 ?? Number.NaN;
    console.log(
      `each at its own moment: a frame in trouble waits ${waited.toFixed(1)} ms for its PUBACK at p99 (must 50)`,
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench:trouble: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
