import type { Clock } from "../firmware-contracts/clock.ts";
import type { Board } from "./board.ts";
import type { AlertingConfig } from "./config.ts";
import { ownAccountArea } from "./console/accounts/own.ts";
import { accountsArea } from "./console/accounts/routes.ts";
import { auditArea } from "./console/audit/routes.ts";
import { deviceAreas } from "./console/devices/areas.ts";
import type { BrokerForDevices } from "./console/devices/parts.ts";
import { episodeRecordsArea } from "./console/episode/routes.ts";
import { pausesArea } from "./console/pauses.ts";
import { policiesArea } from "./console/policies/routes.ts";
import { residentsArea } from "./console/residents/routes.ts";
import { rotaArea } from "./console/rota/routes.ts";
import type { ConsoleArea } from "./console/routes.ts";
import { shiftArea } from "./console/shift/routes.ts";
import { createEpisodeRecords } from "./episode-records.ts";
import type { GatewayWatch } from "./intake/gateway-watch.ts";
import type { Keeper } from "./keeper.ts";
import { createAccessTokens } from "./registry/access-tokens.ts";
import { createDwellings } from "./registry/dwellings.ts";
import type { Users } from "./registry/users.ts";
import type { Rotas } from "./rota/duty-rota.ts";
import type { Store } from "./store/store.ts";

/** What the console's parts need of alerting. Functions, because the service's parts are there only while it runs. */
export interface ConsoleParts {
  config: AlertingConfig;
  clock: Clock;
  store: () => Store;
  board: () => Board;
  keeper: () => Keeper;
  rotas: () => Rotas;
  gatewayWatch: GatewayWatch;
  brokerForDevices?: BrokerForDevices | undefined;
  users: Users;
}

/** The parts of the console's API beside the board. */
export function consoleAreas(parts: ConsoleParts): ConsoleArea[] {
  const { store, clock, config, rotas, keeper, users } = parts;
  const dwellings = createDwellings(store, clock, "console");
  const tokens = createAccessTokens(store, clock, "console");
  const units = async () => (await store().registry.dwellings()).flatMap(({ unit }) => unit ?? []);
  const episodeRecords = createEpisodeRecords(store, (id) => keeper().nameOf(id));
  const staff = () => keeper().staff;
  return [
    episodeRecordsArea(episodeRecords),
    pausesArea(dwellings),
    residentsArea(parts),
    auditArea(parts),
    ...deviceAreas(parts),
    shiftArea(parts),
    accountsArea({ users, tokens, units, clock }),
    ownAccountArea({ users, tokens, access: () => store().access, clock }),
    rotaArea({ config, clock, rotas, staff }),
    policiesArea({ config, clock, rotas, staff }),
  ];
}
