import type { Aedes, Client, PublishPacket, Subscription } from "aedes";
import { downlinkFilter, uplinkTopic } from "../../firmware-contracts/topics.ts";
import type { Counters } from "../counters.ts";
import type { Allowance } from "./allowance.ts";
import type { Admission, BrokerHandlers } from "./broker.ts";
import { type Caller, isBelowOwn, isOwn, type Permissions, Refused, returnCodes } from "./permissions.ts";

/** Most filters that one device may be subscribed to. */
const maxSubscriptions = 8;
/** Where publishes of devices end inside the broker. No client can subscribe here. */
const sink = "$SYS/taken";
const empty = Buffer.alloc(0);

/**
 * What a device published was taken when it was let pass. aedes would go on to look in its emitter and its store for subscribers of the sink, where there
 * can be none; the sink ends here instead.
 */
export function closeSink(broker: Aedes): void {
  const publish = broker.publish.bind(broker);
  broker.publish = (packet: PublishPacket, ...rest: unknown[]) => {
    const done = rest.at(-1);
    if (packet.topic === sink && typeof done === "function") done();
    else Reflect.apply(publish, broker, [packet, ...rest]);
  };
}

/** Aedes keeps a client's live subscriptions here; its types leave it out. */
type ClientWithSubscriptions = Client & { subscriptions: Record<string, unknown> };

export interface DevicePermissionsOptions {
  handlers: Pick<BrokerHandlers, "admits" | "publish" | "frame">;
  allowance: Allowance;
  counters: Counters;
  /** The connection is to be closed, and its device known as one that floods. */
  onFlood(client: Client): void;
}

/**
 * Each device logs in with its id as client id, and with its secret or a certificate in its name; publishes to its own uplink topics and subscribes
 * below its own `down/`. Nothing that a device publishes reaches another client or is retained: it goes to the gateway alone.
 */
export function createDevicePermissions(options: DevicePermissionsOptions): Permissions {
  const { handlers, allowance, counters, onFlood } = options;

  async function admit(client: Client, caller: Caller): Promise<Admission> {
    const { user, secret, certificate, will } = caller;
    const deviceId = client.id;
    if (certificate === null && (user === undefined || secret === undefined)) {
      throw new Refused("no user name or secret", returnCodes.badUserOrSecret, "no-credentials");
    }
    if (user !== undefined && user !== deviceId) {
      throw new Refused("client id and user name differ", returnCodes.identifierRejected, "client-id");
    }
    if (certificate !== null && certificate !== deviceId) {
      throw new Refused("the certificate is another device's", returnCodes.notAuthorized, "certificate");
    }
    if (will && !isOwn(deviceId, will.topic)) {
      throw new Refused("the will is for another's topic", returnCodes.notAuthorized, "foreign-will");
    }
    let admission: Admission | null;
    try {
      const proof = certificate !== null ? "certificate" : { secret: secret?.toString("utf8") ?? "" };
      admission = await handlers.admits(deviceId, proof);
    } catch {
      throw new Refused("cannot check secrets now", returnCodes.serverUnavailable, "busy");
    }
    if (!admission) {
      const reason = certificate !== null ? "certificate" : "secret";
      throw new Refused("unknown device or wrong secret", returnCodes.badUserOrSecret, reason);
    }
    return admission;
  }

  return {
    admit,
    publish(client, packet, done) {
      const { topic, payload } = packet;
      // Whatever it is, inside the broker it ends here: not retained, not passed on, not stored for anybody.
      packet.topic = sink;
      packet.payload = empty;
      packet.retain = false;
      if (!client) return done(null);
      const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
      // The will of a connection that is gone.
      const isWill = client.closed;
      const hand = () => {
        const taken = handlers.publish(client.id, topic, bytes, isWill);
        if (!taken) return done(null);
        taken.then(
          () => done(null),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      };
      if (isWill) return hand();
      const drop = () => done(new Error("the connection is gone"));
      if (allowance.pass(client.id, client, hand, drop)) return;
      counters.add("publish.refused.flood");
      onFlood(client);
      done(new Error("the device floods"));
    },
    frames(client) {
      const deviceId = client.id;
      return {
        topic: Buffer.from(uplinkTopic(deviceId, "accel")),
        take(bytes, from, to) {
          // Who is too fast is held back on the long way.
          if (!allowance.passAtOnce(deviceId)) return "long-way";
          return handlers.frame(deviceId, bytes, from, to) ?? "taken";
        },
      };
    },
    subscribe(client, subscription: Subscription, done) {
      const held = (client as ClientWithSubscriptions).subscriptions;
      const isKnown = subscription.topic in held;
      if (isBelowOwn(client.id, subscription.topic) && (isKnown || Object.keys(held).length < maxSubscriptions)) {
        return done(null, subscription);
      }
      counters.add("subscribe.refused");
      // aedes keeps refused filters of a persistent session too, so what it keeps is made the device's own.
      subscription.topic = downlinkFilter(client.id);
      done(null, null);
    },
    // A second lock: a device gets only what the gateway itself sent, and only below its own topics.
    mayHear: (client, topic) => isBelowOwn(client.id, topic),
    gone: (client) => allowance.forget(client.id, client),
  };
}
