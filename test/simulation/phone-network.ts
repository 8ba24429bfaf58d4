import type { OutgoingPage } from "../../alerting/channels/channel.ts";
import type { SendResult } from "../../alerting/episode-state.ts";
import type { InboundReceipt } from "../../alerting/reply-desk.ts";
import type { Draw } from "./draw.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** How the provider is disposed for a while. */
export type Mood = "good" | "flaky" | "refusing" | "hanging" | "losing";
/** What a phone is: `dead` takes no text and gives no receipt, `wrong` is refused for good, `refusing` gives an `undelivered`. */
export type PhoneKind = "good" | "dead" | "wrong" | "refusing";

type Fate = "accepted" | "retryable" | "permanent" | "hangs" | "reset" | "throws";

const fates: Record<Mood, Partial<Record<Fate, number>>> = {
  good: { accepted: 1 },
  flaky: { accepted: 60, retryable: 18, hangs: 7, reset: 10, permanent: 3, throws: 2 },
  refusing: { accepted: 3, retryable: 97 },
  hanging: { accepted: 20, hangs: 60, reset: 20 },
  losing: { accepted: 1 },
};

/** Share of texts that arrive, once they are out. */
const arriving: Record<Mood, number> = { good: 0.99, flaky: 0.9, refusing: 0.9, hanging: 0.6, losing: 0.15 };

export interface PhoneNetworkOptions {
  time: VirtualTime;
  draw: Draw;
  mood(): Mood;
  kindOf(phone: string): PhoneKind;
  /** A phone has a text. */
  onText(phone: string, body: string): void;
  onReceipt(receipt: InboundReceipt): void;
}

/** Provider, network and phones. It knows nothing of episodes: only pages, as they are handed to it. */
export interface PhoneNetwork {
  send(page: OutgoingPage): Promise<SendResult>;
  /** The provider blocks a phone that said STOP. */
  block(phone: string): void;
  /** And lets one through again that said START. */
  unblock(phone: string): void;
}

export function createPhoneNetwork(options: PhoneNetworkOptions): PhoneNetwork {
  const { time, draw, mood, kindOf, onText, onReceipt } = options;
  const blocked = new Set<string>();
  let messages = 0;

  function deliver({ pageId, phone, body }: OutgoingPage, providerId: string): void {
    const receipt = (status: InboundReceipt["status"], ms: number, errorCode: string | null = null) => {
      const tell = () => onReceipt({ pageId, providerId, status, errorCode });
      time.after(ms, tell);
      if (draw.happens(0.06)) time.after(ms + draw.spread(10, 600_000), tell);
    };
    const tells = mood() !== "losing" && draw.happens(0.94);
    const kind = kindOf(phone);
    // Out of order now and then: each comes when it comes.
    const sentMs = draw.spread(50, 4_000);
    if (tells && draw.happens(0.04)) receipt("queued", draw.spread(20, 2_000));
    if (tells && draw.happens(0.15)) receipt("sent", sentMs);
    if (kind === "refusing") {
      if (tells) receipt(draw.pick(["undelivered", "failed"]), sentMs + draw.spread(100, 20_000), "30003");
      return;
    }
    if (kind === "dead" || !draw.happens(arriving[mood()])) return;
    const arriveMs = draw.happens(0.9) ? draw.spread(500, 8_000) : draw.spread(8_000, 900_000);
    time.after(arriveMs, () => onText(phone, body));
    if (draw.happens(0.02)) time.after(arriveMs + draw.spread(1_000, 60_000), () => onText(phone, body));
    if (tells && draw.happens(0.6)) receipt("delivered", arriveMs + draw.spread(50, 3_000));
  }

  return {
    block: (phone) => void blocked.add(phone),
    unblock: (phone) => void blocked.delete(phone),
    send(page) {
      const providerId = `SM${String(++messages).padStart(6, "0")}`;
      const answerMs = draw.happens(0.97) ? draw.spread(30, 900) : draw.spread(900, 9_000);
      const answer = (result: SendResult, ms = answerMs) =>
        new Promise<SendResult>((resolve) => void time.after(ms, () => resolve(result)));
      if (blocked.has(page.phone)) return answer({ outcome: "permanent", reason: "21610", fault: "phone" });
      if (kindOf(page.phone) === "wrong") return answer({ outcome: "permanent", reason: "21614", fault: "phone" });
      const fate = draw.weighted(fates[mood()]);
      switch (fate) {
        case "accepted":
          deliver(page, providerId);
          return answer({ outcome: "accepted", providerId });
        case "retryable":
          return answer({
            outcome: "retryable",
            reason: draw.pick(["429", "503", "not-reached"]),
            ...(draw.happens(0.2) ? { retryAfterMs: draw.whole(500, 90_000) } : {}),
          });
        case "permanent":
          return answer({
            outcome: "permanent",
            reason: draw.pick(["21211", "21614"]),
            ...(draw.happens(0.4) ? { fault: "phone" as const } : {}),
          });
        case "hangs":
        case "reset":
          // It may have gone out all the same.
          if (draw.happens(0.5)) deliver(page, providerId);
          if (fate === "hangs") return new Promise(() => {});
          return answer({ outcome: "unknown", reason: "reset" });
        case "throws":
          return new Promise((_, reject) => void time.after(answerMs, () => reject(new Error("socket hang up"))));
      }
    },
  };
}
