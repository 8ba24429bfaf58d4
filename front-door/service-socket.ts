import { chmodSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import type { Role } from "./config.ts";

/** The halves of a service; each has one process that owns its files. */
export const parts = ["alerting", "gateway"] as const;
export type Part = (typeof parts)[number];

/** What a running service says of itself. */
export const ServiceState = z.object({
  version: z.string(),
  pid: z.number().int(),
  parts: z.array(z.enum(parts)),
  /** False while it starts, stops or restores. */
  isUp: z.boolean(),
  /** What keeps it from being ready; only where it is up. */
  problems: z.array(z.string()),
});
export type ServiceState = z.infer<typeof ServiceState>;

/** What a running service can be asked for by whoever may read its data folder. */
export interface ServiceSocketHandlers {
  state(): Promise<ServiceState>;
  /** `POST /restore`: stops the parts, puts the backup in their place and starts them again. Resolves with the report. */
  restore(order: unknown): Promise<unknown>;
}

/** sockaddr_un holds 108 bytes, and Node cuts what is longer. */
const longestPath = 107;
const answerMs = 5_000;

export function partsOf(role: Role): Part[] {
  return role === "all" ? [...parts] : [role];
}

export function socketPath(dataDir: string, part: Part): string {
  return join(dataDir, `${part}.sock`);
}

/** Another process owns the part's files: a service, or a command that restores them. */
export class PartInUse extends Error {
  override name = "PartInUse";
}

/**
 * Listens in the data folder, one socket for each part. Whoever holds it owns the part's files.
 * @returns how to close it. @throws PartInUse where another process holds it; an Error with the mend where the folder's name is too long.
 */
export async function openServiceSocket(
  dataDir: string,
  owned: readonly Part[],
  handlers: ServiceSocketHandlers,
): Promise<{ close(): Promise<void> }> {
  const servers: Server[] = [];
  const close = async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  try {
    for (const part of owned) servers.push(await listen(socketPath(dataDir, part), part, handlers));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

async function listen(path: string, part: Part, handlers: ServiceSocketHandlers): Promise<Server> {
  if (Buffer.byteLength(path) > longestPath) {
    throw new Error(`${path} is too long for a socket, by which commands reach the service; choose a shorter dataDir`);
  }
  const server = createServer((incoming, response) => {
    const answer = (code: number, body: unknown) => {
      response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const failed = (error: unknown) => answer(500, { error: error instanceof Error ? error.message : String(error) });
    if (incoming.method === "GET" && incoming.url === "/state") {
      handlers.state().then((state) => answer(200, state), failed);
      return;
    }
    if (incoming.method !== "POST" || incoming.url !== "/restore") return answer(404, { error: "no such request" });
    let text = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    incoming.on("end", () => {
      Promise.resolve()
        .then(() => handlers.restore(JSON.parse(text)))
        .then((report) => answer(200, report), failed);
    });
  });
  // A restore may take as long as its files are large.
  server.requestTimeout = 0;
  const tryOnce = () =>
    new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once("error", resolve);
      server.listen(path, () => resolve(null));
    });
  let failure = await tryOnce();
  if (failure?.code === "EADDRINUSE") {
    if (await isHeld(path)) {
      throw new PartInUse(`another process has the files of ${part} (it listens at ${path}); stop it first`);
    }
    // Left behind by a kill -9.
    rmSync(path, { force: true });
    server.removeAllListeners("error");
    failure = await tryOnce();
  }
  if (failure)
    throw new Error(`${path}: cannot listen (${failure.code ?? failure.message}); check who owns the folder`);
  chmodSync(path, 0o600);
  return server;
}

async function isHeld(path: string): Promise<boolean> {
  try {
    await ask(path, "GET", "/state", undefined, answerMs);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ECONNREFUSED" && code !== "ENOENT";
  }
}

/** Who has a part's files now; null where nobody has. @throws where somebody has and does not answer. */
export async function serviceOf(dataDir: string, part: Part): Promise<ServiceState | null> {
  try {
    return ServiceState.parse(await ask(socketPath(dataDir, part), "GET", "/state", undefined, answerMs));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED" || code === "ENOENT") return null;
    if (code === "EACCES")
      throw new Error(`no right to ask the service in ${dataDir}; run this as its user, or as root`);
    throw error;
  }
}

/** Asks a running service to restore; it answers when it is up again. @throws with what it says where it cannot. */
export function askToRestore(dataDir: string, part: Part, order: unknown): Promise<unknown> {
  return ask(socketPath(dataDir, part), "POST", "/restore", order);
}

function ask(socket: string, method: string, path: string, body?: unknown, withinMs?: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, method, path, timeout: withinMs ?? 0 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject).on("end", () => {
        try {
          const answer = JSON.parse(text) as { error?: string };
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(answer.error ?? `the service answered ${response.statusCode}`));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on("error", reject);
    call.on("timeout", () => call.destroy(new Error(`the service at ${socket} does not answer`)));
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
