import type { AlertingConfig, Language } from "../alerting/config.ts";
import { createRotas, type Rotas } from "../alerting/rota/duty-rota.ts";
import { type Zone, zoneOf } from "../alerting/rota/local-time.ts";
import type { RotaConfig } from "../alerting/rota/rota-config.ts";
import { type RotaWords, rotaWords } from "../alerting/rota/words.ts";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import type { Clock } from "../firmware-contracts/clock.ts";
import { readConfig } from "./config.ts";
import { alertingFolder } from "./service.ts";
import type { WithConfig } from "./with-register.ts";

export interface RotaOptions extends WithConfig {
  language?: Language;
}

/** What a command on the rotas has at hand. */
export interface AtHand {
  rotas: Rotas;
  zone: Zone;
  words: RotaWords;
  now: number;
  config: AlertingConfig;
  nameOf(responderId: string): string;
  /** Responders whose phones are known to get no texts. */
  unreachable: ReadonlySet<string>;
  /** The rotas asked for: one by its id, or all. @throws where there is none. */
  chosen(rotaId: string | undefined): RotaConfig[];
}

/** Opens the rotas beside a service that may be running, and closes them whatever happens. */
export type WithRotas = <T>(
  options: RotaOptions,
  use: (at: AtHand) => T | Promise<T>,
  since?: (now: number, zone: Zone) => number,
) => Promise<T>;

export function rotasOpener(clock: Clock): WithRotas {
  return async (options, use, since) => {
    const whole = readConfig(options.config, "alerting");
    const config = whole.alerting;
    if (!config) throw new Error("there is no section alerting; `fallvakt init` writes one");
    const zone = zoneOf(config.timeZone);
    const now = Math.round(clock.wallNow());
    const store = openSqliteStore(alertingFolder(whole));
    const rotas = createRotas({ config, store, clock, via: "cli", ...(since ? { since: since(now, zone) } : {}) });
    try {
      await rotas.load();
      return await use({
        rotas,
        zone,
        words: rotaWords(options.language ?? config.language, zone),
        now,
        config,
        unreachable: new Set((await store.contacts.lost()).map(({ responderId }) => responderId)),
        nameOf: (id) => config.responders.find((responder) => responder.id === id)?.name ?? id,
        chosen(rotaId) {
          if (rotaId !== undefined) rotas.plan(rotaId);
          const found = rotas.list.filter(({ id }) => rotaId === undefined || id === rotaId);
          if (found.length === 0) {
            throw new Error(
              "there is no rota yet; write one under alerting.rotas (alerting/rota/README.md has an example)",
            );
          }
          return found;
        },
      });
    } finally {
      rotas.stop();
      await store.close();
    }
  };
}
