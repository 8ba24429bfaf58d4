import type { Detection } from "../../firmware-contracts/detection.ts";
import type { EpisodeFacts, EpisodeInput, EpisodePolicy, EpisodeState } from "../episode-state.ts";
import { raised } from "../ladder.ts";

/** What an episode of the first release lacked, whose policies had persons only and whose alarms were all a device's. */
interface OldFacts extends Omit<EpisodeFacts, "detection" | "policy"> {
  detection: NonNullable<EpisodeFacts["detection"]>;
  policy: Pick<EpisodePolicy, "version" | "steps" | "operators" | "arriveWithinMs" | "outcomeWithinMs">;
}

function isOld(facts: EpisodeFacts | OldFacts): facts is OldFacts {
  return !("kind" in facts);
}

function upcastFacts(facts: EpisodeFacts | OldFacts): EpisodeFacts {
  if (!isOld(facts)) return facts;
  const { detection } = facts as OldFacts;
  return {
    ...(facts as OldFacts),
    kind: detection.kind,
    test: detection.test,
    since: detection.impactAt,
    trouble: null,
    signOn: null,
    operatorsFirstMs: null,
    policy: {
      shortestRoundMs: 60_000,
      // As it was when the episode began: no limit on receipts, and none on setting off but that on arriving.
      receiptWithinMs: null,
      setOffWithinMs: (facts as OldFacts).policy.arriveWithinMs,
      graceMs: 120_000,
      ...(facts as OldFacts).policy,
    },
  };
}

/** A state as it was stored, by this release or an earlier one. */
export function readState(text: string): EpisodeState {
  const stored = JSON.parse(text) as EpisodeState;
  if (!isOld(stored.facts)) return stored;
  const current = Object.fromEntries(
    Object.entries(stored.current).map(([id, page]) => [
      id,
      { ...page, fate: (page.fate as string) === "reached" ? ("sent" as const) : page.fate },
    ]),
  );
  return {
    ...structuredClone(raised),
    ...{ operatorsFirst: false, reminded: false, undo: null, floorMinutes: null },
    ...(stored as Partial<EpisodeState> as EpisodeState),
    facts: upcastFacts(stored.facts),
    current,
  };
}

/** An entry of the log as it was written, by this release or an earlier one. */
export function readInput(text: string): EpisodeInput {
  const input = JSON.parse(text) as EpisodeInput;
  return input.type === "opened" ? { ...input, facts: upcastFacts(input.facts) } : input;
}

/** A Detection as it was taken in, and checked then: the schemas would cost the thread that reads it some megabytes. */
export function readDetection(text: string): Detection {
  return JSON.parse(text) as Detection;
}
