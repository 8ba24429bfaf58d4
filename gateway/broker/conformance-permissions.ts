import type { Permissions } from "./permissions.ts";

/** A filter that nobody is granted, so that a refusal can be seen. */
export const refusedFilter = "test/nosubscribe";

/**
 * FOR CONFORMANCE TESTS ONLY: everybody comes in and may say and hear everything, as the public suites for MQTT brokers expect.
 * No configuration leads here; the tests and `conformance-server.ts` hand it to the broker themselves.
 */
export const conformancePermissions: Permissions = {
  admit: async () => "secret",
  publish: (_client, packet, done) =>
    done(packet.topic.startsWith("$SYS/") ? new Error("$SYS is the broker's own") : null),
  subscribe: (_client, subscription, done) => done(null, subscription.topic === refusedFilter ? null : subscription),
  mayHear: () => true,
  gone: () => {},
};
