import { pino } from "pino";
import { type Board, createBoard } from "../../alerting/board.ts";
import type { Channel } from "../../alerting/channels/channel.ts";
import type { AlertingConfig } from "../../alerting/config.ts";
import type { ConsoleAction } from "../../alerting/console/api.ts";
import type { ConsoleUser } from "../../alerting/console/roles.ts";
import { actAtConsole } from "../../alerting/console-backend.ts";
import { createCounters } from "../../alerting/counters.ts";
import { createDeviceTroubles } from "../../alerting/device-troubles.ts";
import { createDispatcher } from "../../alerting/dispatcher.ts";
import type { Draws } from "../../alerting/draws.ts";
import type { step } from "../../alerting/episode.ts";
import type { EpisodeState, SignOnFacts, Trouble } from "../../alerting/episode-state.ts";
import type { ServiceEvent } from "../../alerting/events.ts";
import { createGatewayTroubles } from "../../alerting/intake/gateway-troubles.ts";
import { createGatewayWatch } from "../../alerting/intake/gateway-watch.ts";
import { createIntake } from "../../alerting/intake/intake.ts";
import { createKeeper } from "../../alerting/keeper.ts";
import { createListeners } from "../../alerting/listeners.ts";
import { createReplyDesk, type InboundReceipt, type InboundReply, type ReplyDesk } from "../../alerting/reply-desk.ts";
import { createRotas } from "../../alerting/rota/duty-rota.ts";
import type { Store } from "../../alerting/store/store.ts";
import type { IntakeItem } from "../../firmware-contracts/intake.ts";
import { type Gate, gateStore } from "./store-gate.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface LifeOptions {
  config: AlertingConfig;
  time: VirtualTime;
  /** The store that outlives it. */
  store: Store;
  gate: Gate;
  channel: Channel;
  draws: Draws;
  step: typeof step;
  /** Whoever listens to events: may throw. */
  onEvent(event: ServiceEvent): void;
  /** A planted fault's way in. */
  mendDesk?(desk: ReplyDesk): ReplyDesk;
}

/** One run of the service's parts on a store, from start to stop or death. What is asked of a dead one rejects, as a lost connection does. */
export interface Life {
  readonly isDead: boolean;
  start(): Promise<void>;
  /** As SIGTERM does it. */
  stop(): Promise<void>;
  /** As kill -9: nothing of it does anything any more. */
  kill(): void;
  submit(item: IntakeItem): Promise<void>;
  reply(reply: InboundReply): Promise<void>;
  receipt(receipt: InboundReceipt): Promise<void>;
  /** The wearer of a device presses cancel. */
  cancel(deviceId: string, at: number, upright: boolean): Promise<void>;
  /** Something about the equipment is wrong, or is not any more. */
  raise(trouble: Trouble): Promise<void>;
  end(trouble: Pick<Trouble, "kind" | "subject">): Promise<void>;
  askSignOn(signOn: SignOnFacts): Promise<void>;
  act(episodeId: string, action: ConsoleAction, user: ConsoleUser): Promise<string | null>;
  /** What the console shows. */
  board(): EpisodeState[];
}

const log = pino({ level: "silent" });
/** A call of somebody who is dead. Each a promise of its own: one for all would hold on to whoever ever waited for it. */
export const never = () => new Promise<never>(() => {});

export function createLife(options: LifeOptions): Life {
  const { config, time, channel, draws, step } = options;
  let isDead = false;
  const hangUp = new Set<(error: Error) => void>();
  const isAlive = () => !isDead;
  const gate: Gate = {
    before: (call) => (isDead ? never() : options.gate.before(call)),
    // What was done before it died is done.
    after(call, result) {
      const passed = options.gate.after(call, result);
      return isDead ? never() : passed;
    },
  };
  const store = gateStore(options.store, gate);
  const clock = time.clock(isAlive, true);
  const counters = createCounters();
  const events = createListeners<ServiceEvent>(log);
  events.on(options.onEvent);
  const names = new Map(config.responders.map(({ id, name }) => [id, name]));
  const board: Board = createBoard(store, (id) => names.get(id) ?? id);
  const wake = () => dispatcher.wake();
  const rotas = createRotas({ config, store, clock });
  const keeper = createKeeper({
    onCall: rotas.onCall,
    config,
    store,
    board,
    clock,
    draws,
    step,
    wake,
    onEvent: events.tell,
    onChange: () => {},
  });
  const plainDesk = createReplyDesk({ config, store, keeper, board, clock, counters, wake, draws });
  const desk = options.mendDesk?.(plainDesk) ?? plainDesk;
  const ownChannel: Channel = { name: channel.name, send: (page) => (isDead ? never() : channel.send(page)) };
  const dispatcher = createDispatcher({
    store,
    keeper,
    channel: ownChannel,
    clock,
    counters,
    log,
    perSecond: config.twilio.perSecond,
    onEvent: events.tell,
  });
  const gatewayWatch = createGatewayWatch({ store: () => store.gateways, clock, log, onEvent: events.tell });
  const intake = createIntake({
    store: () => store,
    keeper: () => keeper,
    clock,
    counters,
    log,
    gatewayTroubles: createGatewayTroubles(),
    gatewayWatch,
    deviceTroubles: createDeviceTroubles({
      ...{ store: () => store, keeper: () => keeper, gatewayWatch, clock, log },
      onEvent: events.tell,
    }),
    onSelfTest: async () => {},
    onEvent: events.tell,
  });

  /** From outside: hangs up where it dies meanwhile. */
  function ask<T>(work: () => Promise<T>): Promise<T> {
    if (isDead) return Promise.reject(new Error("connection refused"));
    return new Promise((resolve, reject) => {
      hangUp.add(reject);
      work()
        .then(resolve, reject)
        .finally(() => hangUp.delete(reject));
    });
  }

  function kill(): void {
    isDead = true;
    for (const reject of hangUp) reject(new Error("connection reset"));
    hangUp.clear();
  }

  return {
    get isDead() {
      return isDead;
    },
    async start() {
      await dispatcher.resume();
      await rotas.load();
      // Changes of the rota by another process are not played: no look at them each minute.
      rotas.stop();
      await board.load(clock.wallNow());
      await keeper.load();
      await dispatcher.start();
    },
    async stop() {
      await dispatcher.stop();
      await keeper.inTurn(async () => undefined).catch(() => undefined);
      kill();
    },
    kill,
    submit: (item) => ask(() => intake.submit(item)),
    reply: (reply) => ask(() => desk.reply(reply)),
    receipt: (receipt) => ask(() => desk.receipt(receipt)),
    cancel: (deviceId, at, upright) => ask(() => keeper.cancel(deviceId, at, upright)),
    raise: (trouble) => ask(() => keeper.raise(trouble)),
    end: (trouble) => ask(() => keeper.end(trouble)),
    askSignOn: (signOn) => ask(() => keeper.askSignOn(signOn)),
    act: (episodeId, action, user) => ask(() => actAtConsole(keeper, board, episodeId, action, user)),
    board: () => board.states(),
  };
}
