import type { Store } from "../../alerting/store/store.ts";

/** A call of the store, as the gate sees it. */
export interface StoreCall {
  part: string;
  method: string;
  args: readonly unknown[];
  /** Whether it changes something, as far as is known: what is not known to read counts as a write. */
  writes: boolean;
}

/** What stands before the store: it may hold a call for ever (the process is dead), fail it, or take note of it. */
export interface Gate {
  /** Throws where the call fails; a promise that never resolves where the process died before it. */
  before(call: StoreCall): Promise<void> | void;
  /** The same after it was done. */
  after(call: StoreCall, result: unknown): Promise<void> | void;
}

const reading =
  /^(episode|openEpisode|episodesSince|usedCodes|episodeOfDetection|detection|log|verifyLog|due[A-Z]\w*|earliest\w*|next\w*|pages?Of|page|sendable|has[A-Z]\w*|\w+Since|since|devices?|dwellings?\w*|consents|pauses|versions|changes|gateways|users?|read\w*|list\w*|find\w*|get\w*)$/;

/** The store behind a gate: each call passes it, twice. */
export function gateStore(store: Store, gate: Gate): Store {
  const wrap = (part: string, target: object) => {
    const wrapped: Record<string, unknown> = {};
    for (const [method, work] of Object.entries(target)) {
      if (typeof work !== "function") continue;
      const writes = !reading.test(method);
      wrapped[method] = async (...args: unknown[]) => {
        const call = { part, method, args, writes };
        await gate.before(call);
        const result: unknown = await work.apply(target, args);
        await gate.after(call, result);
        return result;
      };
    }
    return wrapped;
  };
  const parts = Object.entries(store).filter(([, value]) => typeof value === "object");
  return {
    ...store,
    ...Object.fromEntries(parts.map(([part, target]) => [part, wrap(part, target as object)])),
  };
}
