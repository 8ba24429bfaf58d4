import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Channel, OutgoingPage } from "../../alerting/channels/channel.ts";
import type { SendResult } from "../../alerting/episode-state.ts";
import type { InboundReceipt } from "../../alerting/reply-desk.ts";

/** What the next text meets at the provider. */
export type Encounter =
  /** A refusal of the provider's own that no second try mends: one of `refusals`. */
  | { meets: "refusal"; refusal: string }
  /** Too many in too short a time; `retryAfter` as the header has it, seconds or a date 90 s ahead. */
  | { meets: "too-many"; retryAfter: "30" | "date" | null }
  /** The provider, or something before it, answers with this HTTP status and says nothing of its own. */
  | { meets: "trouble"; status: 500 | 502 | 503 }
  /** Accepted, and no answer ever comes. */
  | { meets: "hang" }
  /** Accepted, and the connection breaks before the answer. */
  | { meets: "accept-then-reset" }
  /** Accepted, and the answer is something that nobody can read. */
  | { meets: "unreadable-answer" };

/** A provider and our channel to it, of one test. */
export interface RunningProvider {
  channel: Channel;
  /** A phone that the provider reaches. */
  phone: string;
  next(encounter: Encounter): void;
  /** Ids of what the provider has accepted. */
  accepted(): string[];
  /** Receipts that came in through our own door for this provider. */
  receipts: readonly InboundReceipt[];
  /** Nobody listens at the provider's address any more. */
  vanish(): Promise<void>;
  close(): Promise<void>;
}

/** What a provider must bring to be put to the test. */
export interface ProviderUnderTest {
  name: string;
  /** Refusals that no second try mends, with the reason that `send` must give. */
  refusals: readonly { name: string; reason: string; fault?: "phone" }[];
  /** @param limitMs when the channel shall give a request up by itself. */
  start(limitMs: number): Promise<RunningProvider>;
}

const limitMs = 600;

/** The contract of a channel (channel.ts), for whatever provider is behind it: over real HTTP and with the provider's own SDK, where it has one. */
export function describeChannel(provider: ProviderUnderTest): void {
  describe(`the channel contract: ${provider.name}`, () => {
    let running: RunningProvider;
    let pages = 0;
    const page = (): OutgoingPage => ({
      pageId: `e1.${++pages}`,
      phone: running.phone,
      body: "LARM FALL 274. Nyckel 38, Gustavsberg syd.",
    });

    beforeEach(async () => {
      running = await provider.start(limitMs);
    });
    afterEach(() => running.close());

    /** Sends one text that meets this. A reason says what was wrong and nothing of whom or what it was about. */
    async function sendInto(encounter: Encounter): Promise<SendResult> {
      running.next(encounter);
      const sent = page();
      const result = await running.channel.send(sent);
      if (result.outcome !== "accepted") {
        expect(result.reason).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
        expect(result.reason).not.toContain(sent.phone.slice(-7));
        expect(result.reason).not.toMatch(/LARM|274|Nyckel/);
      }
      return result;
    }

    test("accepted: with the provider's own id, each text its own", async () => {
      const results = [await running.channel.send(page()), await running.channel.send(page())];
      const ids = results.map((result) => (result.outcome === "accepted" ? result.providerId : ""));
      expect(ids).toEqual(running.accepted());
      expect(new Set(ids).size).toBe(2);
      expect(ids.every((id) => id !== "")).toBe(true);
    });

    test("a receipt comes back with the page's id and the provider's", async () => {
      const sent = page();
      const result = await running.channel.send(sent);
      await until(() => running.receipts.some(({ status }) => status === "delivered"));
      for (const receipt of running.receipts) {
        expect(receipt.pageId).toBe(sent.pageId);
        expect(result).toEqual({ outcome: "accepted", providerId: receipt.providerId });
      }
    });

    test.each(provider.refusals)("$name: permanent, for its reason", async ({ name, reason, fault }) => {
      expect(await sendInto({ meets: "refusal", refusal: name })).toEqual({
        outcome: "permanent",
        reason,
        ...(fault ? { fault } : {}),
      });
      expect(running.accepted()).toEqual([]);
    });

    test("too many: retryable, and not before the provider says", async () => {
      const bare = await sendInto({ meets: "too-many", retryAfter: null });
      expect(bare.outcome).toBe("retryable");
      expect(bare).not.toHaveProperty("retryAfterMs");
      expect(await sendInto({ meets: "too-many", retryAfter: "30" })).toMatchObject({
        outcome: "retryable",
        retryAfterMs: 30_000,
      });
      const dated = await sendInto({ meets: "too-many", retryAfter: "date" });
      const { retryAfterMs = 0 } = dated as { retryAfterMs?: number };
      expect(dated.outcome).toBe("retryable");
      expect(Math.abs(retryAfterMs - 90_000)).toBeLessThanOrEqual(3_000);
    });

    test.each([500, 502, 503] as const)("its own trouble, %i: retryable", async (status) => {
      expect(await sendInto({ meets: "trouble", status })).toMatchObject({ outcome: "retryable" });
      expect(running.accepted()).toEqual([]);
    });

    test("nobody listens: retryable, for nothing can have been sent", async () => {
      await running.vanish();
      expect(await running.channel.send(page())).toMatchObject({ outcome: "retryable", reason: "ECONNREFUSED" });
    });

    test("no answer: unknown after the channel's own limit, and not sooner", async () => {
      const before = performance.now();
      expect(await sendInto({ meets: "hang" })).toMatchObject({ outcome: "unknown" });
      const waited = performance.now() - before;
      expect(waited).toBeGreaterThanOrEqual(limitMs * 0.9);
      expect(waited).toBeLessThan(limitMs * 10);
      // It was sent: whoever had called this "not sent" would be wrong.
      expect(running.accepted()).toHaveLength(1);
    });

    test("accepted, then cut off: unknown", async () => {
      expect(await sendInto({ meets: "accept-then-reset" })).toMatchObject({ outcome: "unknown" });
      expect(running.accepted()).toHaveLength(1);
    });

    test("an answer that nobody can read: unknown", async () => {
      expect(await sendInto({ meets: "unreadable-answer" })).toMatchObject({ outcome: "unknown" });
      expect(running.accepted()).toHaveLength(1);
    });

    test("trouble of one text leaves no trace on the next, nor on one beside it", async () => {
      running.next({ meets: "too-many", retryAfter: "30" });
      const [held, ...others] = await Promise.all([page(), page(), page()].map((one) => running.channel.send(one)));
      expect([held, ...others].filter((result) => result?.outcome === "accepted")).toHaveLength(2);
      expect([held, ...others].filter((result) => result && "retryAfterMs" in result)).toHaveLength(1);
      expect(await running.channel.send(page())).toMatchObject({ outcome: "accepted" });
    });

    test("it never rejects, whatever it is given", async () => {
      for (const phone of ["", "112", "nobody", "+46701740601\r\nBcc: x"]) {
        const result = await running.channel.send({ pageId: "e1.x", phone, body: "" });
        expect(result.outcome).not.toBe("accepted");
      }
    });
  });
}

async function until(what: () => boolean, ms = 5_000): Promise<void> {
  const end = performance.now() + ms;
  while (!what()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
