import { afterAll, describe } from "vitest";
import { lacks } from "../services/needs.ts";

// The stories of what a device relies on, once more, with Mosquitto between devices and gateway.
// FALLVAKT_TEST_BROKER=outside vitest run test/promises runs all of them so.
const before = process.env.FALLVAKT_TEST_BROKER;
process.env.FALLVAKT_TEST_BROKER = "outside";
afterAll(() => {
  if (before === undefined) delete process.env.FALLVAKT_TEST_BROKER;
  else process.env.FALLVAKT_TEST_BROKER = before;
});

describe
  .skipIf(lacks("mosquitto"))
  .each([
    "fall-pages-first-responder",
    "help-button-always-pages",
    "bad-payload-is-counted-and-harms-nothing",
    "same-fall-twice-is-one-episode",
    "reboot-of-a-device-hides-no-fall",
    "no-consent-no-frame",
  ])("on Mosquitto: %s (needs mosquitto)", async (story) => {
  await import(`../promises/${story}.test.ts`);
});
