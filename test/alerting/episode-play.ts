import { dutyOf } from "../../alerting/duty.ts";
import { step } from "../../alerting/episode.ts";
import type {
  Duty,
  EpisodeCommand,
  EpisodeFacts,
  EpisodeInput,
  EpisodeState,
  Purpose,
} from "../../alerting/episode-state.ts";
import type { letters } from "../../alerting/replies.ts";

export const start = Date.UTC(2026, 10, 24, 2, 12);
export const second = 1_000;
export const minute = 60 * second;

export const facts: EpisodeFacts = {
  id: "e1",
  code: "274",
  dwelling: "d38",
  place: { alias: "38", area: null, areaInTexts: false, room: null },
  kind: "fall",
  test: false,
  since: start - 12_000,
  trouble: null,
  signOn: null,
  operatorsFirstMs: null,
  detection: {
    v: 1,
    id: "w.1.1.fall",
    deviceId: "w",
    kind: "fall",
    strength: "strong",
    reason: "still",
    impactAt: start - 12_000,
    detectedAt: start,
    arrivedAt: start - 11_000,
    late: false,
    clockSuspect: false,
    test: false,
  },
  policy: {
    version: "v",
    steps: [
      { responders: ["p1"], waitMs: 2 * minute },
      { responders: ["p2", "p3"], waitMs: 2 * minute },
    ],
    operators: ["leader"],
    shortestRoundMs: 60_000,
    receiptWithinMs: 20_000,
    setOffWithinMs: 5 * 60_000,
    graceMs: 2 * 60_000,
    arriveWithinMs: 30 * minute,
    outcomeWithinMs: 30 * minute,
  },
};

/** Plays inputs against one episode and keeps what was commanded. */
export class Play {
  state: EpisodeState;
  now = start;
  pages: Extract<EpisodeCommand, { do: "page" }>[] = [];
  commands: EpisodeCommand[] = [];

  /** Who can be paged, from now on. Left out: what the policy says by itself. */
  duty: Duty | undefined;

  constructor(about: Partial<EpisodeFacts> = {}, duty?: Partial<Duty>) {
    this.duty = duty && { ...dutyOf({ ...facts, ...about }.policy), ...duty };
    const input: EpisodeInput = { type: "opened", facts: { ...facts, ...about }, ...this.with };
    const [state, commands] = step(null, input, this.now);
    this.state = state;
    this.take(commands);
  }

  private get with(): { duty?: Duty } {
    return this.duty ? { duty: this.duty } : {};
  }

  private take(commands: EpisodeCommand[]): void {
    this.commands = commands;
    for (const command of commands) if (command.do === "page") this.pages.push(command);
  }

  put(input: EpisodeInput, afterMs = second): this {
    this.now += afterMs;
    const [state, commands] = step(this.state, { ...input, ...this.with }, this.now);
    this.state = state;
    this.take(commands);
    return this;
  }

  reply(responderId: string, letter: (typeof letters)[number] | null, afterMs = second): this {
    return this.put({ type: "reply", responderId, letter }, afterMs);
  }

  /** Waits for the deadline and lets it pass. */
  due(purpose: Purpose): this {
    const at = this.state.due[purpose];
    if (at === undefined) throw new Error(`there is no deadline ${purpose}`);
    return this.put({ type: "due", purpose }, at - this.now);
  }

  result(responderId: string, outcome: "accepted" | "retryable" | "permanent" | "unknown", tries = 1): this {
    const pageId = this.pages.findLast((page) => page.responderId === responderId)?.pageId ?? "";
    const result = outcome === "accepted" ? { outcome, providerId: "SM1" } : { outcome, reason: "r" };
    return this.put({ type: "page-result", pageId, responderId, purpose: "alarm", tries, result });
  }

  receipt(responderId: string, status: "sent" | "delivered" | "undelivered", afterMs = second): this {
    const { pageId = "", purpose = "alarm" } = this.pages.findLast((page) => page.responderId === responderId) ?? {};
    return this.put({ type: "receipt", pageId, responderId, purpose, status, errorCode: null }, afterMs);
  }

  /** Who was paged for what by the last input. */
  get paged(): string[] {
    return this.commands.flatMap((c) => (c.do === "page" ? [`${c.purpose}:${c.responderId}`] : []));
  }

  get answer(): string | undefined {
    return this.commands.flatMap((c) => (c.do === "page" && c.purpose === "answer" ? [c.message.kind] : []))[0];
  }
}
