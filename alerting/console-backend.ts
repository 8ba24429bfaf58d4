import type { Clock } from "../firmware-contracts/clock.ts";
import type { DeviceTrouble } from "../firmware-contracts/intake.ts";
import type { Board } from "./board.ts";
import type { ConsoleAction, ConsoleBackend } from "./console/api.ts";
import type { ConsoleUser } from "./console/roles.ts";
import { consoleInput } from "./console-acts.ts";
import { createEpisodeRecords } from "./episode-records.ts";
import type { EventLog } from "./event-log/event-log.ts";
import type { GatewayTroubles } from "./intake/gateway-troubles.ts";
import type { GatewayWatch } from "./intake/gateway-watch.ts";
import type { Keeper } from "./keeper.ts";
import type { Users } from "./registry/users.ts";
import type { Store } from "./store/store.ts";
import { deafTroubles } from "./trouble-kinds.ts";
import { visitingList } from "./visiting-list.ts";

/** A contact that failed for good is shown as a trouble this long, ms. */
const contactTroubleMs = 12 * 3_600_000;
/** The store is asked for troubles at most this often, ms. */
const troublesEveryMs = 5_000;

/** Applies a press on the console to an episode. Returns why it did nothing, or null. */
export function actAtConsole(keeper: Keeper, board: Board, id: string, action: ConsoleAction, user: ConsoleUser) {
  return keeper.inTurn((apply) => apply(id, consoleInput(board.states(), id, action, user)));
}

/** What the console sees and does, over the board and the keeper. */
export function createConsoleBackend(options: {
  board: () => Board;
  keeper: () => Keeper;
  store: () => Store;
  users: Users;
  onChange: ConsoleBackend["onChange"];
  eventLog: EventLog;
  gatewayTroubles: GatewayTroubles;
  gatewayWatch: GatewayWatch;
  clock: Clock;
}): ConsoleBackend {
  const { board, keeper, store, users, onChange, eventLog, gatewayTroubles, gatewayWatch, clock } = options;
  const records = createEpisodeRecords(store, (id) => keeper().nameOf(id));
  let contactsFail = false;
  let reviewsAreDue = false;
  let storeFails = false;
  let deviceKinds: ReadonlySet<DeviceTrouble> = new Set();
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    try {
      const failed = await store().pages.failedContactsSince(clock.wallNow() - contactTroubleMs);
      reviewsAreDue = (await store().watching.reviewsDue(clock.wallNow())) > 0;
      deviceKinds = new Set((await store().troubles.open()).map(({ trouble }) => trouble));
      contactsFail = failed.length > 0 || keeper().staff.lost.size > 0;
      storeFails = false;
    } catch {
      storeFails = true;
    }
  }

  const isAreaSilent = () =>
    board()
      .states()
      .some(({ status, facts }) => status !== "closed" && facts.trouble?.kind === "area-silent");

  return {
    board: () => board().view(clock.wallNow()),
    episode: (id) => board().detail(id),
    pastEpisode: (id) => records.detail(id),
    async act(id, action, user) {
      const refused = await actAtConsole(keeper(), board(), id, action, user);
      if (refused === null) return { ok: true };
      return { ok: false, problem: refused === "missing" ? "not-found" : refused };
    },
    onChange,
    verifyUser: (name, password) => users.verify(name, password),
    choosePassword: (name, code, password) => users.choosePassword(name, code, password),
    visitingList: (all) => visitingList(store(), Math.round(clock.wallNow()), all),
    troubles() {
      const now = clock.monotonicNow();
      if (now - lookedAt >= troublesEveryMs) {
        lookedAt = now;
        void look();
      }
      return [
        ...(storeFails ? ["store"] : []),
        ...(contactsFail ? ["contact-unreachable"] : []),
        ...(gatewayWatch.anyLost ? ["gateway-lost"] : []),
        ...(isAreaSilent() ? ["area-silent"] : []),
        ...(deafTroubles.some((kind) => deviceKinds.has(kind)) ? ["device-overdue"] : []),
        ...([...deviceKinds].some((kind) => !deafTroubles.includes(kind)) ? ["device-trouble"] : []),
        ...(gatewayTroubles.brokerLost ? ["broker-lost"] : []),
        ...(eventLog.troubled() ? ["event-log"] : []),
        ...(reviewsAreDue ? ["consent-review"] : []),
      ];
    },
  };
}
