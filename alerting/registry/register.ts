import type { Clock } from "../../firmware-contracts/clock.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { ControlStore, GatewayStore } from "../store/store.ts";
import { type AccessTokens, createAccessTokens } from "./access-tokens.ts";
import { createDwellings, type Dwellings } from "./dwellings.ts";
import { createOperations, type Operations } from "./operations.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { createSelfTesting, type SelfTesting } from "./self-testing.ts";
import { createUsers, type Users } from "./users.ts";

/** What shall be, and accounts, without the service: for the command line, beside a service that may be running. */
export interface Register {
  registry: Registry;
  dwellings: Dwellings;
  operations: Operations;
  selfTests: SelfTesting;
  control: ControlStore;
  users: Users;
  tokens: AccessTokens;
  gateways: GatewayStore;
  close(): Promise<void>;
}

/** Opens the store in `dataDir`, making it where missing. */
export function openRegister(options: { dataDir: string; clock: Clock }): Register {
  const store = openSqliteStore(options.dataDir);
  return {
    registry: createRegistry(() => store, options.clock),
    dwellings: createDwellings(() => store, options.clock),
    operations: createOperations(() => store, options.clock),
    selfTests: createSelfTesting(() => store, options.clock),
    control: store.control,
    users: createUsers(() => store, options.clock),
    tokens: createAccessTokens(() => store, options.clock),
    gateways: store.gateways,
    close: () => store.close(),
  };
}
