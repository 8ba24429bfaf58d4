import { decodeTimeSync, earliestTimeSync, encodeTimeSync, timeSyncLayout } from "./time-sync.ts";

const typical = { bootId: 0x1234abcd, wallMs: Date.UTC(2026, 0, 15, 2, 12, 30, 250) };

const good: [string, { bootId: number; wallMs: number }][] = [
  ["typical", typical],
  ["earliest", { bootId: 0, wallMs: earliestTimeSync }],
  ["largest values", { bootId: 0xffff_ffff, wallMs: Number.MAX_SAFE_INTEGER }],
];

function withTime(wallMs: bigint): Uint8Array {
  const bytes = encodeTimeSync(typical);
  const offset = timeSyncLayout.fields.find(({ name }) => name === "wallMs")?.offset ?? 0;
  new DataView(bytes.buffer).setBigUint64(offset, wallMs, true);
  return bytes;
}

const typicalBytes = encodeTimeSync(typical);
const bad: [string, Uint8Array][] = [
  ["nothing", new Uint8Array()],
  ["one byte too few", typicalBytes.slice(0, -1)],
  ["one byte too many", Uint8Array.from([...typicalBytes, 0])],
  ["version 0", Uint8Array.from([0, ...typicalBytes.slice(1)])],
  ["version 2", Uint8Array.from([2, ...typicalBytes.slice(1)])],
  ["from a gateway whose clock is not set", withTime(81_250n)],
  ["a time beyond 2^53", withTime(2n ** 53n)],
];

/** Times that every device must read alike, and those that it must not set its clock by. */
export function timeSyncVectors() {
  return {
    good: good.map(([name, value]) => ({ name, hex: Buffer.from(encodeTimeSync(value)).toString("hex"), ...value })),
    refused: bad.map(([name, bytes]) => {
      const decoded = decodeTimeSync(bytes);
      return { name, hex: Buffer.from(bytes).toString("hex"), reason: decoded.ok ? "none" : decoded.reason };
    }),
  };
}
