import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import Fastify from "fastify";
import type { z } from "zod";
import { AlertingConfig } from "../../alerting/config.ts";
import { policiesArea } from "../../alerting/console/policies/routes.ts";
import type { Account } from "../../alerting/console/roles.ts";
import { rotaArea } from "../../alerting/console/rota/routes.ts";
import { consolePlugin } from "../../alerting/console/server.ts";
import { createRotas } from "../../alerting/rota/duty-rota.ts";
import { createStaff } from "../../alerting/staff.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { createGeneratedBackend } from "./generated-board.ts";

const headers = { "content-type": "application/json", "x-fallvakt-console": "1" };

/** The console's addresses for rotas and policies over a true store, at a time that stands still until it is moved. */
export async function openRotaDesk(settings: z.input<typeof AlertingConfig>, startAt: number) {
  const folder = mkdtempSync(join(tmpdir(), "alerting-rota-desk-"));
  const store = openSqliteStore(folder);
  let now = startAt;
  const clock = { ...systemClock(), wallNow: () => now };
  const config = AlertingConfig.parse(settings);
  const rotas = createRotas({ config, store, clock });
  await rotas.load();
  const staff = createStaff(config, store, rotas.onCall);
  let account: Account = { name: "eva", role: "operator", units: null };
  const app = Fastify({ forceCloseConnections: true });
  const around = { config, clock, rotas: () => rotas, staff: () => staff };
  await app.register(consolePlugin, {
    backend: { ...createGeneratedBackend(clock, []), verifyUser: async () => account },
    ...{ clock, areas: [rotaArea(around), policiesArea(around)], secureCookies: false, language: "sv" as const },
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  let cookie = "";

  return {
    ...{ store, rotas, staff, config },
    setClock(at: number): void {
      now = at;
    },
    logOut(): void {
      cookie = "";
    },
    async logIn(as: Partial<Account> = {}): Promise<void> {
      account = { name: "eva", role: "operator", units: null, ...as };
      const body = JSON.stringify({ name: account.name, password: "generated" });
      const answer = await fetch(`${url}/api/v1/session`, { method: "POST", headers, body });
      cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    },
    async get(path: string) {
      const answer = await fetch(`${url}/api/v1/${path}`, { headers: { cookie } });
      const text = await answer.text();
      const type = answer.headers.get("content-type") ?? "";
      return { status: answer.status, type, text, body: type.includes("json") ? JSON.parse(text) : null };
    },
    async post(path: string, body: unknown) {
      const answer = await fetch(`${url}/api/v1/${path}`, {
        method: "POST",
        headers: { ...headers, cookie },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.json() };
    },
    /** Every row that is kept, as text. */
    kept(): string {
      return everyRow(join(folder, "alerting.db"));
    },
    async close(): Promise<void> {
      rotas.stop();
      await app.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Every row of a database, as text: two that are the same hold the same. */
export function everyRow(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    return tables
      .map(({ name }) => `${name} ${JSON.stringify(db.prepare(`SELECT * FROM "${name}"`).all())}`)
      .join("\n");
  } finally {
    db.close();
  }
}
