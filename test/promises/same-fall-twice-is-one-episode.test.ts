import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import { Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
});
afterAll(() => town.close());

test("every frame of a fall sent again, in order and out of order, opens no second episode", async () => {
  const watch = await town.device("belt-1", "38");
  const played = await town.fall(watch);
  await town.text("patrol-1", /^LARM FALL/);

  const frames = played.frames.map(({ record }) =>
    encodeFrame({
      bootId: record.bootId,
      sequence: record.sequence,
      deviceTimeMs: record.deviceTimeMs,
      ageMs: 0,
      rateHz: record.rateHz,
      rangeG: record.rangeG,
      stored: false,
      clockUnset: false,
      samples: record.samples,
    }),
  );
  for (const frame of [...frames, ...[...frames].reverse()]) await watch.publishRaw("accel", frame);
  await town.pass(40_000);

  expect(town.alerting.episodes()).toHaveLength(1);
  expect(town.pagesOn("patrol-1")).toHaveLength(1);
  expect(town.events.filter((event) => event.type === "detection")).toHaveLength(1);
});

test("the same Detection handed in again is committed once; another one of the dwelling joins", async () => {
  const submitted = town.events.find((event) => event.type === "detection");
  const detection = town.alerting.backend.episode(town.alerting.episodes()[0]?.id ?? "");
  if (submitted?.type !== "detection" || !detection) throw new Error("no detection");
  const item = (id: string) => ({
    type: "detection" as const,
    detection: {
      v: 1 as const,
      id,
      deviceId: submitted.deviceId,
      kind: "fall" as const,
      strength: "strong" as const,
      reason: "at-once" as const,
      impactAt: submitted.impactAt,
      detectedAt: submitted.at,
      arrivedAt: submitted.impactAt,
      late: false,
      clockSuspect: false,
      evidence: null,
      model: null,
      test: false,
    },
  });
  await Promise.all(Array.from({ length: 10 }, () => town.alerting.intake.submit(item(submitted.detectionId))));
  expect(town.alerting.episodes()).toHaveLength(1);
  expect(town.alerting.backend.board()[0]?.repeats).toBe(0);

  await town.alerting.intake.submit(item("belt-1.1.99.fall"));
  expect(town.alerting.episodes()).toHaveLength(1);
  expect(town.alerting.backend.board()[0]?.repeats).toBe(1);
});
