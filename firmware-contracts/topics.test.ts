import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DeviceId, downlinkFilter, parseUplinkTopic, type Uplink, uplinks, uplinkTopic } from "./topics.ts";

const deviceIds = fc.stringMatching(/^[a-z0-9][a-z0-9-]{2,31}$/);

test("a topic that is made is read back", () => {
  fc.assert(
    fc.property(deviceIds, fc.constantFrom(...(Object.keys(uplinks) as Uplink[])), (deviceId, uplink) => {
      expect(parseUplinkTopic(uplinkTopic(deviceId, uplink))).toEqual({ ok: true, deviceId, uplink });
    }),
  );
  expect(downlinkFilter("watch-17")).toBe("fallvakt/v1/watch-17/down/#");
});

test("no topic makes the parser throw, and only topics of the grammar are taken", () => {
  const level = fc.oneof(
    fc.constantFrom("fallvakt", "v1", "v2", "accel", "watch-1", "toString", "+", "#", ""),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(level, { maxLength: 8 }), (levels) => {
      const topic = levels.join("/");
      const parsed = parseUplinkTopic(topic);
      if (parsed.ok) expect(uplinkTopic(parsed.deviceId, parsed.uplink)).toBe(topic);
      else expect(parsed.reason).toMatch(/^(unknown-topic|unknown-version|bad-device-id)$/);
    }),
    { numRuns: 2000 },
  );
  expect(parseUplinkTopic("a/".repeat(100_000)).ok).toBe(false);
  expect(parseUplinkTopic(`fallvakt/v1/watch-1${"/x".repeat(1000)}`).ok).toBe(false);
  expect(parseUplinkTopic("fallvakt/v1/watch-1/toString").ok).toBe(false);
});

test("golden topics", () => {
  const vectors = JSON.parse(readFileSync(new URL("vectors/topics.json", import.meta.url), "utf8"));
  for (const { topic, refused, deviceId, uplink } of vectors) {
    expect(parseUplinkTopic(topic), topic).toMatchObject(
      refused ? { ok: false, reason: refused } : { ok: true, deviceId, uplink },
    );
  }
});

test.each(["ab", "x".repeat(33), "Watch", "-ab", "a b c", "a/b", "a+b", "åäö1", ""])("%j is no device id", (id) => {
  expect(DeviceId.safeParse(id).success).toBe(false);
});
