import { connect, ErrorWithReasonCode, type MqttClient, Store } from "mqtt";
import type { Clock } from "../../firmware-contracts/clock.ts";

export interface ConnectionOptions {
  clock: Clock;
  /** `mqtt://host:port` or `mqtts://…`. */
  url: string;
  deviceId: string;
  secret: string;
  /** Topic and payload that the broker publishes when the connection breaks without a goodbye. */
  will: { topic: string; payload: string };
  /** Wait before each new try, ms of the clock. */
  reconnectMs: number;
  keepAliveSeconds: number;
  onConnect(): void;
  onLost(): void;
  /** The broker does not want this device: it is not asked again. */
  onRefused(error: Error): void;
}

/** An MQTT 3.1.1 session that comes back by itself until it is ended. */
export interface Connection {
  readonly connected: boolean;
  /** Publishes with QoS 1. Resolves at the PUBACK, over any number of reconnects; rejects where the session ended before it came. */
  publish(topic: string, payload: Uint8Array | string): Promise<void>;
  /** Loses the network: the socket goes without a goodbye, and no new one is tried until `restore`. */
  lose(): void;
  restore(): void;
  /** Ends for good: with a DISCONNECT (the will is not sent) where nothing waits for its PUBACK, or as a power cut would (it is). */
  end(how: "goodbye" | "power-cut"): Promise<void>;
}

/** The package sends again without DUP, which MQTT 3.1.1 (3.3.1.1) demands of a publish that is sent again. */
class MarkingStore extends Store {
  #kept = new Map<number | undefined, Parameters<Store["put"]>[0]>();

  override put(...[packet, done]: Parameters<Store["put"]>) {
    this.#kept.set(packet.messageId, packet);
    return super.put(packet, done);
  }

  override del(...[packet, done]: Parameters<Store["del"]>) {
    this.#kept.delete(packet.messageId);
    return super.del(packet, done);
  }

  /** Called at each connect, for what is to be sent again. */
  override createStream() {
    for (const packet of this.#kept.values()) if (packet.cmd === "publish") packet.dup = true;
    return super.createStream();
  }
}

/** Opens a session. What was published and not acknowledged is published again, in order and as a duplicate, after each reconnect. */
export function openConnection(options: ConnectionOptions): Connection {
  const { clock, deviceId } = options;
  let ended = false;
  let hasNetwork = true;
  let callOffRetry = () => {};
  const waiting = new Set<(error: Error) => void>();

  // reconnect() forgets what waits for a PUBACK unless it is handed the same stores again.
  const stores = { incomingStore: new Store(), outgoingStore: new MarkingStore() };
  const client: MqttClient = connect(options.url, {
    protocolVersion: 4,
    clientId: deviceId,
    username: deviceId,
    password: options.secret,
    // With clean: true and a reconnect of our own, the package throws away what is not acknowledged yet.
    clean: false,
    ...stores,
    reconnectPeriod: 0,
    keepalive: options.keepAliveSeconds,
    will: { topic: options.will.topic, payload: Buffer.from(options.will.payload), qos: 1, retain: false },
  });

  client.on("connect", () => options.onConnect());
  client.on("error", (error) => {
    // 1 to 5 are CONNACK's refusals (MQTT 3.1.1, table 3.1); 3 is "server unavailable" and worth another try. Other errors are the network's.
    const refused = error instanceof ErrorWithReasonCode && error.code >= 1 && error.code <= 5 && error.code !== 3;
    if (!refused || ended) return;
    void end("power-cut");
    options.onRefused(new Error(`The broker refuses ${deviceId}: ${error.message}`));
  });
  client.on("close", () => {
    options.onLost();
    retry();
  });

  function retry(): void {
    callOffRetry();
    if (ended || !hasNetwork) return;
    callOffRetry = clock.after(options.reconnectMs, () => {
      if (!ended && hasNetwork && !client.connected) client.reconnect(stores);
    });
  }

  async function end(how: "goodbye" | "power-cut"): Promise<void> {
    if (ended) return;
    ended = true;
    callOffRetry();
    if (how === "power-cut") client.stream?.destroy();
    // A polite end waits for every PUBACK; where one is owed that may never come, there is no politeness.
    await client.endAsync(how === "power-cut" || !client.connected || waiting.size > 0);
    for (const reject of waiting) reject(new Error(`${deviceId}: the session ended before the PUBACK`));
    waiting.clear();
  }

  return {
    get connected() {
      // A destroyed socket takes a moment to be noticed by the client.
      return client.connected && hasNetwork && !ended;
    },
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        waiting.add(reject);
        client.publish(topic, payload as Buffer | string, { qos: 1 }, (error) => {
          waiting.delete(reject);
          if (error) reject(error);
          else resolve();
        });
      }),
    lose() {
      hasNetwork = false;
      callOffRetry();
      client.stream?.destroy();
    },
    restore() {
      hasNetwork = true;
      retry();
    },
    end,
  };
}
