import type { RotaStore } from "../rota/rota-store.ts";
import type { AccessStore, UserStore } from "./access-store.ts";
import type { AuditStore, ErasureStore, KeyStore } from "./audit-store.ts";
import type { BlindTimeStore } from "./blind-time-store.ts";
import type { EpisodeStore, PageStore } from "./episode-store.ts";
import type { FollowUpStore } from "./follow-up-store.ts";
import type { OperationStore, SelfTestStore } from "./operation-store.ts";
import type { ContactStore, ResidentStore } from "./people-store.ts";
import type { ControlStore, GatewayStore, RegistryStore, WatchStore } from "./registry-store.ts";
import type { DeviceTroubleStore } from "./trouble-store.ts";

export type * from "./access-store.ts";
export type * from "./audit-store.ts";
export type * from "./blind-time-store.ts";
export type * from "./episode-store.ts";
export type * from "./follow-up-store.ts";
export type * from "./operation-store.ts";
export type * from "./people-store.ts";
export type * from "./registry-store.ts";
export type * from "./trouble-store.ts";

/**
 * All that alerting keeps. Each method is one transaction, durable when it resolves; another database can stand behind it.
 * A method that rejects has changed nothing.
 */
export interface Store {
  episodes: EpisodeStore;
  pages: PageStore;
  registry: RegistryStore;
  watching: WatchStore;
  control: ControlStore;
  users: UserStore;
  access: AccessStore;
  gateways: GatewayStore;
  blindTime: BlindTimeStore;
  troubles: DeviceTroubleStore;
  residents: ResidentStore;
  audit: AuditStore;
  erasure: ErasureStore;
  keys: KeyStore;
  rota: RotaStore;
  contacts: ContactStore;
  operation: OperationStore;
  selfTests: SelfTestStore;
  followUps: FollowUpStore;
  /** Rejects where nothing can be written. */
  probe(): Promise<void>;
  close(): Promise<void>;
}
