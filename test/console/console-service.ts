import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Fastify from "fastify";
import { type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";
import { build } from "vite";
import type { ConsoleBackend } from "../../alerting/console/api.ts";
import { consolePlugin } from "../../alerting/console/server.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";

const web = fileURLToPath(new URL("../../alerting/console/web/", import.meta.url));

const lock = fileURLToPath(new URL("../../node_modules/.building-console", import.meta.url));

/** Builds the page where it has not been built, or its sources are newer; one process at a time, for a build empties what another reads. */
export async function builtPage(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      await mkdir(lock);
      break;
    } catch {
      // One that was killed leaves its lock behind.
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (Date.now() - since > 60_000) await rm(lock, { recursive: true, force: true });
      else await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    await buildWhereOld();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function buildWhereOld(): Promise<void> {
  const builtAt = statSync(join(web, "dist/index.html"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(web, { recursive: true, encoding: "utf8" }).filter(
    (name) => !name.startsWith("dist") && !name.endsWith(".test.ts") && statSync(join(web, name)).isFile(),
  );
  if (sources.some((name) => statSync(join(web, name)).mtimeMs > builtAt)) {
    await build({ configFile: join(web, "vite.config.ts"), logLevel: "warn" });
  }
}

/** The console over `backend` on a port of this machine. */
export async function serveConsole(backend: ConsoleBackend, clock: Clock, language: "sv" | "en" = "sv", port = 0) {
  const app = Fastify({ forceCloseConnections: true });
  await app.register(consolePlugin, { backend, clock, secureCookies: false, language });
  const url = await app.listen({ port, host: "127.0.0.1" });
  return { url, port: Number(new URL(url).port), close: () => app.close() };
}

/** A fresh Chromium with a profile of its own, which `close` removes. */
export async function openBrowser(options: BrowserContextOptions = {}) {
  const profile = await mkdtemp(join(tmpdir(), "fallvakt-chromium-"));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...options,
  });
  return {
    context,
    async close(): Promise<void> {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

function chromiumPath(): string {
  const found = (process.env.PATH ?? "")
    .split(":")
    .map((directory) => join(directory, "chromium"))
    .find(existsSync);
  if (!found) throw new Error("chromium is not on the PATH; test/services/install brings it");
  return found;
}
