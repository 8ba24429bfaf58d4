import fc from "fast-check";
import { expect, test } from "vitest";
import { createPacketGuard } from "./packet-guard.ts";

/** A packet of `body` zero bytes with its remaining length as MQTT writes it. */
function packet(body: number): number[] {
  const length: number[] = [];
  let left = body;
  do {
    length.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return [0x30, ...length, ...new Array<number>(body).fill(0xff)];
}

test("a declared length beyond the bound is refused before its bytes come", () => {
  const guard = createPacketGuard(2048, 65536);
  // A CONNECT that declares 256 MiB.
  expect(guard.take(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f))).toBe("packet-too-big");
  const later = createPacketGuard(2048, 65536);
  later.letIn();
  expect(later.take(Uint8Array.from(packet(65536)))).toBeNull();
  expect(later.take(Uint8Array.from(packet(65537).slice(0, 4)))).toBe("packet-too-big");
});

test("a client that is not let in yet gets 2 KiB in all", () => {
  const guard = createPacketGuard(2048, 65536);
  expect(guard.take(Uint8Array.from(packet(1000)))).toBeNull();
  expect(guard.take(Uint8Array.from(packet(1000)))).toBeNull();
  expect(guard.take(Uint8Array.from(packet(1000)))).toBe("too-much-before-connack");
});

test("a length of more than four bytes is malformed", () => {
  const guard = createPacketGuard(2048, 65536);
  expect(guard.take(Uint8Array.of(0x10, 0x80, 0x80, 0x80, 0x80))).toBe("malformed-length");
});

test("property: however packets are cut into chunks, those in bounds pass and the first beyond is refused", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 20 });
  fc.assert(
    fc.property(
      sizes,
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
      (bodies, bad, cuts) => {
        const guard = createPacketGuard(10, 400);
        guard.letIn();
        const bytes = Uint8Array.from([...bodies, ...(bad ? [401] : [])].flatMap(packet));
        let refused = false;
        for (let at = 0, i = 0; at < bytes.length && !refused; i++) {
          const end = at + cuts[i % cuts.length]!;
          refused = guard.take(bytes.subarray(at, end)) !== null;
          at = end;
        }
        expect(refused).toBe(bad);
      },
    ),
  );
});

test("a packet that does not come to an end is noticed, one after another is not", () => {
  const guard = createPacketGuard(2048, 65536);
  const whole = Uint8Array.from(packet(100));
  guard.letIn();
  guard.take(whole.subarray(0, 50));
  for (let second = 0; second < 20; second++) {
    guard.take(whole.subarray(50));
    guard.take(whole.subarray(0, 50));
    expect(guard.isDripping(3)).toBe(false);
  }
  const slow = createPacketGuard(2048, 65536);
  const seen = Array.from({ length: 5 }, (_, second) => {
    slow.take(whole.subarray(second, second + 1));
    return slow.isDripping(3);
  });
  expect(seen).toEqual([false, false, false, true, true]);
  expect(createPacketGuard(2048, 65536).isDripping(1)).toBe(false);
});

test("requests that cost nothing to send are bounded", () => {
  const guard = createPacketGuard(2048, 65536);
  guard.letIn();
  const pings = (count: number) => Uint8Array.from(new Array(count).fill([0xc0, 0]).flat());
  expect(guard.take(pings(100))).toBeNull();
  expect(guard.take(pings(1))).toBe("too-many-requests");
});
