import type { CertificateInForce } from "../../firmware-contracts/credential-files.ts";

/** Why a device's connection ended. */
export type OfflineReason = "disconnected" | "connection-lost" | "taken-over" | "shut-out";

/** What a device shows at the door: its secret, or a certificate that was checked already and names the device. */
export type Proof = { secret: string } | "certificate";

/** By what a device was let in. `new-secret`: by one that replaces another, which was valid until now. */
export type Admission = "secret" | "new-secret" | "certificate";

/** What a broker asks of the gateway, and tells it. */
export interface BrokerHandlers {
  /** By what this device may come in, or null where it may not. Rejects only where it cannot be checked now. */
  admits(deviceId: string, proof: Proof): Promise<Admission | null>;
  /**
   * A publish of an admitted device. What must be durable is durable when this returns or resolves: only then is it acknowledged.
   * A rejection closes the connection without an acknowledgement, and the device sends again.
   * `heldAtMostMs`: a broker that keeps messages for an absent gateway may have kept this one so long.
   */
  publish(
    deviceId: string,
    topic: string,
    payload: Uint8Array,
    isWill: boolean,
    heldAtMostMs?: number,
  ): Promise<void> | undefined;
  /** A frame of an admitted device on its own topic, for the short way: as `publish`, of `bytes` from `from` to `to`, which are its for the time of the call. */
  frame(deviceId: string, bytes: Buffer, from: number, to: number): Promise<void> | undefined;
  online(deviceId: string, admission: Admission): void;
  offline(deviceId: string, why: OfflineReason): void;
}

/** Where devices connect. */
export interface Broker {
  start(): Promise<void>;
  /** Closes all connections; takes 2 s at most. */
  stop(): Promise<void>;
  /** `mqtt://host:port`, once started. */
  readonly url: string;
  /** `mqtts://host:port`, once started, where it listens with TLS too. */
  readonly tlsUrl?: string | null;
  readonly listening: boolean;
  /** What keeps devices from being heard, in words, where it is more than that the broker does not listen. */
  readonly trouble?: string | null;
  /** Certificates that it shows and trusts, where it listens with TLS. */
  certificates?(): CertificateInForce[];
  /** Ids of the devices that are connected now. */
  connected(): string[];
  /** Sends one message to a device that is there to hear it: at most once, not retained, not kept. */
  send(topic: string, payload: Uint8Array): void;
  /** Ends a device's connection, as when it was revoked. */
  shutOut(deviceId: string): void;
  /** For a broker that must be asked for each device's messages: whose it shall hand on from now on. */
  follow?(deviceIds: readonly string[]): void;
}
