import type { AlertingConfig } from "../../alerting/config.ts";
import { callingOut } from "../../alerting/episode-state.ts";
import type { Watched } from "./facts.ts";
import type { Oracle } from "./oracle.ts";

/** After a start, a heal or a jump of the clock everything is done within this, ms. */
const settleMs = 10_000;
/** A round of the policy lasts this long at least, ms. */
const shortestRoundMs = 60_000;
const slackMs = 5_000;
/** A request that has no answer by then is over, ms. */
const answerMs = 10_000;

/** What must have happened by now. Asked whenever time has passed, and before anything else happens. */
export function createTimeRules(oracle: Oracle, config: AlertingConfig) {
  const waits = config.policy.steps.map(({ waitSeconds }) => waitSeconds * 1000);
  const longestWait = Math.max(...waits, shortestRoundMs);
  const wholeRound = waits.reduce((sum, wait) => sum + wait, 0) + shortestRoundMs;
  const arriveMs = config.policy.arriveWithinMinutes * 60_000;
  const outcomeMs = config.policy.outcomeWithinMinutes * 60_000;
  const isLate = (since: number, limit: number) => oracle.now > Math.max(since + limit, oracle.settledAt + settleMs);

  function episode(one: Watched): void {
    const { now } = oracle;
    for (const [purpose, { falls }] of one.due) {
      if (isLate(falls, slackMs)) {
        oracle.fail("in-time", `${purpose} of ${one.code} is late by ${Math.round((now - falls) / 1000)} s`);
      }
    }
    const since = (at: number) => `${Math.round((now - at) / 1000)} s`;
    if (one.status === "open") {
      const called = one.calledAt ?? one.statusSince;
      if (isLate(called, one.calledAt === null ? slackMs : longestWait + slackMs)) {
        oracle.fail("goes-on", `nobody was paged about ${one.code} for ${since(called)}`);
      }
      for (const operator of config.operators) {
        const told = one.operatorsTold.get(operator) ?? one.statusSince;
        // Being away moves a round by as much.
        if (isLate(Math.max(told, oracle.settledAt), wholeRound + 2 * slackMs)) {
          oracle.fail("operators-told", `${operator} was not told of ${one.code} for ${since(told)}`);
        }
      }
    } else if (one.status === "taken" && isLate(one.takenSince, arriveMs + slackMs)) {
      oracle.fail("not-arrived", `${one.code} is taken for ${since(one.takenSince)}, nobody is there, nobody is paged`);
    } else if (one.status === "arrived" && isLate(one.remindedAt, outcomeMs + 2 * slackMs)) {
      oracle.fail("outcome-asked", `nobody was asked about ${one.code} for ${since(one.remindedAt)}`);
    }
  }

  return {
    timePassed(): void {
      if (!oracle.isUp) return;
      for (const one of oracle.watched.values()) if (one.status !== "closed") episode(one);
      for (const { id, status, since, purpose } of oracle.pages.values()) {
        const limit = status === "sending" ? answerMs + slackMs : callingOut.has(purpose) ? slackMs : 60_000;
        if (isLate(since, limit)) oracle.fail("pages-go", `${id} (${purpose}) is ${status} for too long`);
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
