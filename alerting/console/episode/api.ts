import { z } from "zod";
import { DetectionReason } from "../../../firmware-contracts/detection.ts";
import { blindReasons } from "../../blind-time/causes.ts";
import { EpisodeView } from "../api.ts";

const wallMs = z.number().int();

/** A text as it was sent, and what became of it. The number that it went to is not told. */
export const SentText = z
  .object({
    id: z.string(),
    to: z.string().meta({ description: "The responder's or patrol's name in the configuration" }),
    purpose: z.string(),
    step: z.number().int(),
    language: z.enum(["sv", "en"]),
    body: z.string(),
    at: wallMs.meta({ description: "When it was made" }),
    status: z.enum(["waiting", "accepted", "delivered", "failed", "unknown", "withdrawn"]),
    isShared: z
      .boolean()
      .meta({ description: "Several technical alarms went as one text, which named their codes instead" }),
    attempts: z.array(
      z.object({
        startedAt: wallMs,
        endedAt: wallMs.nullable(),
        outcome: z.enum(["accepted", "retryable", "permanent", "unknown"]).nullable(),
        reason: z.string().nullable().meta({ description: "The provider's or the connection's code" }),
      }),
    ),
    receipts: z.array(z.object({ at: wallMs, status: z.string(), errorCode: z.string().nullable() })),
  })
  .meta({ id: "SentText" });
export type SentText = z.infer<typeof SentText>;

/** A detection of the episode: what was concluded, of when, and when. */
export const JoinedDetection = z
  .object({
    id: z.string(),
    deviceId: z.string(),
    kind: z.enum(["fall", "help"]),
    strength: z.enum(["strong", "medium"]),
    reason: DetectionReason,
    impactAt: wallMs,
    detectedAt: wallMs,
    arrivedAt: wallMs,
    late: z.boolean(),
    score: z.number().nullable(),
    peakG: z.number().nullable(),
    model: z.string().nullable(),
  })
  .meta({ id: "JoinedDetection" });
export type JoinedDetection = z.infer<typeof JoinedDetection>;

/** What is kept of an episode beside its story. */
export const EpisodeRecord = z
  .object({
    texts: z.array(SentText).meta({ description: "The newest 200, in the order in which they were made" }),
    detections: z.array(JoinedDetection).meta({ description: "The first opened it, the others joined" }),
    threshold: z
      .object({ value: z.number().nullable().meta({ description: "Null: the model's own" }), since: wallMs })
      .nullable()
      .meta({
        description:
          "The threshold that the device had been given at the time; null: never another than the model's own",
      }),
    blind: z
      .array(z.object({ from: wallMs, until: wallMs, reason: z.enum(blindReasons) }))
      .nullable()
      .meta({ description: "When a fall in the dwelling could not have been seen in the day before; null: not known" }),
  })
  .meta({ id: "EpisodeRecord" });
export type EpisodeRecord = z.infer<typeof EpisodeRecord>;

/** A closed episode in a list. */
export const PastEpisode = EpisodeView.pick({
  ...{ id: true, code: true, kind: true, status: true, alias: true, unit: true, area: true, room: true, reason: true },
  ...{
    strength: true,
    trouble: true,
    impactAt: true,
    openedAt: true,
    late: true,
    test: true,
    takenBy: true,
    takenAt: true,
  },
  ...{ arrivedAt: true, closedAt: true, closedBy: true, outcome: true, done: true, floorMinutes: true },
}).meta({ id: "PastEpisode" });
export type PastEpisode = z.infer<typeof PastEpisode>;

export const PastEpisodes = z
  .object({
    episodes: z.array(PastEpisode).meta({ description: "By when they were opened, the latest first" }),
    before: wallMs.nullable().meta({ description: "Ask again with this for older ones; null: there are none" }),
  })
  .meta({ id: "PastEpisodes" });
export type PastEpisodes = z.infer<typeof PastEpisodes>;

export const PastQuery = z.object({
  before: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .meta({ description: "Opened before this, wall ms; left out: the latest" }),
  limit: z.coerce.number().int().min(1).max(100).default(30),
  alias: z.string().trim().min(1).max(60).optional().meta({ description: "Of this key number alone" }),
  only: z
    .enum(["alarms"])
    .optional()
    .meta({ description: "alarms: falls, help calls and welfare alarms, no faults and no tests" }),
});
