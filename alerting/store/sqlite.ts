import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { accessStore } from "./access.ts";
import { auditStore, rotateKeys } from "./audit.ts";
import { blindTimeStore } from "./blind-time.ts";
import { contactStore } from "./contacts.ts";
import { controlStore } from "./control.ts";
import { type Database, openDatabase } from "./database.ts";
import { episodeStore } from "./episodes.ts";
import { erasureStore } from "./erasure.ts";
import { followUpStore } from "./follow-ups.ts";
import { gatewayStore } from "./gateways.ts";
import { createKeyring } from "./keyring.ts";
import type { MasterKeySource } from "./master-key-file.ts";
import { operationStore } from "./operation.ts";
import { pageStore } from "./pages.ts";
import { registryStore } from "./registry.ts";
import { residentStore } from "./residents.ts";
import { rotaStore } from "./rota.ts";
import { selfTestStore } from "./self-tests.ts";
import type { Store } from "./store.ts";
import { troubleStore } from "./troubles.ts";
import { userStore } from "./users.ts";
import { watchStore } from "./watching.ts";

/**
 * Alerting's store in `alerting.db` of the data folder; the folder is made where missing.
 * @param masterKey read when it is first needed. Where nobody says, it is beside the store: for trials only.
 */
export function openSqliteStore(
  dataDir: string,
  masterKey: MasterKeySource = { file: join(dataDir, "keys", "master.key") },
): Store {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return storeIn(openDatabase(join(dataDir, "alerting.db")), masterKey);
}

/** The store in a database that is open; closing the store closes it. */
export function storeIn(db: Database, masterKey: MasterKeySource): Store {
  let made: string | null = null;
  const keyring = createKeyring(db, masterKey, (file) => {
    made = file;
  });
  return {
    episodes: episodeStore(db, keyring),
    residents: residentStore(db, keyring),
    audit: auditStore(db, keyring),
    erasure: erasureStore(db, keyring),
    keys: {
      async open() {
        keyring.open();
        return made;
      },
      rotate: async (act) => rotateKeys(db, keyring, act),
    },
    pages: pageStore(db),
    registry: registryStore(db),
    watching: watchStore(db, keyring),
    control: controlStore(db),
    users: userStore(db),
    access: accessStore(db),
    gateways: gatewayStore(db),
    blindTime: blindTimeStore(db),
    troubles: troubleStore(db),
    rota: rotaStore(db),
    contacts: contactStore(db),
    operation: operationStore(db),
    selfTests: selfTestStore(db),
    followUps: followUpStore(db),
    probe: async () => void db.run("UPDATE probe SET beat = beat + 1"),
    close: async () => db.close(),
  };
}
