import { afterAll, describe } from "vitest";
import { lacks } from "../services/needs.ts";

/** Tells stories of this folder once more, with Mosquitto between devices and gateway. */
export function tellOnMosquitto(stories: readonly string[]): void {
  const before = process.env.FALLVAKT_TEST_BROKER;
  process.env.FALLVAKT_TEST_BROKER = "outside";
  afterAll(() => {
    if (before === undefined) delete process.env.FALLVAKT_TEST_BROKER;
    else process.env.FALLVAKT_TEST_BROKER = before;
  });
  describe.skipIf(lacks("mosquitto")).each(stories)("on Mosquitto: %s (needs mosquitto)", async (story) => {
    await import(`./${story}.test.ts`);
  });
}
