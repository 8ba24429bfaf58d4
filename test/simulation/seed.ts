import { step as trueStep } from "../../alerting/episode.ts";
import { masterKeyText, newKey } from "../../alerting/sealing/seal.ts";
import { openInMemory } from "../../alerting/store/database.ts";
import { storeIn } from "../../alerting/store/sqlite.ts";
import { Oracle, type Violation } from "./oracle.ts";
import { type Plan, planOf } from "./plan.ts";
import type { Fault } from "./planted-faults.ts";
import { createTimeRules } from "./time-rules.ts";
import { createTown } from "./town.ts";
import { VirtualTime } from "./virtual-time.ts";

export interface SeedResult {
  seed: number;
  shape: Plan["shape"];
  simulatedMs: number;
  commits: number;
  episodes: number;
  violation: Violation | null;
  /** What happened, a line each. */
  story: string[];
}

/** More steps than any seed needs: a circle in the code that is tried must end too. */
const mostSteps = 200_000;

/** Plays one seed to its end, or to the first violation. The same seed plays the same, to the letter. */
export async function playSeed(seed: number, fault?: Fault): Promise<SeedResult> {
  const plan = planOf(seed);
  const time = new VirtualTime(plan.wallStart);
  const db = openInMemory();
  const storeItself = storeIn(db, { text: masterKeyText(newKey()) });
  const step = fault?.step ?? trueStep;
  const oracle = new Oracle({ db, storeItself, config: plan.config, time, step });
  const rules = createTimeRules(oracle, plan.config);
  const story: string[] = [];
  const tell = (line: string) => void story.push(`${stamp(time.now)} ${line}`);
  const town = createTown({ plan, time, db, storeItself, oracle, step, fault, tell });
  try {
    await town.begin();
    await settled();
    let steps = 0;
    const workAt = () => oracle.store.earliestWork();
    while (!oracle.violation) {
      const happen = time.next(plan.endMs, town.maySkip(), workAt);
      rules.timePassed();
      if (oracle.violation || !happen) break;
      if (++steps > mostSteps) oracle.fail("ends", "it goes round and round");
      happen();
      await settled();
      town.look();
      if (town.hasWritten()) rules.written(time.wall);
    }
    if (!oracle.violation) await oracle.checkEnd();
  } finally {
    await storeItself.close();
  }
  const { violation, commits } = oracle;
  if (violation) tell(`VIOLATION ${violation.rule}: ${violation.what}`);
  return { seed, shape: plan.shape, simulatedMs: time.now, commits, episodes: oracle.watched.size, violation, story };
}

/** Everything that was under way is done: the store answers at once, so that nothing waits but for the clock. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function stamp(ms: number): string {
  const [days, rest] = [Math.floor(ms / 86_400_000), ms % 86_400_000];
  const part = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, "0");
  return `${part(days, 3)}d ${part(rest / 3_600_000, 2)}:${part((rest / 60_000) % 60, 2)}:${part((rest / 1000) % 60, 2)}.${part(rest % 1000, 3)}`;
}
