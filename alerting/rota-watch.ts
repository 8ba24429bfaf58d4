import type { Logger } from "pino";
import type { Clock } from "../firmware-contracts/clock.ts";
import type { Board } from "./board.ts";
import type { AlertingConfig } from "./config.ts";
import type { EpisodeState, SignOnFacts } from "./episode-state.ts";
import type { ServiceEvent } from "./events.ts";
import type { Keeper } from "./keeper.ts";
import type { Rotas } from "./rota/duty-rota.ts";
import { troubleKey } from "./welfare-keys.ts";

/** Shifts begin, and end, at whole minutes: looked at often enough that a phone is asked within seconds, ms. */
const lookEveryMs = 5_000;
/** Gaps are looked for this often, ms: they lie far ahead. */
const gapsEveryMs = 60_000;
/** Whoever staffs the rota is told of a gap this long before, ms; the console and `fallvakt rota` show it a week ahead. */
const toldAheadMs = 24 * 3_600_000;

/** Follows the rotas: asks a shift's phone to sign on, notes its answer, and raises a technical alarm where nobody will be on call. */
export interface RotaWatch {
  start(): Promise<void>;
  stop(): void;
  /** Takes in what has happened; a sign-on that was answered, or was not. */
  follow(event: ServiceEvent): void;
}

export function createRotaWatch(options: {
  config: AlertingConfig;
  rotas: Rotas;
  keeper: Keeper;
  board: Board;
  clock: Clock;
  log: Logger;
}): RotaWatch {
  const { config, rotas, keeper, board, clock, log } = options;
  let callOff = () => {};
  let stopped = true;
  let gapsLookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    try {
      await askPhones();
      await endSignOns();
      if (clock.monotonicNow() - gapsLookedAt >= gapsEveryMs) {
        await tellGaps();
        gapsLookedAt = clock.monotonicNow();
      }
    } catch (error) {
      log.error({ err: error }, "the rotas could not be followed; trying again in a few seconds");
    }
    if (!stopped) callOff = clock.after(lookEveryMs, () => void look());
  }

  async function askPhones(): Promise<void> {
    for (const due of rotas.signOnsDue()) {
      // The episode first: cut off in between, the phone is asked once all the same, for its episode is open.
      await keeper.askSignOn(due);
      await rotas.asked([due]);
    }
  }

  /** Whose time on call is over, or was handed over to another phone, need not answer any more. */
  async function endSignOns(): Promise<void> {
    const now = clock.wallNow();
    for (const { facts, status } of board.states()) {
      if (status !== "closed" && facts.signOn && !isOnDuty(facts.signOn, now)) {
        await keeper.endSignOn(facts.signOn.responderId);
      }
    }
  }

  const isOnDuty = ({ rotaIds, responderId, startsAt, endsAt }: SignOnFacts, at: number) =>
    at < endsAt &&
    rotaIds.some((rotaId) =>
      rotas.onDuty(rotaId, at).some((stint) => stint.responderId === responderId && stint.startsAt === startsAt),
    );

  async function tellGaps(): Promise<void> {
    const now = Math.round(clock.wallNow());
    const first = new Map<string, number>();
    for (const { rotaId, from } of rotas.gaps(now, now + toldAheadMs)) {
      if (!first.has(rotaId) && leavesNobody(rotaId, from)) first.set(rotaId, from);
    }
    for (const { id } of config.rotas) {
      const kind = "rota-gap" as const;
      const since = first.get(id);
      const told = openAbout(troubleKey({ kind, subject: id }));
      if (told && told.facts.since !== since) await keeper.end({ kind, subject: id });
      if (since !== undefined) await keeper.raise({ kind, subject: id, since });
    }
  }

  const openAbout = (dwelling: string): EpisodeState | undefined =>
    board.states().find(({ facts, status }) => status !== "closed" && facts.dwelling === dwelling);

  /** Whether a step that names this rota would page nobody at `at`: what another rota covers is no gap. */
  function leavesNobody(rotaId: string, at: number): boolean {
    const steps = [config.policy, ...config.policies].flatMap((policy) => policy.steps);
    return steps.some(
      ({ rotas: named = [], responders = [], groups = [] }) =>
        named.includes(rotaId) &&
        responders.length + groups.length === 0 &&
        named.every((id) => rotas.onCall(id, at).length === 0),
    );
  }

  async function note(state: EpisodeState, event: ServiceEvent["type"]): Promise<void> {
    const { signOn } = state.facts;
    if (!signOn) return;
    const { closedBy } = state;
    const own = closedBy?.kind === "responder" && closedBy.id === signOn.responderId;
    if (event === "not-taken") await rotas.missed(signOn);
    else if (own && notSigned(signOn)) await rotas.signedOn(signOn, "sms");
  }

  const notSigned = ({ rotaIds, responderId, startsAt }: NonNullable<EpisodeState["facts"]["signOn"]>) =>
    rotaIds.some((rotaId) => rotas.signOn({ rotaId, responderId, startsAt }).signedOnAt === null);

  return {
    async start() {
      stopped = false;
      // An answer that was committed just before a stop is noted now.
      for (const state of board.states()) if (state.status === "closed") await note(state, "closed");
      if (config.rotas.length > 0) await look();
    },
    stop() {
      stopped = true;
      callOff();
    },
    follow(event) {
      if (event.type !== "closed" && event.type !== "not-taken") return;
      const state = board.states().find(({ facts }) => facts.id === event.episodeId);
      if (!state?.facts.signOn) return;
      note(state, event.type).catch((error: unknown) =>
        log.error({ err: error }, "an answer to a test alarm could not be noted in the rota"),
      );
    },
  };
}
