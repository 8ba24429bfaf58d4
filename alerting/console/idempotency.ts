import { createHash, createHmac, createSecretKey, hkdfSync } from "node:crypto";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { seal, unseal } from "../sealing/seal.ts";
import type { AccessStore } from "../store/store.ts";
import { Refusal } from "./problems.ts";

/** Who asks again later than this asks anew, ms. */
export const keptMs = 24 * 3600_000;
/** A longer answer isn't kept: asked again, its caller is told to look. */
const longestAnswer = 64 * 1024;
const keyShape = /^[\x21-\x7e]{16,128}$/;

/** What was answered, problems too. */
export interface Answered {
  status: number;
  type: string | null;
  body: string | null;
}

/** Lets a request with an idempotency key do its work once. */
export interface Idempotency {
  /**
   * What `work` answers, or what it answered when the same account first asked with the same key. `work` never rejects.
   * @throws {Refusal} where the key came with something else before, or nobody knows what came of it.
   */
  once(
    key: string,
    account: string,
    asked: string,
    work: () => Promise<Answered>,
  ): Promise<Answered & { isAgain: boolean }>;
}

/**
 * Answers are kept sealed by the key itself, of which the store has only a hash: some hold what is shown once, or a resident's name. What is under way is in
 * memory; what the store has as begun, and nobody here is at, was cut off by a stop, and isn't done again.
 */
export function createIdempotency(store: () => AccessStore, clock: Clock): Idempotency {
  const underWay = new Map<string, { fingerprint: string; answer: Promise<Answered> }>();
  const mismatch = () =>
    new Refusal(422, "idempotency-mismatch", "This Idempotency-Key came with another request; use a new one");
  const unknown = () =>
    new Refusal(
      409,
      "idempotency-unknown",
      "This was begun before, and what came of it is not known: look, and use a new Idempotency-Key where it was not done",
    );

  async function begin(id: string, account: string, fingerprint: string): Promise<string | null> {
    const at = Math.round(clock.wallNow());
    const begun = await store().beginAnswer({ id, account, fingerprint, at }, at - keptMs);
    if (begun === null) return null;
    if (begun.fingerprint !== fingerprint) throw mismatch();
    if (begun.sealed === null) throw unknown();
    return begun.sealed;
  }

  return {
    async once(header, account, asked, work) {
      // Some clients send it as a structured field, in quotes.
      const key = header.replace(/^"(.*)"$/, "$1");
      if (!keyShape.test(key)) {
        throw new Refusal(400, "invalid", "Idempotency-Key: 16 to 128 characters that nobody guesses, such as a UUID");
      }
      const of = (what: string) => Buffer.from(hkdfSync("sha256", key, account.toLowerCase(), what, 32));
      const id = createHash("sha256").update(of("id")).digest("base64url");
      const fingerprint = createHmac("sha256", of("fingerprint")).update(asked).digest("base64url");
      const keyOfAnswer = () => createSecretKey(of("answer"));
      const place = { table: "answers", row: id, column: "sealed" };
      const other = underWay.get(id);
      if (other) {
        if (other.fingerprint !== fingerprint) throw mismatch();
        return { ...(await other.answer), isAgain: true };
      }
      let isAgain = false;
      async function answer(): Promise<Answered> {
        const sealed = await begin(id, account, fingerprint);
        if (sealed !== null) {
          isAgain = true;
          return JSON.parse(unseal(keyOfAnswer(), sealed, place).toString("utf8")) as Answered;
        }
        const answered = await work();
        const text = JSON.stringify(answered);
        // Where it cannot be kept, what was done is done: the answer is told all the same, and a second try is refused.
        if (text.length <= longestAnswer)
          await store()
            .keepAnswer(id, seal(keyOfAnswer(), text, place))
            .catch(() => undefined);
        return answered;
      }
      const first = answer();
      underWay.set(id, { fingerprint, answer: first });
      try {
        return { ...(await first), isAgain };
      } finally {
        underWay.delete(id);
      }
    },
  };
}
