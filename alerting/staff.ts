import type { AlertingConfig, ResponderConfig } from "./config.ts";
import type { Staffing } from "./duty.ts";
import type { LostContact, Store } from "./store/store.ts";

/** Who can be paged, and how: from the configuration, the rotas and what is known of each phone. */
export interface Staff {
  readonly responders: ReadonlyMap<string, ResponderConfig>;
  /** A responder who was taken out of the configuration still stands in old episodes. */
  nameOf(responderId: string): string;
  languageOf(responderId: string): "sv" | "en";
  at(now: number): Staffing;
  /** Phones that get no texts, as far as is known. Read from the store at `load`. */
  readonly lost: ReadonlyMap<string, LostContact>;
  load(): Promise<void>;
  /** Takes in what was committed. */
  contact(responderId: string, lost: string | null, at: number): void;
}

/** @param onCall whom a rota has on call, in the order of paging. */
export function createStaff(
  config: AlertingConfig,
  store: Store,
  onCall: (rotaId: string, at: number) => readonly string[],
): Staff {
  const responders = new Map(config.responders.map((responder) => [responder.id, responder]));
  const groups = new Map(config.groups.map(({ id, members }) => [id, members]));
  const lost = new Map<string, LostContact>();
  return {
    responders,
    nameOf: (id) => responders.get(id)?.name ?? id,
    languageOf: (id) => responders.get(id)?.language ?? config.language,
    at: (now) => ({
      group: (id) => groups.get(id) ?? [],
      rota: (id) => onCall(id, now),
      operators: config.operators,
      keyHolders: config.keyHolders,
    }),
    lost,
    async load() {
      lost.clear();
      for (const contact of await store.contacts.lost()) lost.set(contact.responderId, contact);
    },
    contact(responderId, reason, at) {
      if (reason === null) lost.delete(responderId);
      else if (!lost.has(responderId)) lost.set(responderId, { responderId, reason, since: at });
    },
  };
}
