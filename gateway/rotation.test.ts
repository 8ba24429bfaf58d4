import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../detector/classifier/classifier.ts";
import type { ControlDevice } from "../firmware-contracts/intake.ts";
import { hashSecret } from "../firmware-contracts/secret.ts";
import { type Bench, devicesNamed, openBench, until } from "./test-bench.ts";

let classifier: Classifier;
let device: ControlDevice;
let newHash: string;
let bench: Bench;

beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  [device] = (await devicesNamed("watch-1")) as [ControlDevice];
  newHash = await hashSecret("the-new-one", "device");
});
afterEach(() => bench?.close());

const old = () => bench.connect("watch-1");
const fresh = () => bench.connect("watch-1", { password: "the-new-one" });
const refusal = (connecting: Promise<unknown>) =>
  connecting.then(
    () => null,
    (error: { code?: number }) => error.code,
  );

/** The device's secret is replaced; the old one ends in `hours`. */
async function rotate(hours: number | null): Promise<void> {
  const previous =
    hours === null
      ? {}
      : { previousSecretHash: device.secretHash, previousSecretUntil: Math.round(Date.now() + hours * 3_600_000) };
  bench.intake.set([{ ...device, ...previous, secretHash: newHash }]);
  const version = bench.gateway.controlVersion;
  await until("the gateway has it", () => bench.gateway.controlVersion > version);
}

describe("a secret is replaced", () => {
  test("without a gap: the old one is valid until the new one was used, and that is told", async () => {
    bench = await openBench({ devices: [device], classifier });
    const connected = await old();
    await rotate(24);
    expect(connected.connected).toBe(true);
    expect((await old()).connected).toBe(true);
    expect((await fresh()).connected).toBe(true);
    expect(await refusal(old())).toBe(4);
    expect((await fresh()).connected).toBe(true);
    await until("told", () => bench.intake.events("online").some((event) => event.detail === "new-secret"));
    expect(bench.intake.events("online").filter((event) => event.detail === "new-secret")).toHaveLength(2);
  });

  test("the old one ends at its time where the new one is never used", async () => {
    bench = await openBench({ devices: [device], classifier });
    await rotate(-1);
    expect(await refusal(old())).toBe(4);
    expect((await fresh()).connected).toBe(true);
  });

  test("at once: a connection that came in with the old one is ended within 10 s", async () => {
    bench = await openBench({ devices: [device], classifier });
    const connected = await old();
    await rotate(null);
    await until("ended", () => !connected.connected);
    expect(await refusal(old())).toBe(4);
    expect((await fresh()).connected).toBe(true);
  });
});
