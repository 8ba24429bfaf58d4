import { systemClock } from "../../firmware-contracts/clock.ts";
import type { Say } from "./measure.ts";
import { residentMib } from "./process-figures.ts";
import { type Load, type Server, startAedes, startGateway, startMosquitto } from "./servers.ts";

/** Resident memory of a server, MiB, by how many idle connections it has. 0 is a server that was just started. */
export interface MemoryRow {
  name: string;
  mib: { connections: number; mib: number }[];
}

export interface MemoryOptions {
  load: Load;
  connections: number[];
  secret: string;
  folder: string | undefined;
  placement: string;
  /** Path of Mosquitto, or null. */
  program: string | null;
  /** How long a server is left alone before its memory is read. */
  settleSeconds: number;
  say: Say;
}

/** Frames that a device of the last row has sent: the buffer before the gate is then full. */
const framesSent = 15;
const clock = systemClock();

export async function measureMemory(options: MemoryOptions): Promise<MemoryRow[]> {
  const { load, secret, folder, placement, program, say } = options;
  const connections = [...options.connections].sort((a, b) => a - b);
  const most = connections.at(-1);
  if (most === undefined) return [];
  const gateway = (name: string) => startGateway({ name, devices: most, placement, secret, folder });
  const kinds: { start(): Promise<Server>; frames: number }[] = [
    { start: () => startAedes("aedes"), frames: 0 },
    { start: () => gateway("gateway"), frames: 0 },
    { start: () => gateway(`gateway, each device sent ${framesSent} frames`), frames: framesSent },
  ];
  if (program) kinds.splice(1, 0, { start: () => startMosquitto("Mosquitto", program), frames: 0 });
  const rows: MemoryRow[] = [];
  for (const { start, frames } of kinds) {
    const server = await start();
    try {
      say(`memory: ${server.name} …`);
      const row: MemoryRow = { name: server.name, mib: [] };
      for (const count of [0, ...connections]) {
        await load.hold({ port: server.port, connections: count, frames });
        await new Promise<void>((resolve) => clock.after(options.settleSeconds * 1000, resolve));
        row.mib.push({ connections: count, mib: residentMib(server.pid) });
      }
      rows.push(row);
    } finally {
      await load.letGo();
      await server.close();
    }
  }
  return rows;
}
