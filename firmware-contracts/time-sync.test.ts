import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeTimeSync, earliestTimeSync, encodeTimeSync, timeSyncLayout } from "./time-sync.ts";
import { downlinkFilter, downlinkTopic } from "./topics.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const wallMs = fc.integer({ min: earliestTimeSync, max: Number.MAX_SAFE_INTEGER });

test("has the bytes that were written out by hand", () => {
  const byHand = "01 00 00 00  cd ab 34 12  aa ff 6c bf 9b 01 00 00".replaceAll(" ", "");
  const bytes = encodeTimeSync({ bootId: 0x1234abcd, wallMs: Date.UTC(2026, 0, 15, 2, 12, 30, 250) });
  expect(Buffer.from(bytes).toString("hex")).toBe(byHand);
  expect(timeSyncLayout.size).toBe(16);
});

test("is read back as it was written", () => {
  fc.assert(
    fc.property(u32, wallMs, (bootId, at) => {
      expect(decodeTimeSync(encodeTimeSync({ bootId, wallMs: at }))).toEqual({
        ok: true,
        value: { bootId, wallMs: at },
      });
    }),
  );
});

test("a gateway whose own clock is not set tells nobody, and a device believes no such time", () => {
  for (const at of [0, 81_250, earliestTimeSync - 1, -1, 0.5, Number.NaN, 2 ** 53])
    expect(() => encodeTimeSync({ bootId: 1, wallMs: at })).toThrow();
  const bytes = encodeTimeSync({ bootId: 1, wallMs: earliestTimeSync });
  new DataView(bytes.buffer).setBigUint64(8, BigInt(earliestTimeSync - 1), true);
  expect(decodeTimeSync(bytes)).toMatchObject({ ok: false, reason: "bad-header" });
});

test("golden times, and no bytes make the decoder throw", () => {
  const { good, refused } = JSON.parse(readFileSync(new URL("vectors/time-sync.json", import.meta.url), "utf8"));
  for (const { name, hex, bootId, wallMs: at } of good)
    expect(decodeTimeSync(Buffer.from(hex, "hex")), name).toEqual({ ok: true, value: { bootId, wallMs: at } });
  for (const { name, hex, reason } of refused)
    expect(decodeTimeSync(Buffer.from(hex, "hex")), name).toMatchObject({ ok: false, reason });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void decodeTimeSync(bytes)));
});

test("its topic is one that the device may hear", () => {
  expect(downlinkTopic("watch-17", "time")).toBe("fallvakt/v1/watch-17/down/time");
  expect(downlinkTopic("watch-17", "time").startsWith(downlinkFilter("watch-17").slice(0, -1))).toBe(true);
});
