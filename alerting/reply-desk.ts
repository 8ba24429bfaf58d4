import type { Clock } from "../firmware-contracts/clock.ts";
import type { Board } from "./board.ts";
import type { AlertingConfig } from "./config.ts";
import type { Counters } from "./counters.ts";
import { cryptoDraws, type Draws } from "./draws.ts";
import type { EpisodeState, ReceiptStatus } from "./episode-state.ts";
import type { Keeper } from "./keeper.ts";
import { aimReply, longestReply, readReply } from "./replies.ts";
import type { NewPage, ReplyRow, Store } from "./store/store.ts";

/** A codeless reply counts only where no other episode of that phone was open in this time, ms. */
const recentMs = 30 * 60_000;
/** Codes that are none, from one phone: after this many in this time it gets no answers. */
const guesses = { most: 5, withinMs: 10 * 60_000 };

/** An SMS from outside, whose signature was right. */
export interface InboundReply {
  /** The provider's id: the same one twice is one reply. */
  providerId: string;
  from: string;
  body: string;
}

export interface InboundReceipt {
  pageId: string;
  providerId: string;
  status: ReceiptStatus;
  errorCode: string | null;
}

/** Takes in what comes back from phones. Each is committed when its promise resolves. */
export interface ReplyDesk {
  reply(inbound: InboundReply): Promise<void>;
  receipt(receipt: InboundReceipt): Promise<void>;
}

export function createReplyDesk(options: {
  config: AlertingConfig;
  store: Store;
  keeper: Keeper;
  board: Board;
  clock: Clock;
  counters: Counters;
  wake(): void;
  draws?: Draws;
}): ReplyDesk {
  const { config, store, keeper, board, clock, counters, draws = cryptoDraws } = options;
  const byPhone = new Map(config.responders.map((responder) => [responder.phone, responder]));

  async function reply({ providerId, from, body }: InboundReply): Promise<void> {
    const responder = byPhone.get(from);
    // Whoever is no responder changes nothing and is not answered.
    if (!responder) return counters.count("reply.unknown-sender");
    if (body.length > longestReply) return counters.count("reply.too-long");
    const read = readReply(body);
    await keeper.inTurn(async (apply) => {
      if (await store.pages.hasReply(providerId)) return counters.count("reply.again");
      const now = Math.round(clock.wallNow());
      const row = (effect: ReplyRow["effect"], letter: string | null = read.letter): ReplyRow => ({
        providerId,
        responderId: responder.id,
        letter,
        effect,
      });
      if (read.stop) {
        counters.count("reply.stop");
        return store.pages.commitLooseReply(row("stop", null), null, now);
      }
      const own = board.states().filter((state) => state.paged.includes(responder.id));
      const open = own.filter((state) => state.status !== "closed");
      const recent = own.filter((state) => state.closedAt === null || state.closedAt >= now - recentMs);
      const codes = (states: EpisodeState[]) => states.map(({ facts }) => ({ episodeId: facts.id, code: facts.code }));
      const newestFirst = [...own].sort((a, b) => b.openedAt - a.openedAt);
      const target = aimReply(read, codes([...open, ...newestFirst]), codes(open), codes(recent));
      if (target.ok) {
        const { episodeId, letter } = target;
        counters.count("reply.applied");
        await apply(episodeId, { type: "reply", responderId: responder.id, letter }, { reply: row("applied", letter) });
        return;
      }
      const { problem, code, example } = target;
      counters.count(`reply.${problem}`);
      const guessed =
        problem === "unknown-code" ? await store.pages.unknownCodesSince(responder.id, now - guesses.withinMs) : 0;
      if (guessed >= guesses.most) return store.pages.commitLooseReply(row("unanswered"), null, now);
      const language = responder.language ?? config.language;
      const answer: NewPage = {
        id: `a${draws.id()}`,
        responderId: responder.id,
        purpose: "answer",
        step: 0,
        language,
        body: keeper.writer.writeLoose(
          problem === "unknown-code" ? { kind: problem, code } : { kind: problem, example },
          language,
        ),
      };
      await store.pages.commitLooseReply(row(problem), answer, now);
      options.wake();
    });
  }

  async function receipt(received: InboundReceipt): Promise<void> {
    const { pageId, providerId, status, errorCode } = received;
    await keeper.inTurn(async (apply) => {
      const page = await store.pages.page(pageId);
      if (!page) return counters.count("receipt.unknown-message");
      if (await store.pages.hasReceipt(providerId, status)) return counters.count("receipt.again");
      counters.count(`receipt.${status}`);
      if (page.episodeId === null) return store.pages.commitLooseReceipt(received, Math.round(clock.wallNow()));
      const { responderId, purpose } = page;
      await apply(
        page.episodeId,
        { type: "receipt", pageId, responderId, purpose, status, errorCode },
        { receipt: received },
      );
    });
  }

  return { reply, receipt };
}
