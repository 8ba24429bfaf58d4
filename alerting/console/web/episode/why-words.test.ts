import { describe, expect, test } from "vitest";
import { DetectionReason } from "../../../../firmware-contracts/detection.ts";
import { generatedEvidence, generatedFall } from "../../../../test/console/generated-board.ts";
import type { EpisodeDetail } from "../../api.ts";
import type { EpisodeRecord } from "../../episode/api.ts";
import { createWords } from "../language.ts";
import { momentsIn, whyIn } from "./why-words.ts";

const now = Date.UTC(2026, 0, 14, 2, 16);
const sv = createWords("sv");
const empty: EpisodeRecord = { texts: [], detections: [], threshold: null, blind: null };
const why = (patch: Partial<EpisodeDetail> = {}, record: Partial<EpisodeRecord> = {}) =>
  whyIn(sv, generatedFall(now, 4, patch), { ...empty, ...record }, now).join(" ");

describe("why it alarmed", () => {
  test("hit, score, threshold, posture and strength in one paragraph", () => {
    expect(why()).toMatch(
      /^Sensorn mätte en hård stöt på 4,5 g \d\d:\d\d\. Därefter mättes ingen rörelse fram till larmet\. /,
    );
    for (const part of ["wrist-1 gav rörelsen 0,97", "modellens vanliga gräns", "81°", "starka tecken på fall."]) {
      expect(why()).toContain(part);
    }
    expect(why({}, { threshold: { value: 0.42, since: now } })).toContain("egen gräns, 0,42");
  });

  test.each(["sv", "en"] as const)("every reason has its sentence, without a hole (%s)", (language) => {
    for (const reason of DetectionReason.options) {
      const lines = whyIn(createWords(language), generatedFall(now, 4, { reason }), empty, now);
      expect(lines.join(" "), reason).not.toMatch(/\{|undefined|null|NaN/);
    }
  });

  test("what is not known is said, and nothing is claimed in its place", () => {
    const evidence = { ...generatedEvidence(), score: 0, unknownSeconds: 7, tiltDeg: null };
    const text = why({ reason: "silent", evidence, strength: "medium" });
    expect(text).toContain("Därefter kom ingen signal.");
    expect(text).toContain("gav ingen poäng");
    expect(text).toContain("Under 7,0 s efter stöten kom ingen signal. Vad som hände då är inte känt.");
    expect(text).toContain("inte starka");
    expect(text).not.toMatch(/stilla|Lutningen|0,00/);
  });

  test("late, a clock that is wrong, and time without alarm before it", () => {
    const impactAt = now - 65 * 60_000;
    const detection = { deviceId: "w", impactAt, arrivedAt: now, detectedAt: now, clockSuspect: true };
    const blind = [{ from: now - 600_000, until: now - 300_000, reason: "overdue" as const }];
    const text = why({ late: true, impactAt, openedAt: now, detection }, { blind });
    expect(text).toContain("kom in 65 min efter att det hände");
    expect(text).toContain("klocka går fel");
    expect(text).toContain("utan larm i 5 minuter: ingen kontakt med sensorn");
  });

  test("presence counted for, or against", () => {
    const seen = (shift: number) => ({ ...generatedEvidence(), presence: { shift, items: [], unheard: [] } });
    expect(why({ evidence: seen(0.8) })).toContain("talade för ett fall");
    expect(why({ evidence: seen(-0.8) })).toContain("talade emot ett fall");
    expect(why({ evidence: seen(0) })).not.toContain("andra sensorer");
  });

  test("a sensor that judges by itself: its word, and that nothing was measured", () => {
    const reported = { sensor: "Heiman HS2FD", state: "fall_alarm", via: "zigbee2mqtt" };
    const text = why({ reason: "sensor-reported", evidence: null, model: null, reported });
    expect(text).toContain("Heiman HS2FD sade ”fall_alarm”");
    expect(text).not.toMatch(/stöt|poäng|skala/);
  });
});

test("what the detector saw stands at its moment: before the impact, at it, and when it judged", () => {
  const one = generatedFall(now, 4);
  const presence = {
    ...{ shift: 0.6, unheard: [] },
    items: [{ what: "still-at-floor" as const, since: one.impactAt + 1500, weight: 0.6, rooms: ["badrum"] }],
  };
  const detail = { ...one, evidence: { ...generatedEvidence(), presence } };
  const moments = momentsIn(sv, detail, null);
  expect(moments.map(({ at }) => at)).toEqual([-1, 0, 0.4, 1.5, 2.6]);
  expect(moments[0]!.text).toContain("0,24 s");
  expect(moments[1]!.text).toContain("4,5 g");
  expect(moments[3]!.text).toContain("nära golvet, badrum");
  expect(moments[4]!.text).toContain("Poäng 0,97, starka tecken. Dittills stilla 2,0 s, utan signal 0,0 s.");
  // A second fall joined it.
  const again = {
    ...{ id: "w.1.9.fall", deviceId: "w", kind: "fall" as const, strength: "medium" as const, reason: "soft" as const },
  };
  const times = {
    impactAt: one.impactAt + 299_000,
    detectedAt: one.impactAt + 300_000,
    arrivedAt: one.impactAt + 300_000,
  };
  const first = {
    ...again,
    strength: "strong" as const,
    reason: "still" as const,
    ...one.detection!,
    late: false,
    score: 0.97,
    peakG: 4.5,
    model: "m",
  };
  const later = { ...again, ...times, late: false, score: 0.61, peakG: 2, model: "m" };
  const all = momentsIn(sv, detail, { ...empty, detections: [first, later] });
  expect(all.at(-1)).toEqual({ at: 300, text: "Ett fall till bedömt: låg ned. Poäng 0,61, ej starka tecken." });
  expect(momentsIn(sv, { ...detail, evidence: null }, null)).toEqual([]);
});
