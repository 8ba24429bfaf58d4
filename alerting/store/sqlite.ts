import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { contactStore } from "./contacts.ts";
import { controlStore } from "./control.ts";
import { type Database, openDatabase } from "./database.ts";
import { episodeStore } from "./episodes.ts";
import { gatewayStore } from "./gateways.ts";
import { pageStore } from "./pages.ts";
import { registryStore } from "./registry.ts";
import { rotaStore } from "./rota.ts";
import type { Store } from "./store.ts";
import { userStore } from "./users.ts";
import { watchStore } from "./watching.ts";

/** Alerting's store in `alerting.db` of the data folder; the folder is made where missing. */
export function openSqliteStore(dataDir: string): Store {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return storeIn(openDatabase(join(dataDir, "alerting.db")));
}

/** The store in a database that is open; closing the store closes it. */
export function storeIn(db: Database): Store {
  return {
    episodes: episodeStore(db),
    pages: pageStore(db),
    registry: registryStore(db),
    watching: watchStore(db),
    control: controlStore(db),
    users: userStore(db),
    gateways: gatewayStore(db),
    rota: rotaStore(db),
    contacts: contactStore(db),
    probe: async () => void db.run("UPDATE probe SET beat = beat + 1"),
    close: async () => db.close(),
  };
}
