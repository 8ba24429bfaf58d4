import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Clock } from "../firmware-contracts/clock.ts";
import type { CertificateInForce } from "../firmware-contracts/credential-files.ts";
import type { Intake } from "../firmware-contracts/intake.ts";
import { createLifeBeat, type LifeBeat } from "./blind-time/beat.ts";
import { type BlindTimeTeller, createBlindTimeTeller } from "./blind-time/teller.ts";
import { type Board, createBoard } from "./board.ts";
import { createTwilioSms } from "./channels/twilio/sms.ts";
import type { AlertingConfig } from "./config.ts";
import type { ConsoleBackend, EpisodeStatus } from "./console/api.ts";
import type { BrokerForDevices } from "./console/devices/parts.ts";
import { consolePlugin } from "./console/server.ts";
import { consoleAreas } from "./console-areas.ts";
import { createConsoleBackend } from "./console-backend.ts";
import { type Counters, createCounters } from "./counters.ts";
import { createDeviceTroubles, type DeviceTroubles } from "./device-troubles.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import type { EpisodeKind, SeenDetection } from "./episode-state.ts";
import { createErasureWatch, type ErasureWatch } from "./erasure/watch.ts";
import { createEventLog, type EventCounts, type EventLog } from "./event-log/event-log.ts";
import type { ServiceEvent } from "./events.ts";
import { createGatewayAlarms, type GatewayAlarms } from "./gateway-alarms.ts";
import { byToken } from "./intake/callers.ts";
import { type GatewayDoor, openGatewayDoor } from "./intake/gateway-door.ts";
import { createGatewayTroubles } from "./intake/gateway-troubles.ts";
import { createGatewayWatch, type GatewayWatch } from "./intake/gateway-watch.ts";
import { createIntake } from "./intake/intake.ts";
import { intakePlugin } from "./intake/plugin.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { createListeners } from "./listeners.ts";
import { createOperationWatch, type OperationWatch } from "./operation-watch.ts";
import { createDwellings, type Dwellings } from "./registry/dwellings.ts";
import { createOperations, type Operations } from "./registry/operations.ts";
import { createRegistry, type Registry } from "./registry/registry.ts";
import { createUsers, type Users } from "./registry/users.ts";
import { createReplyDesk, type ReplyDesk } from "./reply-desk.ts";
import { createRotas, type Rotas } from "./rota/duty-rota.ts";
import { createRotaWatch, type RotaWatch } from "./rota-watch.ts";
import { createSelfTests, type SelfTests } from "./self-test.ts";
import { masterKeySource } from "./store/master-key-file.ts";
import type { Store } from "./store/store.ts";
import { openThreadedStore } from "./store/threaded.ts";
import { createWebServer, type WebServer } from "./web-server.ts";
import { webhookPlugin } from "./webhooks/plugin.ts";

export type { ServiceEvent } from "./events.ts";

export interface AlertingOptions {
  config: AlertingConfig;
  /** Folder of the store and the spool. */
  dataDir: string;
  clock: Clock;
  log: Logger;
  /** Where devices find the broker; left out: whoever adds a device says it. */
  brokerForDevices?: BrokerForDevices;
}

export interface EpisodeSummary {
  id: string;
  code: string;
  kind: EpisodeKind;
  status: EpisodeStatus;
  alias: string | null;
  test: boolean;
  openedAt: number;
  takenAt: number | null;
  arrivedAt: number | null;
  closedAt: number | null;
  /** The first opened it, the others joined. */
  detections: SeenDetection[];
}

/** The part that pages and follows alarms until somebody has been there. */
export interface Alerting {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Where the web server listens. @throws before `start`. */
  readonly url: string;
  /** Where gateways come in by certificate, where `intake.tls` says so; else null. */
  readonly intakeUrl: string | null;
  readonly intake: Intake;
  readonly registry: Registry;
  readonly dwellings: Dwellings;
  readonly operations: Operations;
  readonly users: Users;
  readonly backend: ConsoleBackend;
  readonly events: { on(listener: (event: ServiceEvent) => void): () => void };
  counters(): Record<string, number>;
  /** Certificates that are shown and trusted now. */
  certificates(): CertificateInForce[];
  /** Whether an alarm handed in now would be committed: the store is tried by a write. */
  ready(): Promise<boolean>;
  eventsLogged(): EventCounts;
  /** Open episodes and those closed in the last 12 h. */
  episodes(): EpisodeSummary[];
}

export function createAlerting(options: AlertingOptions): Alerting {
  return new AlertingService(options);
}

class AlertingService implements Alerting {
  readonly intake: Intake;
  readonly registry: Registry;
  readonly dwellings: Dwellings;
  readonly operations: Operations;
  readonly users: Users;
  readonly backend: ConsoleBackend;
  readonly #options: AlertingOptions;
  readonly #counters: Counters = createCounters();
  readonly #eventListeners;
  readonly #changeListeners;
  readonly #eventLog: EventLog;
  readonly #gatewayWatch: GatewayWatch;
  readonly #lifeBeat: LifeBeat;
  readonly #blindTime: BlindTimeTeller;
  readonly #gatewayAlarms: GatewayAlarms;
  readonly #deviceTroubles: DeviceTroubles;
  #parts: {
    store: Store;
    board: Board;
    keeper: Keeper;
    desk: ReplyDesk;
    dispatcher: Dispatcher;
    rotas: Rotas;
    rotaWatch: RotaWatch;
    operationWatch: OperationWatch;
    selfTests: SelfTests;
    web: WebServer;
    erasures: ErasureWatch;
  } | null = null;
  #gatewayDoor: GatewayDoor | null = null;

  constructor(options: AlertingOptions) {
    this.#options = options;
    const { config, dataDir, clock, log } = options;
    this.#eventListeners = createListeners<ServiceEvent>(log);
    this.#changeListeners = createListeners<string>(log);
    this.#eventLog = createEventLog({ dataDir, spool: config.spool, influx: config.influx, clock, log });
    const store = () => this.#running().store;
    const gatewayTroubles = createGatewayTroubles();
    this.#gatewayWatch = createGatewayWatch({
      store: () => store().gateways,
      clock,
      log,
      onEvent: (event) => this.#tell(event),
    });
    const gatewayWatch = this.#gatewayWatch;
    const ofBlindTime = { store: () => store().blindTime, clock, counters: this.#counters, log };
    this.#lifeBeat = createLifeBeat(ofBlindTime);
    this.#blindTime = createBlindTimeTeller({ ...ofBlindTime, onEvent: (event) => this.#tell(event) });
    const keeper = () => this.#running().keeper;
    this.#gatewayAlarms = createGatewayAlarms({ store, keeper, gatewayWatch, log });
    this.#deviceTroubles = createDeviceTroubles({
      ...{ store, keeper, gatewayWatch, clock, log },
      onEvent: (event) => this.#tell(event),
    });
    this.registry = createRegistry(store, clock);
    this.dwellings = createDwellings(store, clock, "service");
    this.operations = createOperations(store, clock);
    this.users = createUsers(store, clock, "console");
    this.intake = createIntake({
      store,
      keeper: () => this.#running().keeper,
      clock,
      counters: this.#counters,
      log,
      gatewayTroubles,
      gatewayWatch,
      deviceTroubles: this.#deviceTroubles,
      onEvent: (event) => this.#tell(event),
      onSelfTest: async (event) => this.#parts?.selfTests.report(event),
    });
    this.backend = createConsoleBackend({
      board: () => this.#running().board,
      keeper: () => this.#running().keeper,
      users: this.users,
      onChange: this.#changeListeners.on,
      eventLog: this.#eventLog,
      gatewayTroubles,
      gatewayWatch,
      store,
      clock,
    });
  }

  get events(): Alerting["events"] {
    return { on: this.#eventListeners.on };
  }

  get url(): string {
    const address = this.#running().web.app.server.address() as AddressInfo | null;
    if (!address) throw new Error("alerting's web server does not listen yet; start it first");
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `${this.#options.config.http.tls ? "https" : "http"}://${host}:${address.port}`;
  }

  get intakeUrl(): string | null {
    return this.#gatewayDoor?.url ?? null;
  }

  async start(): Promise<void> {
    const { config, dataDir, clock, log } = this.#options;
    const counters = this.#counters;
    const store = await openThreadedStore(dataDir, masterKeySource(config, dataDir));
    try {
      const made = await store.keys.open();
      if (made)
        log.warn(
          { file: made },
          "made a master key: back it up now, apart from the data; without it nothing sealed can be read",
        );
      await this.#eventLog.start();
      const names = new Map(config.responders.map(({ id, name }) => [id, name]));
      const rotas = createRotas({ config, store, clock, log });
      await rotas.load();
      const board = createBoard(store, (id) => names.get(id) ?? id);
      const onEvent = (event: ServiceEvent) => this.#tell(event);
      const wake = () => this.#parts?.dispatcher.wake();
      const selfTests = createSelfTests({ config, store, keeper: () => keeper, board, clock, counters, log });
      const keeper: Keeper = createKeeper({
        config,
        store,
        board,
        clock,
        onCall: rotas.onCall,
        onEvent,
        onChange: this.#changeListeners.tell,
        wake,
        selfTest: selfTests.takes,
        onClockSet: (jumpMs) => {
          counters.count("clock.set");
          log.warn({ jumpMs }, "the clock was set; deadlines are moved with it");
        },
      });
      const desk = createReplyDesk({ config, store, keeper, board, clock, counters, wake });
      const channel = createTwilioSms(config.twilio, () => this.#publicUrl());
      const dispatcher = createDispatcher({
        store,
        keeper,
        channel,
        clock,
        counters,
        log,
        perSecond: config.twilio.perSecond,
        onEvent,
      });
      await dispatcher.resume();
      await board.load(clock.wallNow());
      await keeper.load();
      const rotaWatch = createRotaWatch({ config, rotas, keeper, board, clock, log });
      const operationWatch = createOperationWatch({ config, store, keeper, board, clock, counters, log, wake });
      const web = createWebServer({
        section: "alerting.http.tls",
        tls: config.http.tls,
        trustedProxies: config.http.trustedProxies,
        clock,
        log,
      });
      const onErased = (id: string) => {
        board.remove(id);
        this.#changeListeners.tell(id);
      };
      const erasures = createErasureWatch({ store, clock, counters, log, onErased });
      this.#parts = {
        store,
        board,
        keeper,
        desk,
        dispatcher,
        rotas,
        rotaWatch,
        operationWatch,
        selfTests,
        web,
        erasures,
      };
      // Before anybody is heard: what is heard after a gap is judged by it.
      await this.#lifeBeat.start();
      await this.#routes(web.app);
      await web.app.listen({ host: config.http.host, port: config.http.port });
      const { tls } = config.intake;
      if (tls) this.#gatewayDoor = await openGatewayDoor({ tls, intake: this.intake, clock, counters, log });
      await dispatcher.start();
      await this.#gatewayWatch.start();
      await this.#deviceTroubles.start();
      await erasures.start();
      await rotaWatch.start();
      this.#blindTime.start();
      await operationWatch.start();
      await selfTests.start();
      log.info(
        { url: this.url, webhooks: this.#publicUrl() },
        "alerting is up; the SMS provider must reach it under exactly this address",
      );
    } catch (error) {
      const parts = this.#parts;
      await this.#lifeBeat.stop();
      this.#parts = null;
      parts?.rotaWatch.stop();
      parts?.operationWatch.stop();
      parts?.selfTests.stop();
      parts?.rotas.stop();
      await parts?.web.close().catch(() => undefined);
      await this.#closeGatewayDoor();
      await this.#eventLog.stop();
      await store.close();
      throw new Error(`alerting cannot start: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    if (!parts) return;
    this.#gatewayWatch.stop();
    this.#deviceTroubles.stop();
    await parts.erasures.stop();
    await this.#blindTime.stop();
    parts.rotaWatch.stop();
    parts.operationWatch.stop();
    parts.selfTests.stop();
    parts.rotas.stop();
    await this.#closeGatewayDoor();
    await parts.web.close();
    await parts.dispatcher.stop();
    // What is under way in the keeper's queue is committed before the store goes.
    await parts.keeper.inTurn(async () => undefined).catch(() => undefined);
    await this.#lifeBeat.stop();
    this.#parts = null;
    await this.#eventLog.stop();
    await parts.store.close();
  }

  async ready(): Promise<boolean> {
    try {
      await this.#running().store.probe();
      return true;
    } catch {
      this.#counters.count("store.not-ready");
      return false;
    }
  }

  counters(): Record<string, number> {
    const { written, spooled, dropped } = this.#eventLog.counts();
    return {
      ...this.#counters.read(),
      "event-log.written": written,
      "event-log.spooled": spooled,
      "event-log.dropped": dropped,
    };
  }

  certificates(): CertificateInForce[] {
    return [...(this.#parts?.web.certificates() ?? []), ...(this.#gatewayDoor?.certificates() ?? [])];
  }

  eventsLogged(): EventCounts {
    return this.#eventLog.counts();
  }

  episodes(): EpisodeSummary[] {
    return this.#running()
      .board.states()
      .map(({ facts, status, openedAt, takenAt, arrivedAt, closedAt, detections }) => ({
        id: facts.id,
        code: facts.code,
        kind: facts.kind,
        status,
        alias: facts.place.alias,
        test: facts.test,
        openedAt,
        takenAt,
        arrivedAt,
        closedAt,
        detections: [...detections],
      }));
  }

  async #closeGatewayDoor(): Promise<void> {
    await this.#gatewayDoor?.close();
    this.#gatewayDoor = null;
  }

  /** The configured one; a port of 0 in it stands for the port that the server was given. */
  #publicUrl(): string {
    const { publicUrl } = this.#options.config.http;
    const { port } = new URL(this.url);
    return publicUrl.replace(/^(https?:\/\/[^/]+):0(?=\/|$)/, `$1:${port}`);
  }

  #running() {
    if (!this.#parts) throw new Error("alerting is not running; call start() first");
    return this.#parts;
  }

  #tell(event: ServiceEvent): void {
    this.#counters.count(`event.${event.type}`);
    this.#eventLog.record(event);
    this.#parts?.rotaWatch.follow(event);
    this.#parts?.selfTests.follow(event);
    this.#followGateway(event);
    this.#eventListeners.tell(event);
  }

  /** A gateway that is lost, or has lost its broker, is a technical alarm until it is back. */
  #followGateway(event: ServiceEvent): void {
    if (event.type !== "gateway") return;
    if (!this.#parts) return;
    const { gatewayId } = event;
    this.#gatewayAlarms
      .follow(event)
      .catch((error: unknown) =>
        this.#options.log.error({ err: error, gatewayId }, "a technical alarm could not be committed"),
      );
  }

  async #routes(app: FastifyInstance): Promise<void> {
    const { config, clock, log } = this.#options;
    const counters = this.#counters;
    const { publicUrl } = config.http;
    const desk = () => this.#running().desk;
    await app.register(webhookPlugin, {
      authToken: config.twilio.authToken,
      publicUrl: () => this.#publicUrl(),
      desk,
      counters,
      log,
    });
    const { token } = config.intake;
    if (token !== undefined) {
      await app.register(intakePlugin, { intake: this.intake, whoIsIt: byToken(token), counters });
    }
    await app.register(consolePlugin, {
      backend: this.backend,
      clock,
      areas: consoleAreas({
        config,
        clock,
        store: () => this.#running().store,
        board: () => this.#running().board,
        keeper: () => this.#running().keeper,
        rotas: () => this.#running().rotas,
        gatewayWatch: this.#gatewayWatch,
        brokerForDevices: this.#options.brokerForDevices,
        users: this.users,
      }),
      access: () => this.#running().store.access,
      secureCookies: publicUrl.startsWith("https:") || config.http.tls !== undefined,
      language: config.language,
    });
    app.get("/healthz", async () => ({ ok: true }));
    app.get("/readyz", async (_request, reply) => {
      if (await this.ready()) return { ok: true };
      return reply.code(503).send({
        ok: false,
        problem: "store",
        mend: "the store cannot be written: look at the disk's space and rights",
      });
    });
  }
}
