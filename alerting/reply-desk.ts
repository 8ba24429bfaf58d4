import type { Clock } from "../firmware-contracts/clock.ts";
import type { Board } from "./board.ts";
import type { AlertingConfig, ResponderConfig } from "./config.ts";
import { mayReopen } from "./console-acts.ts";
import type { Counters } from "./counters.ts";
import { cryptoDraws, type Draws } from "./draws.ts";
import type { EpisodeInput, EpisodeState, ReceiptStatus } from "./episode-state.ts";
import type { Keeper } from "./keeper.ts";
import type { LooseMessage } from "./messages/message.ts";
import { holdsKeyNumber, isKeyNumber, type ReadBack, readBackOf } from "./read-back.ts";
import { aimReply, longestReply, type ReadReply, readReply } from "./replies.ts";
import type { NewPage, PageRow, ReceiptRow, ReplyRow, Store } from "./store/store.ts";

/** A codeless reply counts only where no other episode of that phone was open in this time, ms. */
const recentMs = 30 * 60_000;
/** A reply that was written longer ago than this changes nothing, ms: a provider may have held it for hours. */
const latestMs = 10 * 60_000;
/** Codes that are none, from one phone: after this many in this time it gets no answers. */
const guesses = { most: 5, withinMs: 10 * 60_000 };

/** An SMS from outside, whose signature was right. */
export interface InboundReply {
  /** The provider's id: the same one twice is one reply. */
  providerId: string;
  from: string;
  body: string;
  /** When it was written, wall ms, where the provider says so: one that took long changes nothing. */
  writtenAt?: number;
}

export interface InboundReceipt {
  pageId: string;
  providerId: string;
  status: ReceiptStatus;
  errorCode: string | null;
  /** The error says that no text will ever get there. */
  lost?: boolean;
}

/** Takes in what comes back from phones. Each is committed when its promise resolves. */
export interface ReplyDesk {
  reply(inbound: InboundReply): Promise<void>;
  receipt(receipt: InboundReceipt): Promise<void>;
}

interface Taken {
  providerId: string;
  responder: ResponderConfig;
  read: ReadReply;
  body: string;
  writtenAt: number | undefined;
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

  async function reply({ providerId, from, body, writtenAt }: InboundReply): Promise<void> {
    const responder = byPhone.get(from);
    // Whoever is no responder changes nothing and is not answered.
    if (!responder) return counters.count("reply.unknown-sender");
    if (body.length > longestReply) return counters.count("reply.too-long");
    const read = readReply(body);
    // Before the reply is kept: where this fails the provider's second try must do it again.
    if (read.stop) await keeper.contactLost(responder.id, "stop");
    if (read.start) await keeper.contactBack(responder.id);
    await keeper.inTurn((apply) => takeReply({ providerId, responder, read, body, writtenAt }, apply));
  }

  /** The key number that was read back for a device's test alarm, held against the register as it is now. */
  async function takeReadBack(
    { episodeId, said }: ReadBack,
    { responder, row }: { responder: ResponderConfig; row: ReplyRow },
    apply: Keeper["apply"],
  ): Promise<boolean> {
    const facts = board.states().find(({ facts: one }) => one.id === episodeId)?.facts;
    const found = facts?.detection ? await store.registry.device(facts.detection.deviceId) : null;
    const test = facts?.testAlarm && (await store.operation.findTestById(facts.testAlarm.id));
    if (!test || test.endedAt !== null || found?.dwelling?.id !== test.dwellingId) return false;
    const isRight = isKeyNumber(said, found.dwelling.alias);
    // A word alone is an answer of another kind.
    if (!isRight && !holdsKeyNumber(said)) return false;
    counters.count(isRight ? "reply.read-back.right" : "reply.read-back.wrong");
    const { id: testId } = test;
    await apply(
      episodeId,
      { type: "read-back", responderId: responder.id, isRight },
      { reply: row, operationTest: isRight ? { testId, what: "passed", by: responder.id } : { testId, what: "wrong" } },
    );
    return true;
  }

  async function takeReply(
    { providerId, responder, read, body, writtenAt }: Taken,
    apply: Keeper["apply"],
  ): Promise<void> {
    if (await store.pages.hasReply(providerId)) return counters.count("reply.again");
    const now = Math.round(clock.wallNow());
    const row = (effect: ReplyRow["effect"], letter: string | null = read.letter): ReplyRow => ({
      providerId,
      responderId: responder.id,
      letter,
      effect,
    });
    async function answer(effect: ReplyRow["effect"], message: LooseMessage): Promise<void> {
      const language = responder.language ?? config.language;
      const body = keeper.writer.writeLoose(message, language);
      const page: NewPage = {
        id: `a${draws.id()}`,
        responderId: responder.id,
        purpose: "answer",
        step: 0,
        language,
        body,
      };
      await store.pages.commitLooseReply(row(effect), page, now);
      options.wake();
    }
    if (read.stop || read.start) {
      const effect = read.stop ? "stop" : "start";
      counters.count(`reply.${effect}`);
      return store.pages.commitLooseReply(row(effect, null), null, now);
    }
    if (writtenAt !== undefined && now - writtenAt > latestMs) {
      counters.count("reply.late");
      return answer("late", { kind: "late" });
    }
    const own = board.states().filter((state) => state.paged.includes(responder.id));
    const open = own.filter((state) => state.status !== "closed");
    const recent = own.filter((state) => state.closedAt === null || state.closedAt >= now - recentMs);
    const codes = (states: EpisodeState[]) => states.map(({ facts }) => ({ episodeId: facts.id, code: facts.code }));
    const newestFirst = [...own].sort((a, b) => b.openedAt - a.openedAt);
    const isAwaited = ({ facts, status }: EpisodeState) => facts.testAlarm?.purpose === "device" && status !== "closed";
    const readBack = readBackOf(body, codes(own.filter(isAwaited)), codes(own.filter((one) => !isAwaited(one))));
    if (readBack) {
      if (await takeReadBack(readBack, { responder, row: row("applied", null) }, apply)) return;
      counters.count("reply.applied");
      const input: EpisodeInput = { type: "reply", responderId: responder.id, letter: read.letter };
      await apply(readBack.episodeId, input, { reply: row("applied") });
      return;
    }
    const target = aimReply(read, codes([...open, ...newestFirst]), codes(open), codes(recent));
    if (target.ok) {
      const { episodeId, letter } = target;
      counters.count("reply.applied");
      const input: EpisodeInput = {
        type: "reply",
        responderId: responder.id,
        letter,
        ...(read.minutes === null ? {} : { minutes: read.minutes }),
        ...(letter === "Z" ? { mayReopen: mayReopen(board.states(), episodeId) } : {}),
      };
      await apply(episodeId, input, { reply: row("applied", letter) });
      return;
    }
    const { problem, code, example } = target;
    counters.count(`reply.${problem}`);
    if (problem === "code-needed") return answer(problem, { kind: problem, example });
    const guessed = await store.pages.unknownCodesSince(responder.id, now - guesses.withinMs);
    if (guessed >= guesses.most) return store.pages.commitLooseReply(row("unanswered"), null, now);
    return answer(problem, { kind: problem, code });
  }

  async function receipt(received: InboundReceipt): Promise<void> {
    const { pageId, providerId, status, errorCode, lost = false } = received;
    await keeper.inTurn(async (apply) => {
      const page = await store.pages.page(pageId);
      if (!page) return counters.count("receipt.unknown-message");
      if (await store.pages.hasReceipt(providerId, status)) return counters.count("receipt.again");
      counters.count(`receipt.${status}`);
      const row = { pageId, providerId, status, errorCode };
      if (page.episodeId === null) return store.pages.commitLooseReceipt(row, Math.round(clock.wallNow()));
      // The receipt itself is kept last: where this is cut off, the provider's second try does the rest again.
      for (const other of await store.pages.sentWith(pageId)) await follow(other);
      await follow(page, row);

      async function follow({ id, episodeId, responderId, purpose }: PageRow, also?: ReceiptRow): Promise<void> {
        if (episodeId === null) return;
        const input: EpisodeInput = {
          type: "receipt",
          pageId: id,
          responderId,
          purpose,
          status,
          errorCode,
          ...(lost ? { lost } : {}),
        };
        await apply(episodeId, input, { receipt: also ?? { ...row, pageId: id, providerId: `${providerId}.${id}` } });
      }
    });
  }

  return { reply, receipt };
}
