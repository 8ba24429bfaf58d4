import type { SendResult } from "../episode-state.ts";

/** A page as a provider gets it. */
export interface OutgoingPage {
  /** Comes back with each receipt. */
  pageId: string;
  /** E.164 */
  phone: string;
  body: string;
}

/**
 * One way to reach a phone. `send` never rejects and never retries: what to do with its word is the episode's to decide.
 * `accepted` is the provider's word for "I have it", not for "it arrived": that is the receipt's.
 * A reason is a short code of a fixed list or the provider's own number, never content and never a phone number.
 */
export interface Channel {
  readonly name: string;
  send(page: OutgoingPage): Promise<SendResult>;
}
