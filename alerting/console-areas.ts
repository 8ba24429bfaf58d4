import type { Clock } from "../firmware-contracts/clock.ts";
import type { Board } from "./board.ts";
import type { AlertingConfig } from "./config.ts";
import { pausesArea } from "./console/pauses.ts";
import { policiesArea } from "./console/policies/routes.ts";
import { rotaArea } from "./console/rota/routes.ts";
import type { ConsoleArea } from "./console/routes.ts";
import type { GatewayWatch } from "./intake/gateway-watch.ts";
import type { Keeper } from "./keeper.ts";
import { createDwellings } from "./registry/dwellings.ts";
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
}

/** The parts of the console's API beside the board. */
export function consoleAreas({ store, clock, config, rotas, keeper }: ConsoleParts): ConsoleArea[] {
  const dwellings = createDwellings(store, clock, "console");
  const staff = () => keeper().staff;
  return [
    pausesArea(dwellings),
    rotaArea({ config, clock, rotas, staff }),
    policiesArea({ config, clock, rotas, staff }),
  ];
}
