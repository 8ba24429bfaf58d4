import type { ConsoleAction } from "../../alerting/console/api.ts";
import type { ConsoleUser } from "../../alerting/console/roles.ts";
import type { step } from "../../alerting/episode.ts";
import type { EpisodeState } from "../../alerting/episode-state.ts";
import type { Database } from "../../alerting/store/database.ts";
import type { EpisodeChange, NewPage, ReplyRow, Store } from "../../alerting/store/store.ts";
import { type Detection, detectionId } from "../../firmware-contracts/detection.ts";
import type { FallUpdate } from "../../firmware-contracts/intake.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { draw } from "./draw.ts";
import { createLife, type Life, never } from "./life.ts";
import type { Oracle } from "./oracle.ts";
import { createPhoneNetwork, type Mood } from "./phone-network.ts";
import { hour, type Incident, minute, type Plan, second, strangersPhone, type Trouble } from "./plan.ts";
import type { Fault } from "./planted-faults.ts";
import { compose, createStaff, type Said } from "./staff.ts";
import type { Gate, StoreCall } from "./store-gate.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Requests at once from which the provider's slowness, and not the service, makes pages wait. */
const saturatedAt = 14;

export interface TownOptions {
  plan: Plan;
  time: VirtualTime;
  db: Database;
  storeItself: Store;
  oracle: Oracle;
  step: typeof step;
  fault: Fault | undefined;
  tell(line: string): void;
}

/** The town around the service: residents, gateways, staff, operators, the provider, and what goes wrong. */
export function createTown(options: TownOptions) {
  const { plan, time, db, storeItself, oracle, fault, tell } = options;
  const { config, seed } = plan;
  const [chanceOfWorld, chanceOfNetwork, chanceOfStaff, chanceOfService, chanceOfLying] = [2, 3, 4, 5, 6].map((n) =>
    draw(seed, n),
  ) as [
    ReturnType<typeof draw>,
    ReturnType<typeof draw>,
    ReturnType<typeof draw>,
    ReturnType<typeof draw>,
    ReturnType<typeof draw>,
  ];
  let life: Life | null = null;
  let mood: Mood = "good";
  let storeFails: "no" | "writes" | "all" = "no";
  let death: { writes: number; when: "before" | "after"; awayMs: number; again: boolean } | null = null;
  let underWay = 0;
  let written = false;
  let troubledUntil = 0;
  let sequence = 0;
  let welfares = 0;
  let messages = 0;
  let ending = false;
  let isStopping = false;
  /** Whether the service has followed each jump of the clock. */
  let isFollowed = true;

  const store = fault?.store?.(storeItself, { time, db, oracle }) ?? storeItself;
  const network = createPhoneNetwork({
    time,
    draw: chanceOfNetwork,
    mood: () => mood,
    kindOf: (phone) => plan.phones.get(phone) ?? "dead",
    onText(phone, body) {
      tell(`${phone} reads: ${body}`);
      staff.read(phone, body);
    },
    onReceipt: (receipt) =>
      deliver(
        0,
        () => life?.receipt(receipt),
        () => tell(`receipt ${receipt.pageId} ${receipt.status}`),
      ),
  });
  const staff = createStaff({ time, draw: chanceOfStaff, ignores: plan.ignores, say });

  const gate: Gate = {
    before(call) {
      if (storeFails === "all" || (storeFails === "writes" && call.writes)) {
        throw new Error("database or disk is full");
      }
      if (call.writes) {
        written = true;
        if (death && --death.writes <= 0 && death.when === "before") {
          die(call);
          return never();
        }
      }
      return undefined;
    },
    after(call, result) {
      if (call.method === "commitStep") {
        const [change] = call.args as [EpisodeChange];
        tell(`${change.state.facts.code} ${inWords(change)}`);
        oracle.committed(change);
      } else if (call.method === "followClock") {
        isFollowed = true;
        for (const change of call.args[0] as EpisodeChange[]) {
          tell(`${change.state.facts.code} follows the clock`);
          oracle.committed(change);
        }
      } else if (call.method === "commitLooseReply") {
        const [reply, page] = call.args as [ReplyRow, NewPage | null];
        tell(`${reply.responderId}'s reply: ${reply.effect}`);
        oracle.committedLoose(reply, page);
      } else if (call.method === "resumeCutOff") tell(`${String(result)} pages are sent again`);
      if (call.writes && death && death.writes <= 0) {
        die(call);
        return never();
      }
      return undefined;
    },
  };

  function die({ method }: StoreCall): void {
    if (!death) return;
    tell(`kill -9 ${death.when} ${method}`);
    const { awayMs, again } = death;
    death = again ? { writes: chanceOfWorld.whole(1, 4), when: "after", awayMs: second, again: false } : null;
    life?.kill();
    away(awayMs);
  }

  function away(ms: number): void {
    life = null;
    if (!isFollowed) oracle.jumpedUnseen();
    isFollowed = true;
    // What was asked of the provider goes its way; the dead hear nothing of it.
    underWay = 0;
    time.after(ms, start);
  }

  function start(): void {
    isStopping = false;
    const one = createLife({
      config,
      time,
      store,
      gate,
      step: options.step,
      draws: {
        id: () =>
          Math.floor(chanceOfService.between(0, 2 ** 48))
            .toString(16)
            .padStart(16, "0"),
        fraction: () => chanceOfService.between(0, 1),
      },
      channel: {
        name: "simulated",
        async send(page) {
          oracle.sent(page);
          underWay++;
          const ownLife = life;
          const givenUp = time.after(10 * second, () => {
            if (life === ownLife) underWay--;
          });
          const result = await network.send(page).finally(() => {
            if (life === ownLife) underWay--;
            givenUp();
          });
          tell(`${page.pageId} → ${page.phone}: ${result.outcome}${"reason" in result ? ` ${result.reason}` : ""}`);
          return result;
        },
      },
      onEvent() {
        if (chanceOfService.happens(plan.listenerThrows)) throw new Error("a listener that fails");
      },
      ...(fault?.desk ? { mendDesk: (desk) => fault.desk?.(desk, { time, db, oracle }) ?? desk } : {}),
    });
    life = one;
    tell("the service starts");
    // Where it cannot start (the disk), whoever runs it starts it again.
    one.start().catch(() => {
      one.kill();
      if (life === one) away(5 * second);
    });
    written = true;
    troubled();
  }

  function troubled(): void {
    troubledUntil = time.now + 3 * second;
    oracle.settledAt = time.now;
  }

  /** From outside to whatever runs then; tried again as providers do it, a few times. */
  function deliver(tries: number, hand: () => Promise<void> | undefined, onDone: () => void): void {
    const again = () => {
      if (tries < 4) time.after(5 * second * 3 ** tries, () => deliver(tries + 1, hand, onDone));
    };
    const handed = hand();
    if (handed) handed.then(onDone, again);
    else again();
  }

  function say(said: Said): void {
    const providerId = `IN${String(++messages).padStart(6, "0")}`;
    oracle.replies.set(providerId, said);
    tell(`${said.from} writes: ${said.body.slice(0, 60)}`);
    if (/^\s*stop\s*$/i.test(said.body)) network.block(said.from);
    if (/^\s*start\W*$/i.test(said.body)) network.unblock(said.from);
    const reply = { providerId, from: said.from, body: said.body };
    const hand = () =>
      deliver(
        0,
        () => life?.reply(reply),
        () => {},
      );
    const delay = chanceOfWorld.happens(0.03)
      ? chanceOfWorld.spread(minute, 6 * hour)
      : chanceOfWorld.spread(200, 6 * second);
    time.after(delay, hand);
    if (chanceOfWorld.happens(0.06)) time.after(delay + chanceOfWorld.spread(10, 10 * minute), hand);
  }

  /** As a gateway's outbox does it: again and again until it is accepted. */
  function submit(detection: Detection): void {
    const again = () => time.after(chanceOfWorld.spread(300, 5 * second), () => submit(detection));
    if (!life) return void again();
    life.submit({ type: "detection", detection }).then(() => {
      tell(`${detection.id} is accepted`);
      const known = oracle.detections.get(detection.id);
      if (known) known.accepted = true;
    }, again);
  }

  /** Five minutes after a fall nobody was seen to get up: handed in behind its Detection, as a gateway's outbox does it, now and then twice. */
  function lieLong({ id: detectionId, deviceId, impactAt }: Detection): void {
    const lyingSeconds = Math.max(300, (time.wall - impactAt) / 1000);
    const update: FallUpdate = {
      v: 1,
      id: `${detectionId}.long-lie`,
      detectionId,
      deviceId,
      at: Math.max(0, Math.round(time.wall)),
      event: "long-lie",
      lyingSeconds,
      unknownSeconds: chanceOfLying.happens(0.3) ? lyingSeconds : 0,
    };
    const hand = () => {
      const again = () => time.after(chanceOfLying.spread(300, 5 * second), hand);
      const isThere = oracle.detections.get(detectionId)?.accepted ?? true;
      if (!life || !isThere) return void again();
      life.submit({ type: "fall-update", update }).then(() => {
        tell(`${update.id} is accepted`);
        oracle.acceptedUpdates.add(detectionId);
      }, again);
    };
    hand();
    if (chanceOfLying.happens(0.3)) time.after(chanceOfLying.spread(second, 2 * hour), hand);
  }

  /** A gateway's word on a dwelling's activity: handed in until it is accepted, now and then twice. */
  function tellWelfare(dwelling: string, event: "inactive" | "active"): void {
    const at = Math.max(0, Math.round(time.wall));
    const id = `run.${++welfares}`;
    const more = event === "inactive" ? { since: Math.max(0, at - 90 * minute), limitMinutes: 60 } : {};
    const hand = () => {
      const again = () => time.after(chanceOfLying.spread(300, 5 * second), hand);
      if (!life) return void again();
      life
        .submit({ type: "welfare-event", event: { v: 1, id, dwelling, at, event, ...more } })
        .then(() => tell(`${dwelling} ${event} is accepted`), again);
    };
    hand();
    if (chanceOfLying.happens(0.2)) hand();
  }

  function detect(incident: Incident): void {
    const dwelling = plan.dwellings[incident.dwelling];
    const wall = Math.max(0, Math.round(time.wall));
    const late = chanceOfWorld.happens(0.05);
    const impactAt = Math.max(
      0,
      wall - (late ? chanceOfWorld.whole(3 * minute, 5 * hour) : chanceOfWorld.whole(second, 40 * second)),
    );
    const { device, kind } = incident;
    const detection: Detection = {
      v: 1,
      id: detectionId(device, 7, ++sequence, kind),
      deviceId: device,
      kind,
      strength: kind === "help" || chanceOfWorld.happens(0.6) ? "strong" : "medium",
      reason: kind === "help" ? "help-button" : chanceOfWorld.pick(["at-once", "still", "silent", "soft"]),
      impactAt,
      detectedAt: wall,
      arrivedAt: wall,
      late,
      clockSuspect: false,
      evidence: null,
      model: null,
      test: incident.test,
    };
    oracle.detections.set(detection.id, {
      dwelling: device.startsWith("stranger") ? `device:${device}` : (dwelling?.id ?? ""),
      accepted: false,
    });
    tell(`${device}: ${incident.test ? "test " : ""}${kind}, ${detection.id}`);
    submit(detection);
    const { cancel } = incident;
    if (cancel) {
      time.after(cancel.afterMs, () => {
        tell(`${device}: cancel${cancel.upright ? ", upright" : ""}`);
        life?.cancel(device, Math.round(time.wall), cancel.upright).catch(() => {});
      });
    }
    if (kind === "fall" && chanceOfLying.happens(0.4)) {
      time.after(5 * minute, () => lieLong(detection));
      // Of another store's fall.
      if (chanceOfLying.happens(0.1)) time.after(5 * minute, () => lieLong({ ...detection, id: "watch-0.6.1.fall" }));
    }
    // An answer that was lost, a resend after a reboot: the same id at any time.
    const copies = chanceOfWorld.happens(0.35) ? chanceOfWorld.whole(1, 3) : 0;
    for (let i = 0; i < copies; i++) time.after(chanceOfWorld.spread(1, 20 * hour), () => submit(detection));
  }

  const users: ConsoleUser[] = [
    { name: "eva", role: "operator" },
    { name: "omar", role: "responder" },
  ];

  async function act(episode: EpisodeState, action: ConsoleAction, user: ConsoleUser): Promise<void> {
    const { id, code } = episode.facts;
    const acting = { episodeId: id, user: user.name, action: action.action };
    oracle.acting.add(acting);
    try {
      const refused = await life?.act(id, action, user);
      oracle.acting.delete(acting);
      tell(`${user.name} at the console: ${code} ${action.action}${refused ? `, refused: ${refused}` : ""}`);
    } catch {
      // The page says so, and whoever clicked does it again.
    }
  }

  /** Somebody looks at the console and does something about one alarm, or ends all. */
  async function look(endAll: boolean): Promise<void> {
    const open = (life?.board() ?? []).filter(({ status }) => status !== "closed");
    if (open.length === 0) return;
    if (endAll) {
      for (const episode of open) {
        await act(
          episode,
          { action: "close", outcome: "unknown", reason: "phoned: all is well" },
          users[0] as ConsoleUser,
        );
      }
      return;
    }
    const one = chanceOfWorld.pick(open);
    const user = chanceOfWorld.happens(0.8) ? (users[0] as ConsoleUser) : (users[1] as ConsoleUser);
    await act(
      one,
      chanceOfWorld.pick<ConsoleAction>([
        { action: "take" },
        { action: "take" },
        { action: "on-the-way" },
        { action: "arrived" },
        { action: "cannot" },
        { action: "cannot-get-in" },
        { action: "two-needed" },
        { action: "called-112" },
        { action: "undo" },
        { action: "close", outcome: "no-fall" },
        { action: "close", outcome: "help-call", reason: "phoned: all is well" },
      ]),
      user,
    );
  }

  function happen(trouble: Trouble): void {
    tell(`trouble: ${JSON.stringify(trouble)}`);
    switch (trouble.what) {
      case "crash":
        if (!death) death = { ...trouble };
        break;
      case "restart": {
        const one = life;
        if (!one) return;
        isStopping = true;
        one
          .stop()
          .then(() => {
            tell("the service has stopped");
            if (life === one) away(trouble.awayMs);
          })
          .catch(() => {});
        break;
      }
      case "store-fails":
        storeFails = trouble.reads ? "all" : "writes";
        time.after(trouble.forMs, () => {
          storeFails = "no";
          tell("the store works again");
          troubled();
        });
        break;
      case "provider":
        mood = trouble.mood;
        time.after(trouble.forMs, () => {
          mood = "good";
          tell("the provider is itself again");
        });
        break;
      case "jump": {
        const { by } = trouble;
        const byMs =
          by === "1970" ? 1_000_000 - time.wall : by === "2038" ? Date.parse("2038-01-19T03:14:00Z") - time.wall : by;
        jump(byMs);
        if (trouble.backAfterMs !== null) time.after(trouble.backAfterMs, () => jump(-byMs));
        break;
      }
      case "equipment": {
        const { kind, subject } = trouble;
        const since = Math.max(0, Math.round(time.wall));
        deliver(
          0,
          () => life?.raise({ kind, subject, since }),
          () => {},
        );
        time.after(trouble.forMs, () =>
          deliver(
            0,
            () => life?.end({ kind, subject }),
            () => {},
          ),
        );
        break;
      }
      case "welfare": {
        const dwelling = plan.dwellings[trouble.dwelling]?.id ?? "";
        tellWelfare(dwelling, "inactive");
        time.after(trouble.forMs, () => tellWelfare(dwelling, "active"));
        if (trouble.again) time.after(trouble.forMs + minute, () => tellWelfare(dwelling, "inactive"));
        break;
      }
      case "sign-on": {
        const startsAt = Math.max(0, Math.round(time.wall));
        const { responderId } = trouble;
        const signOn = { responderId, rotaIds: ["nights"], startsAt, endsAt: startsAt + 8 * hour };
        deliver(
          0,
          () => life?.askSignOn(signOn),
          () => {},
        );
        break;
      }
      case "asleep":
        staff.sleep(time.now + trouble.forMs);
        break;
    }
  }

  function jump(wantedMs: number): void {
    // No machine's clock stands before 1970.
    const byMs = Math.max(wantedMs, 1_000_000 - time.wall);
    time.jump(byMs);
    oracle.jumped(byMs);
    if (!life) oracle.jumpedUnseen();
    else isFollowed = false;
    troubledUntil = time.now + 3 * second;
    tell(`the clock is set by ${Math.round(byMs / 1000)} s`);
  }

  async function register(): Promise<void> {
    const at = Math.round(time.wall);
    // Some were just put up: operators are asked first.
    const chanceOfOperation = draw(seed, 77);
    await storeItself.registry.addDevices(
      plan.dwellings.flatMap(({ id, alias, devices }) =>
        devices.map((deviceId) => ({
          device: {
            deviceId,
            placement: "wrist" as const,
            secretHash: "0",
            revoked: false,
            dwellingId: id,
            room: null,
            addedAt: at,
            lastSeenAt: null,
            online: null,
            battery: null,
            gatewayId: null,
          },
          dwelling: { id, alias, area: "Norrby", room: null, unit: null },
          consentBy: "eva",
          ...(chanceOfOperation.happens(0.15) ? {} : simulatedFleet),
        })),
      ),
      { at, by: "eva" },
    );
  }

  return {
    async begin(): Promise<void> {
      tell(
        `seed ${seed}: ${plan.shape}, ${plan.dwellings.length} dwellings, from ${new Date(plan.wallStart).toISOString()}`,
      );
      await register();
      start();
      for (const incident of plan.incidents) {
        time.at(incident.at, () => detect(incident));
        for (const after of incident.repeats) time.at(incident.at + after, () => detect(incident));
        const looks = chanceOfWorld.whole(0, 2);
        for (let i = 0; i < looks; i++) {
          time.at(incident.at + chanceOfWorld.spread(minute, 2 * hour), () => void look(false));
        }
        time.at(incident.at + chanceOfWorld.spread(30 * minute, 4 * hour), () => void look(true));
        if (chanceOfWorld.happens(0.2)) {
          time.at(incident.at + chanceOfWorld.spread(minute, 30 * minute), () => {
            const open = [...oracle.watched.values()].find(({ status }) => status !== "closed");
            say({
              from: strangersPhone,
              code: open?.code ?? "234",
              letter: "T",
              body: compose(chanceOfWorld, open?.code ?? "234", "T"),
            });
          });
        }
      }
      for (const trouble of plan.troubles) time.at(trouble.at, () => happen(trouble));
    },
    maySkip: () => plan.shape !== "ticking" && storeFails === "no" && time.now >= troubledUntil,
    hasWritten(): boolean {
      const was = written;
      written = false;
      return was;
    },
    /** After each step: whether the service can be held to its time. */
    look(): void {
      const isUp = life !== null && !life.isDead && !isStopping && storeFails === "no" && underWay < saturatedAt;
      if (isUp && !oracle.isUp) troubled();
      oracle.isUp = isUp;
      for (const one of oracle.watched.values()) {
        if (one.status !== "closed" && one.state.nextPageNumber > plan.mostPages && !ending) {
          ending = true;
          time.after(second, () => void look(true).finally(() => (ending = false)));
        }
      }
    },
  };
}

function inWords({ input, pages }: EpisodeChange): string {
  const what =
    input.type === "due"
      ? `due ${input.purpose}`
      : input.type === "reply"
        ? `${input.responderId} says ${input.letter}`
        : input.type === "page-result"
          ? `${input.pageId} ${input.result.outcome}`
          : input.type === "receipt"
            ? `${input.pageId} ${input.status}`
            : input.type === "console"
              ? `${input.user.name} does ${input.action.action}`
              : input.type;
  return `${what}${pages.length > 0 ? ` ⇒ ${pages.map(({ responderId, purpose }) => `${responderId} (${purpose})`).join(", ")}` : ""}`;
}
