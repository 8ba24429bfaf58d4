import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { asyncapiDocument, asyncapiText } from "./asyncapi.ts";
import { decodeFrame } from "./frame.ts";
import { decodeTimeSync } from "./time-sync.ts";
import { downlinks, parseUplinkTopic, uplinks } from "./topics.ts";

type Node = { [key: string]: unknown };
const committed = readFileSync(new URL("asyncapi.yaml", import.meta.url), "utf8");
const document = parse(committed);

function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : refsIn(inner),
  );
}

function resolve(reference: string): unknown {
  let at: unknown = document;
  for (const step of reference.replace(/^#\//, "").split("/")) at = (at as Node | undefined)?.[step];
  return at;
}

test("the committed AsyncAPI document is what the source says; else run node firmware-contracts/generate.ts", () => {
  expect(committed).toBe(asyncapiText());
  expect(document).toEqual(JSON.parse(JSON.stringify(asyncapiDocument())));
});

test("every reference is local and leads somewhere", () => {
  const references = refsIn(document);
  expect(references.length).toBeGreaterThan(20);
  for (const reference of references) {
    expect(reference).toMatch(/^#\//);
    expect(resolve(reference), reference).toBeTypeOf("object");
  }
});

test("every topic has a channel and an operation, and every channel is a topic", () => {
  const addresses = Object.values(document.channels as Record<string, { address: string }>).map((one) => one.address);
  const up = addresses.filter((address) => !address.includes("/down/"));
  const parsed = up.map((address) => parseUplinkTopic(address.replace("{deviceId}", "watch-17")));
  expect(parsed.map((one) => (one.ok ? one.uplink : one.detail)).sort()).toEqual(Object.keys(uplinks).sort());
  const down = addresses.filter((address) => address.includes("/down/"));
  expect(down).toEqual(Object.keys(downlinks).map((name) => `fallvakt/v1/{deviceId}/down/${name}`));
  const operations: { channel: { $ref: string }; action: string }[] = Object.values(document.operations);
  expect(operations.map(({ channel }) => channel.$ref).sort()).toEqual(
    Object.keys(document.channels)
      .map((key) => `#/channels/${key}`)
      .sort(),
  );
  for (const { channel, action } of operations)
    expect(action).toBe(channel.$ref.includes("down-") ? "send" : "receive");
});

test("the examples are what their schemas and decoders take", () => {
  const ajv = new Ajv({ strict: false }).addSchema({ $id: "doc", ...document });
  const messages = Object.entries(document.components.messages as Record<string, Node>);
  for (const [name, message] of messages) {
    if (message["x-example-hex"]) continue;
    const validate = ajv.getSchema(`doc#/components/schemas/${name}`);
    const examples = message.examples as { name: string; payload: unknown }[];
    expect(examples.length, name).toBeGreaterThan(0);
    for (const { payload, name: which } of examples) expect(validate?.(payload), `${name}: ${which}`).toBe(true);
    expect(validate?.({}), name).toBe(false);
  }
  const hex = (name: string) => Buffer.from(document.components.messages[name]["x-example-hex"], "hex");
  expect(decodeFrame(hex("AccelFrame")).ok).toBe(true);
  expect(decodeTimeSync(hex("TimeSync")).ok).toBe(true);
});
