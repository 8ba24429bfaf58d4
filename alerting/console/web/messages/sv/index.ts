import { accounts } from "./accounts.ts";
import { app } from "./app.ts";
import { audit } from "./audit.ts";
import { board } from "./board.ts";
import { devices } from "./devices.ts";
import { episode } from "./episode.ts";
import { residents } from "./residents.ts";
import { rota } from "./rota.ts";
import { shift } from "./shift.ts";

/** What the page says in Swedish. */
export const sv = { ...app, ...board, ...episode, ...shift, ...residents, ...devices, ...rota, ...accounts, ...audit };
