import { randomInt, randomUUID } from "node:crypto";

/** What alerting draws by lot. Passed in, so that a simulation can be played again. */
export interface Draws {
  /** 16 characters, a–f and digits; never the same twice. */
  id(): string;
  /** Evenly spread in [0, 1). It must not be foreseeable: codes come from it. */
  fraction(): number;
}

export const cryptoDraws: Draws = {
  id: () => randomUUID().replaceAll("-", "").slice(0, 16),
  fraction: () => randomInt(2 ** 32) / 2 ** 32,
};
