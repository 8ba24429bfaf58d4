import { tellOnMosquitto } from "../promises/on-mosquitto.ts";

// The stories of what a device relies on. FALLVAKT_TEST_BROKER=outside vitest run test/promises runs all of them so.
tellOnMosquitto([
  "fall-pages-first-responder",
  "help-button-always-pages",
  "bad-payload-is-counted-and-harms-nothing",
  "same-fall-twice-is-one-episode",
  "reboot-of-a-device-hides-no-fall",
  "no-consent-no-frame",
  "gap-is-unknown-never-still",
  "device-speaks-for-itself-alone",
]);
