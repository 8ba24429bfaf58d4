import type { AlertingConfig } from "../../alerting/config.ts";
import { callingOut, type PagePurpose } from "../../alerting/episode-state.ts";
import type { Watched } from "./facts.ts";
import type { Oracle } from "./oracle.ts";

/** After a start, a heal or a jump of the clock everything is done within this, ms. */
const settleMs = 10_000;
/** A round of the policy lasts this long at least, ms; operators who are asked first have as long. */
const shortestRoundMs = 60_000;
/** From the reminder to set off until the next are paged, ms. */
const graceMs = 120_000;
/** A call for more people goes out again after this, ms. */
const backupMs = 5 * 60_000;
const slackMs = 5_000;
/** A request that has no answer by then is over, ms. */
const answerMs = 10_000;
/** Texts that call nobody out keep to the provider's pace, and wait while alarms go, ms: the longest for whoever waits for an answer, or is reminded. */
const paceMs = 120_000;
/** For texts that only inform, ms: they go after these. */
const informMs = 10 * 60_000;
const awaited: ReadonlySet<PagePurpose> = new Set(["welfare", "taken", "answer", "reminder"]);
/** Texts about equipment come after all others, ms. */
const lowestMs = 15 * 60_000;

/** What must have happened by now. Asked whenever time has passed, and before anything else happens. */
export function createTimeRules(oracle: Oracle, config: AlertingConfig) {
  const { policy, operators } = config;
  const waits = policy.steps.map(({ waitSeconds }) => waitSeconds * 1000);
  const longestWait = Math.max(...waits, shortestRoundMs);
  const wholeRound = waits.reduce((sum, wait) => sum + wait, 0) + 2 * shortestRoundMs;
  const arriveMs = policy.arriveWithinMinutes * 60_000;
  const setOffMs = policy.setOffWithinMinutes * 60_000;
  const outcomeMs = policy.outcomeWithinMinutes * 60_000;
  const receiptMs = policy.receiptSeconds * 1000;

  /** Where the clock was set while nobody ran, waits begin anew. */
  const begun = (since: number) => (since < oracle.blindSince ? oracle.settledAt : since);
  const isLate = (since: number, limit: number) =>
    oracle.now > Math.max(begun(since) + limit, oracle.settledAt + settleMs);
  const ago = (at: number) => `${Math.round((oracle.now - at) / 1000)} s`;

  function episode(one: Watched): void {
    for (const [purpose, { falls }] of one.due) {
      if (isLate(falls, slackMs)) oracle.fail("in-time", `${purpose} of ${one.code} is late by ${ago(falls)}`);
    }
    if (one.kind === "technical" || one.kind === "sign-on") return;
    if (one.status === "open") untaken(one);
    else if (one.status === "taken") onTheWay(one);
    else if (isLate(one.remindedAt, outcomeMs + slackMs + paceMs)) {
      oracle.fail("outcome-asked", `nobody was asked about ${one.code} for ${ago(one.remindedAt)}`);
    }
    const { backupAskedBy, backupJoined } = one.state;
    if (backupAskedBy !== null && backupJoined.length === 0 && isLate(one.backupAt, backupMs + 2 * slackMs)) {
      oracle.fail(
        "backup-called",
        `${typeof backupAskedBy === "string" ? backupAskedBy : backupAskedBy.name} needs help with ${one.code}, nobody was called for ${ago(one.backupAt)}`,
      );
    }
  }

  function untaken(one: Watched): void {
    const called = one.calledAt ?? one.statusSince;
    // What a welfare alarm asks waits for the provider's pace, behind all that calls somebody out.
    const pace = one.kind === "welfare" ? paceMs : 0;
    if (isLate(called, pace + (one.calledAt === null ? slackMs : longestWait + slackMs))) {
      oracle.fail("goes-on", `nobody was paged about ${one.code} for ${ago(called)}`);
    }
    for (const operator of operators) {
      const told = one.operatorsTold.get(operator) ?? one.statusSince;
      // Being away moves a round by as much.
      if (isLate(Math.max(told, oracle.settledAt), wholeRound + pace + 2 * slackMs)) {
        oracle.fail("operators-told", `${operator} was not told of ${one.code} for ${ago(told)}`);
      }
    }
    const waitsForReceipt =
      one.batch.size > 0 && one.delivered.size === 0 && !one.betweenRounds && one.state.round === 1;
    if (waitsForReceipt && isLate(one.batchAt, receiptMs + slackMs)) {
      oracle.fail(
        "receipt-missing",
        `no phone has the text about ${one.code} for ${ago(one.batchAt)}, nobody else is paged`,
      );
    }
  }

  function onTheWay(one: Watched): void {
    if (isLate(Math.max(begun(one.takenSince) + arriveMs, one.setOffSince + graceMs), slackMs)) {
      oracle.fail("not-arrived", `${one.code} is taken for ${ago(one.takenSince)}, nobody is there, nobody is paged`);
    }
    // After a time away the reminder comes late, and the others after it.
    const reminded = Math.max(begun(one.setOffSince) + setOffMs, oracle.settledAt);
    if (one.state.onTheWayAt === null && isLate(reminded, graceMs + 2 * slackMs)) {
      oracle.fail(
        "not-set-off",
        `${one.code} is taken, nobody has set off for ${ago(one.setOffSince)}, nobody is paged`,
      );
    }
  }

  return {
    timePassed(): void {
      if (!oracle.isUp) return;
      for (const one of oracle.watched.values()) if (one.status !== "closed") episode(one);
      for (const { id, status, since, purpose } of oracle.pages.values()) {
        const isUrgent = status === "sending" || callingOut.has(purpose);
        const calm = purpose === "technical" ? lowestMs : awaited.has(purpose) ? paceMs : informMs;
        const limit = status === "sending" ? answerMs + slackMs : isUrgent ? slackMs : calm;
        if (isLate(isUrgent ? since : Math.max(since, oracle.settledAt), limit))
          oracle.fail("pages-go", `${id} (${purpose}) is ${status} for too long`);
      }
    },

    /** After something was written: what the store holds as a whole. */
    written(wall: number): void {
      for (const { id } of oracle.store.openWithoutDeadline())
        oracle.fail("one-deadline", `${id} is open and waits for nothing`);
      for (const { id } of oracle.store.closedWithDeadline())
        oracle.fail("one-deadline", `${id} is closed and has a deadline`);
      const open = new Map<string, string>();
      for (const { id, dwelling, test } of oracle.store.openEpisodes()) {
        const key = `${dwelling} ${test}`;
        if (open.has(key)) oracle.fail("one-open", `${id} and ${open.get(key)} are both open for ${dwelling}`);
        open.set(key, id);
      }
      const rows = oracle.store.waitingPages();
      const ids = new Set<string>();
      for (const row of rows) {
        ids.add(row.id);
        const known = oracle.pages.get(row.id);
        if (known?.status === row.status && known.notBefore === row.not_before) continue;
        oracle.pages.set(row.id, {
          id: row.id,
          episodeId: row.episode_id,
          purpose: row.purpose,
          status: row.status,
          notBefore: row.not_before,
          since: row.status === "sending" ? oracle.now : oracle.now + Math.max(0, row.not_before - wall),
        });
      }
      for (const id of oracle.pages.keys()) if (!ids.has(id)) oracle.pages.delete(id);
    },
  };
}
