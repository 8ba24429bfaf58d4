import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HelpReport, PresenceReport, StatusReport } from "../../firmware-contracts/reports.ts";
import { type ForeignMessage, maxPayloadBytes, readForeign, type Said, type Setup } from "./adapter.ts";
import { adapters, setupOf } from "./all.ts";
import { type AdapterKind, adapterKinds } from "./config.ts";
import { openReports, stepReports } from "./device-reports.ts";
import { Example, payloadOf, plainly, playCaptured } from "./example.ts";
import { reportedFall } from "./reported-fall.ts";

// What every adapter must do, each by its own example payloads.

const wall = Date.UTC(2026, 10, 24, 2, 12);

function examplesOf(kind: AdapterKind): { name: string; example: Example }[] {
  const folder = new URL(`${kind}/examples/`, import.meta.url);
  return readdirSync(folder).map((name) => ({
    name,
    example: Example.parse(JSON.parse(readFileSync(new URL(name, folder), "utf8"))),
  }));
}

const capturedOf = ({ messages }: Example) =>
  messages.map(({ payload, ...rest }) => ({ ...rest, payload: payloadOf(payload) }));

describe.each(adapterKinds)("the adapter %s", (kind) => {
  const adapter = adapters[kind];
  const examples = examplesOf(kind);
  const everySetup = { base: adapter.base, devices: examples.flatMap(({ example }) => example.devices) };
  const everyMessage = examples.flatMap(({ example }) => capturedOf(example));
  const message = (change: Partial<ForeignMessage> & Pick<ForeignMessage, "topic">): ForeignMessage => ({
    payload: new Uint8Array(),
    retained: false,
    now: wall,
    heldAtMostMs: 0,
    ...change,
  });
  const saidOf = (one: ForeignMessage, setup: Setup = everySetup) =>
    readForeign(adapter, one, setup, adapter.open())[1];
  const isAlarm = ({ kind: what }: Said) => what === "help" || what === "fall";

  test.each(examples)("$name becomes what it says, and names its source", ({ example }) => {
    expect(example.source).toMatch(/^https:\/\//);
    const became = playCaptured(kind, example, capturedOf(example), wall);
    const told = became.flatMap((one) => ("told" in one ? [{ device: one.device, ...plainly(one.told) }] : []));
    expect(told.map((one) => one)).toHaveLength(example.becomes.length);
    told.forEach((one, at) => void expect(one).toMatchObject(example.becomes[at]!));
  });

  test("its examples hold all that it can tell: an alarm, presence, battery and availability", () => {
    const kinds = new Set(examples.flatMap(({ example }) => example.becomes.map((one) => one.kind)));
    for (const what of ["help", "presence", "status"]) expect(kinds).toContain(what);
    expect(everyMessage.length).toBeGreaterThan(4);
  });

  test("nothing of a retained message is an alarm, presence or a sign of life", () => {
    for (const one of everyMessage) {
      const { said } = saidOf(message({ ...one, retained: true }));
      expect(said.filter(({ kind: what }) => what !== "availability")).toEqual([]);
    }
  });

  test("it subscribes to the devices named and to no wildcard over all; what it subscribes to it reads", () => {
    for (const { example } of examples) {
      const setup = setupOf({ kind, base: example.base, devices: example.devices });
      const filters = adapter.filters(setup);
      expect(new Set(filters).size).toBe(filters.length);
      for (const filter of filters) {
        expect(filter).not.toContain("#");
        expect(saidOf(message({ topic: filter.replace("+", "a") }), setup).nothing).not.toBe("other-topic");
      }
      for (const { topic } of example.messages) expect(filters.some((filter) => matches(filter, topic))).toBe(true);
    }
  });

  test("a device that is not mapped is known as that, and says nothing", () => {
    for (const { example } of examples) {
      const another = (name: string) => name.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
      const others = example.devices.map((one) => ({ ...one, name: another(one.name) }));
      for (const one of capturedOf(example)) {
        const { said, nothing } = saidOf(message(one), { base: adapter.base, devices: others });
        if (one.topic.endsWith("bridge/state")) continue;
        expect(said).toEqual([]);
        expect(["not-mapped", "other-topic"]).toContain(nothing);
      }
    }
  });

  test("what is no payload of its topics is told as that; what is too large is not even read", () => {
    for (const { topic } of everyMessage) {
      for (const bad of ["", "{", "[]", "null", "12", '"text"', "\u0000\uffff", "{}x"]) {
        const { said } = saidOf(message({ topic, payload: payloadOf(bad) }));
        expect(said.filter(isAlarm)).toEqual([]);
      }
      const large = new Uint8Array(maxPayloadBytes + 1).fill(0x20);
      expect(saidOf(message({ topic, payload: large }))).toEqual({ said: [], nothing: "too-large" });
    }
    expect(saidOf(message({ topic: `${"a/".repeat(2000)}b` })).nothing).toBe("too-large");
  });

  test("fields that it does not know change nothing", () => {
    for (const { example } of examples) {
      for (const { payload, ...rest } of example.messages) {
        if (typeof payload !== "object" || payload === null) continue;
        const more = { ...payload, update: { state: "idle" }, unknown: [1, { a: null }], __proto__: { action: "sos" } };
        const setup = { base: adapter.base, devices: example.devices };
        expect(saidOf(message({ ...rest, payload: payloadOf(more) }), setup)).toEqual(
          saidOf(message({ ...rest, payload: payloadOf(payload) }), setup),
        );
      }
    }
  });

  test("sent twice, an alarm has the same identity: it is one Detection", () => {
    for (const { example } of examples) {
      const twice = capturedOf(example).flatMap((one) => [one, one]);
      const alarms = (list: typeof twice) =>
        playCaptured(kind, example, list, wall).filter((one) => "told" in one && isAlarm(one.told as Said)).length;
      expect(alarms(twice)).toBe(alarms(capturedOf(example)));
    }
  });

  test("whatever comes, it never throws, and what it tells keeps to our contracts", () => {
    const anyTopic = fc.oneof(
      fc.constantFrom(...everyMessage.map(({ topic }) => topic)),
      fc.string({ maxLength: 80 }),
      fc
        .array(fc.constantFrom("zigbee2mqtt", "application", "device", "event", "up", "", "+", "..", "__proto__"))
        .map((levels) => levels.join("/")),
    );
    const known = everyMessage.map(({ payload }) => new TextDecoder().decode(payload));
    const fieldNames = [...new Set(known.flatMap((text) => text.match(/(?<=")[a-zA-Z_:0-9]+(?=":)/g) ?? []))];
    const anyValue = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(
        "fall_alarm",
        "fall",
        "emergency",
        "ON",
        "alarm_triggered",
        "1, 1",
        "NotifyStatus",
        "NotifyEvent",
      ),
    );
    const someObject = fc.dictionary(fc.constantFrom(...fieldNames, "object", "__proto__", "constructor"), anyValue, {
      maxKeys: 8,
    });
    const anyObject = fc.oneof(
      someObject,
      fc
        .tuple(someObject, someObject, fc.constantFrom(...fieldNames, "object"))
        .map(([a, b, key]) => ({ ...a, [key]: b })),
    );
    const anyPayload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      anyObject.map((value) => payloadOf(value)),
      fc.constantFrom(...everyMessage.map(({ payload }) => payload)),
    );
    const one = fc.record({
      topic: anyTopic,
      payload: anyPayload,
      retained: fc.boolean(),
      now: fc.constantFrom(0, wall, wall + 5e12),
      heldAtMostMs: fc.constantFrom(0, 3_600_000),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), (messages) => {
        let memory = adapter.open();
        let state = openReports(7);
        let now = 0;
        for (const each of messages) {
          const [next, reading] = readForeign(adapter, each, everySetup, memory);
          memory = next;
          for (const said of reading.said) {
            now += 40_000;
            const step = stepReports(state, said, now);
            state = step.state;
            for (const told of step.told) {
              if (told.kind === "presence") PresenceReport.parse(told.report);
              if (told.kind === "help") HelpReport.parse(told.report);
              if (told.kind === "status") StatusReport.parse(told.report);
              if (told.kind === "fall") reportedFall("radar-38", told.fall, kind, each.now);
            }
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});

function matches(filter: string, topic: string): boolean {
  const [a, b] = [filter.split("/"), topic.split("/")];
  return a.length === b.length && a.every((level, at) => level === "+" || level === b[at]);
}
