/** Why a device's connection ended. */
export type OfflineReason = "disconnected" | "connection-lost" | "taken-over" | "shut-out";

/** What a broker asks of the gateway, and tells it. */
export interface BrokerHandlers {
  /** Whether this device may come in with this secret. Never rejects for a wrong one. */
  admits(deviceId: string, secret: string): Promise<boolean>;
  /**
   * A publish of an admitted device. What must be durable is durable when this returns or resolves: only then is it acknowledged.
   * A rejection closes the connection without an acknowledgement, and the device sends again.
   */
  publish(deviceId: string, topic: string, payload: Uint8Array, isWill: boolean): Promise<void> | undefined;
  online(deviceId: string): void;
  offline(deviceId: string, why: OfflineReason): void;
}

/** Where devices connect. */
export interface Broker {
  start(): Promise<void>;
  /** Closes all connections; takes 2 s at most. */
  stop(): Promise<void>;
  /** `mqtt://host:port`, once started. */
  readonly url: string;
  readonly listening: boolean;
  /** What keeps devices from being heard, in words, where it is more than that the broker does not listen. */
  readonly trouble?: string | null;
  /** Ids of the devices that are connected now. */
  connected(): string[];
  /** Ends a device's connection, as when it was revoked. */
  shutOut(deviceId: string): void;
  /** For a broker that must be asked for each device's messages: whose it shall hand on from now on. */
  follow?(deviceIds: readonly string[]): void;
}
