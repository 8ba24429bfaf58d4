import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { expect, test } from "vitest";
import { createFrameLane, type Taken } from "./frame-lane.ts";

const topic = "fallvakt/v1/belt-1/up/accel";
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const publish = (id: number, more: object = {}): Buffer =>
  generate({
    cmd: "publish",
    topic,
    payload: Buffer.from(`frame ${id}`),
    qos: 1,
    messageId: id,
    dup: false,
    retain: false,
    ...more,
  } as Packet);
const ping = generate({ cmd: "pingreq" });

/** A lane, with what it took, what it left to the broker and what it acknowledged, in the order of it all. */
function opened(take: (payload: string) => Taken = () => "taken") {
  const taken: string[] = [];
  const acknowledged: number[] = [];
  const failures: unknown[] = [];
  let resumed = 0;
  const lane = createFrameLane({
    topic: Buffer.from(topic),
    take(bytes, from, to) {
      const payload = bytes.toString("utf8", from, to);
      const answer = take(payload);
      if (answer !== "long-way") taken.push(payload);
      return answer;
    },
    send(bytes) {
      expect(bytes.length % 4).toBe(0);
      for (let at = 0; at < bytes.length; at += 4) {
        expect([bytes[at], bytes[at + 1]]).toEqual([0x40, 2]);
        acknowledged.push((bytes[at + 2]! << 8) | bytes[at + 3]!);
      }
    },
    failed: (error) => void failures.push(error),
    resume: () => void resumed++,
  });
  return { lane, taken, acknowledged, failures, resumed: () => resumed };
}

test("frames of one read are taken in order and acknowledged in one write", () => {
  const { lane, taken, acknowledged } = opened();
  expect(lane.read(Buffer.concat([publish(1), publish(2, { dup: true }), publish(0x1234)]))).toBeNull();
  expect(taken).toEqual(["frame 1", "frame 2", "frame 4660"]);
  expect(acknowledged).toEqual([1, 2, 0x1234]);
});

test("at QoS 0 a frame is taken and not acknowledged", () => {
  const { lane, taken, acknowledged } = opened();
  expect(lane.read(publish(0, { qos: 0 }))).toBeNull();
  expect([taken, acknowledged]).toEqual([["frame 0"], []]);
});

const others: [string, Buffer][] = [
  ["another's topic", publish(1, { topic: "fallvakt/v1/belt-2/up/accel" })],
  ["another topic of its own", publish(1, { topic: "fallvakt/v1/belt-1/up/help" })],
  ["a topic that only begins like it", publish(1, { topic: `${topic}-json` })],
  ["QoS 2", publish(1, { qos: 2 })],
  ["retained", publish(1, { retain: true })],
  ["packet id 0", Buffer.from(publish(1)).fill(0, 2 + 2 + topic.length, 2 + 2 + topic.length + 2)],
  [
    "no packet id, as the packet ends before",
    Buffer.from([0x32, 2 + topic.length, 0, topic.length, ...Buffer.from(topic)]),
  ],
  ["a topic longer than its packet", Buffer.from([0x32, 3, 0, topic.length, 0x66])],
  ["a ping", ping],
];
test.each(others)("%s goes to the broker as it came", (_, packet) => {
  const { lane, taken } = opened();
  expect(lane.read(packet)).toEqual(packet);
  expect(taken).toEqual([]);
});

test("what comes behind a packet for the broker waits until the broker asks again", () => {
  const { lane, taken } = opened();
  expect(lane.read(Buffer.concat([publish(1), ping, ping, publish(2)]))).toEqual(Buffer.concat([ping, ping]));
  expect(taken).toEqual(["frame 1"]);
  expect(lane.read(null)).toBeNull();
  expect(taken).toEqual(["frame 1", "frame 2"]);
});

test("where a frame must go the long way, all behind it in the same read do", () => {
  const { lane, taken } = opened((payload) => (payload === "frame 2" ? "long-way" : "taken"));
  const rest = Buffer.concat([publish(2), publish(3), ping]);
  expect(lane.read(Buffer.concat([publish(1), rest]))).toEqual(rest);
  expect(taken).toEqual(["frame 1"]);
});

test("a commit that fails is told, and neither it nor what follows is acknowledged", async () => {
  const { lane, acknowledged, failures } = opened((payload) =>
    payload === "frame 2" ? Promise.reject(new Error("disk full")) : "taken",
  );
  lane.read(Buffer.concat([publish(1), publish(2), publish(3)]));
  await turn();
  await turn();
  expect(acknowledged).toEqual([1]);
  expect(String(failures)).toContain("disk full");
});

test("too many that wait: the lane is full, takes no more, and asks for more when there is room", async () => {
  const commit = Promise.withResolvers<void>();
  const { lane, taken, acknowledged, resumed } = opened(() => commit.promise);
  lane.read(Buffer.concat(Array.from({ length: 600 }, (_, i) => publish(i + 1))));
  expect([taken.length, lane.full, resumed()]).toEqual([512, true, 0]);
  commit.resolve();
  await turn();
  await turn();
  expect([acknowledged.length, lane.full, resumed()]).toEqual([512, false, 1]);
  lane.read(null);
  expect(taken.length).toBe(600);
});

test("a closed lane takes and acknowledges nothing", async () => {
  const commit = Promise.withResolvers<void>();
  const { lane, taken, acknowledged, failures } = opened(() => commit.promise);
  lane.read(publish(1));
  lane.close();
  commit.reject(new Error("too late"));
  await turn();
  expect(lane.read(publish(2))).toBeNull();
  expect([taken, acknowledged, failures]).toEqual([["frame 1"], [], []]);
});

test("property: however the bytes are cut, each packet goes its way once, in the order of arrival, and acknowledgements keep the order and wait for their commits", async () => {
  const kind = fc.constantFrom("frame" as const, "late frame" as const, "ping" as const, "help" as const);
  await fc.assert(
    fc.asyncProperty(
      fc.array(kind, { minLength: 1, maxLength: 25 }),
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 }),
      async (kinds, cuts) => {
        const order: string[] = [];
        const commits = new Map<string, PromiseWithResolvers<void>>();
        const { lane, acknowledged } = opened((payload) => {
          order.push(payload);
          const id = Number(payload.split(" ")[1]);
          if (kinds[id - 1] === "frame") return "taken";
          const commit = Promise.withResolvers<void>();
          commits.set(payload, commit);
          return commit.promise;
        });
        const packets = kinds.map((one, i) => {
          if (one === "ping") return ping;
          return one === "help" ? publish(i + 1, { topic: "fallvakt/v1/belt-1/up/help" }) : publish(i + 1);
        });
        const bytes = Buffer.concat(packets);
        // The broker reads until there is nothing, and is done at once with what it is given.
        const forBroker: Buffer[] = [];
        const drain = (chunk: Buffer | null) => {
          for (let given = lane.read(chunk); given; given = lane.read(null)) {
            forBroker.push(given);
            let at = 0;
            while (at < given.length) {
              const end = at + 2 + given[at + 1]!;
              order.push(given[at] === 0xc0 ? "ping" : given.toString("utf8", at, end).match(/frame \d+/)![0]);
              at = end;
            }
          }
        };
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const to = at + cuts[i % cuts.length]!;
          drain(Buffer.from(bytes.subarray(at, to)));
          at = to;
        }
        expect(order).toEqual(kinds.map((one, i) => (one === "ping" ? "ping" : `frame ${i + 1}`)));
        const isForBroker = (one: (typeof kinds)[number]) => one === "ping" || one === "help";
        expect(Buffer.concat(forBroker)).toEqual(Buffer.concat(packets.filter((_, i) => isForBroker(kinds[i]!))));
        // Nothing behind the first commit that is awaited is acknowledged.
        const frames = kinds.flatMap((one, i) => (isForBroker(one) ? [] : [{ one, id: i + 1 }]));
        const firstLate = frames.findIndex(({ one }) => one === "late frame");
        const before = firstLate < 0 ? frames : frames.slice(0, firstLate);
        expect(acknowledged).toEqual(before.map(({ id }) => id));
        for (const commit of [...commits.values()].reverse()) commit.resolve();
        await turn();
        await turn();
        expect(acknowledged).toEqual(frames.map(({ id }) => id));
      },
    ),
    { numRuns: 200 },
  );
});
