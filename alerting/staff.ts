import { createHash } from "node:crypto";
import type { AlertingConfig, ResponderConfig } from "./config.ts";
import type { Staffing } from "./duty.ts";
import type { ContactChange, LostContact, Store } from "./store/store.ts";

/** Who can be paged, and how: from the configuration, the rotas and what is known of each phone. */
export interface Staff {
  readonly responders: ReadonlyMap<string, ResponderConfig>;
  /** A responder who was taken out of the configuration still stands in old episodes. */
  nameOf(responderId: string): string;
  languageOf(responderId: string): "sv" | "en";
  at(now: number): Staffing;
  /** Phones that get no texts, as far as is known. Read from the store at `load`. */
  readonly lost: ReadonlyMap<string, LostContact>;
  /** Returns those whose phone is another by now, which is not lost. */
  load(): Promise<string[]>;
  /** A change of a contact, for the store. */
  change(responderId: string, lost: string | null): ContactChange;
  /** Takes in what was committed. */
  contact(change: ContactChange, at: number): void;
}

/**
 * Who works where at each time.
 * @param onCall whom a rota has on call, in the order of paging.
 */
export function staffingOf(
  { groups: list, operators, keyHolders }: Pick<AlertingConfig, "groups" | "operators" | "keyHolders">,
  onCall: (rotaId: string, at: number) => readonly string[],
): (now: number) => Staffing {
  const groups = new Map(list.map(({ id, members }) => [id, members]));
  return (now) => ({
    group: (id) => groups.get(id) ?? [],
    rota: (id) => onCall(id, now),
    ...{ operators, keyHolders },
  });
}

/** @param onCall whom a rota has on call, in the order of paging. */
export function createStaff(
  config: AlertingConfig,
  store: Store,
  onCall: (rotaId: string, at: number) => readonly string[],
): Staff {
  const responders = new Map(config.responders.map((responder) => [responder.id, responder]));
  const lost = new Map<string, LostContact>();
  const fingerprintOf = (id: string) =>
    createHash("sha256")
      .update(`${id} ${responders.get(id)?.phone ?? ""}`)
      .digest("hex")
      .slice(0, 16);
  return {
    responders,
    nameOf: (id) => responders.get(id)?.name ?? id,
    languageOf: (id) => responders.get(id)?.language ?? config.language,
    at: staffingOf(config, onCall),
    lost,
    async load() {
      lost.clear();
      const renewed: string[] = [];
      for (const contact of await store.contacts.lost()) {
        if (contact.phone === fingerprintOf(contact.responderId)) lost.set(contact.responderId, contact);
        else renewed.push(contact.responderId);
      }
      return renewed;
    },
    change: (responderId, reason) => ({ responderId, lost: reason, phone: fingerprintOf(responderId) }),
    contact({ responderId, lost: reason, phone }, at) {
      if (reason === null) lost.delete(responderId);
      else if (!lost.has(responderId)) lost.set(responderId, { responderId, reason, since: at, phone });
    },
  };
}
