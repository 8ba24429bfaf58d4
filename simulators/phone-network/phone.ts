import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { Behaviour } from "./behaviour.ts";
import type { WebhookResult } from "./webhook.ts";

/** A message in a phone's inbox. */
export interface InboxMessage {
  at: WallMs;
  from: string;
  body: string;
  sid: string;
}

/** A phone on the network. */
export interface Phone {
  readonly number: string;
  /** What it received, oldest first. */
  readonly inbox: readonly InboxMessage[];
  /**
   * Sends an SMS to `to`, by default the number that texted this phone last.
   * Resolves when the account's webhook has answered; null where the network kept the message to itself (a swallowed keyword, or a number without webhook).
   * Throws where there is nobody to reply to.
   */
  reply(text: string, to?: string): Promise<WebhookResult | null>;
  /** Changes how messages to this phone fare from now on. */
  behave(behaviour: Partial<Behaviour>): void;
  /** The same, for the next message only; several calls queue up. */
  behaveOnce(behaviour: Partial<Behaviour>): void;
  /** Calls the listener for each message that arrives. Returns how to stop. */
  onMessage(listener: (message: InboxMessage) => void): () => void;
}

export interface PhoneOptions {
  behaviour?: Partial<Behaviour>;
  /** A line that takes no SMS: the API refuses it with 21614. */
  landline?: boolean;
}
