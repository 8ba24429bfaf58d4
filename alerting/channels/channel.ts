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
 * One way to reach a phone: a provider and what it carries, an SMS or a call that reads the text out. test/alerting/channel-suite.ts holds each to this:
 *
 * - `send` never rejects and never retries: what to do with its word is the episode's to decide. It gives up by itself in the end;
 *   the dispatcher does so sooner.
 * - `accepted` is the provider's word for "I have it", with an id of its own for it. It is not "it arrived": that is the receipt's.
 * - `retryable`: surely not accepted, and the same may work soon; `retryAfterMs` where the provider says when.
 * - `permanent`: surely not accepted, and the provider itself says that it never will be. `fault: "phone"` where that holds for every text to
 *   this phone, which flags the contact; without it our own number, account or text is at fault.
 * - `unknown`: all else, so that nobody takes for unsent what may have been sent.
 * - A reason is a short code of a fixed list or the provider's own number, never content and never a phone number.
 *
 * What comes back takes the provider's own way in, a webhook or a poll, which believes nothing that is not signed or fetched from the provider:
 *
 * - A receipt names the page (`InboundReceipt.pageId`), also where it is faster than the answer to `send`. A call that rang out is `undelivered`.
 * - A reply (`InboundReply`) carries the provider's id, which stays the same when it is handed in again, and `writtenAt` where the provider tells
 *   when it was written: one that hands a reply in again for hours (46elks does for six) would else let an old one count. Keys pressed in a
 *   call are a reply with the letter as its body, and the call's id and the key as its id.
 * - It is acknowledged to the provider only when it is committed.
 */
export interface Channel {
  /** As `twilio-sms`: provider and kind. */
  readonly name: string;
  send(page: OutgoingPage): Promise<SendResult>;
}
