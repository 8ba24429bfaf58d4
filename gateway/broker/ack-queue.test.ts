import fc from "fast-check";
import { expect, test } from "vitest";
import { createAckQueue } from "./ack-queue.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function opened(max = 10) {
  const sent: number[][] = [];
  const queue = createAckQueue({
    max,
    send: (bytes) => void sent.push([...bytes]),
  });
  return { queue, sent };
}

test("what was committed in one turn is acknowledged together, as PUBACK has it on the wire", async () => {
  const { queue, sent } = opened();
  const settles = [1, 0x1234].map((id) => queue.enter(id));
  for (const settle of settles) settle();
  await turn();
  expect(sent).toEqual([[0x40, 2, 0, 1, 0x40, 2, 0x12, 0x34]]);
  await queue.settled();
});

test("beyond the bound nothing more is read until something is acknowledged; a closed queue sends nothing", async () => {
  const { queue, sent } = opened(2);
  let proceeded = 0;
  const take = (id: number) => {
    const settle = queue.enter(id);
    queue.whenRoom(() => proceeded++);
    return settle;
  };
  const [first, second] = [take(1), take(2)];
  expect(proceeded).toBe(1);
  second();
  await turn();
  // The first still waits, and holds up the second.
  expect([proceeded, sent.length]).toEqual([1, 0]);
  queue.close();
  first();
  await turn();
  expect([proceeded, sent.length]).toEqual([1, 0]);
  await queue.settled();
});

test("property: in whatever order commits end, acknowledgements keep the order of arrival, and none goes before its commit", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 30 }), async (keys) => {
      const { queue, sent } = opened(100);
      const entries = keys.map((key, i) => ({ key, id: i + 1, settle: queue.enter(i + 1) }));
      const settled = new Set<number>();
      for (const { id, settle } of [...entries].sort((a, b) => a.key - b.key)) {
        settled.add(id);
        settle();
        await turn();
        for (const bytes of sent) for (let at = 3; at < bytes.length; at += 4) expect(settled).toContain(bytes[at]);
      }
      const ids = sent.flat().filter((_, at) => at % 4 === 3);
      expect(ids).toEqual(entries.map(({ id }) => id));
    }),
    { numRuns: 50 },
  );
});
