import { type TroubleKind, troubleKinds } from "../../../episode-state.ts";
import type { EpisodeDetail } from "../../api.ts";
import type { EpisodeRecord } from "../../episode/api.ts";
import type { Words } from "../language.ts";

/** Why this alarmed, in sentences that a person reads in turn. It claims nothing that was not measured, and says what is not known. */
export function whyIn(words: Words, detail: EpisodeDetail, record: EpisodeRecord | null, now: number): string[] {
  return [...causeOf(words, detail, now), ...judgedIn(words, detail, record), ...doubtsIn(words, detail, record, now)];
}

function causeOf(
  words: Words,
  { kind, reason, reported, trouble, evidence, impactAt }: EpisodeDetail,
  now: number,
): string[] {
  const time = words.time(impactAt, now);
  if (reported) return [words.say("episode.why.reported", { sensor: reported.sensor, state: reported.state, time })];
  if (kind === "welfare" || kind === "test") return [words.say(`reason.${kind}`, { time })];
  if (reason === null) {
    const known: TroubleKind | undefined = troubleKinds.find((one) => one === trouble?.kind);
    return [words.say(`reason.${known ?? "sign-on"}`, { time })];
  }
  const peak = evidence ? words.number(evidence.peakG, 1) : words.say("measured.not-known");
  return [words.say(`episode.why.${reason}`, { time, peak })];
}

/** What the classifier made of it, and against what it was held. */
function judgedIn(
  words: Words,
  { evidence, kind, model, strength }: EpisodeDetail,
  record: EpisodeRecord | null,
): string[] {
  if (kind !== "fall" || !evidence) return [];
  const { score, tiltDeg, presence } = evidence;
  const lines: string[] = [];
  if (score > 0) {
    const named = { score: words.number(score, 2), model: model ?? words.say("measured.not-known") };
    lines.push(words.say("episode.why.score", named));
    const own = record?.threshold?.value ?? null;
    if (own !== null) lines.push(words.say("episode.why.threshold", { threshold: words.number(own, 2) }));
    else if (record) lines.push(words.say("episode.why.threshold-model"));
  } else lines.push(words.say("episode.why.no-score"));
  if (tiltDeg !== null) lines.push(words.say("episode.why.tilt", { degrees: words.number(tiltDeg) }));
  if (presence && presence.shift !== 0) {
    lines.push(words.say(presence.shift > 0 ? "episode.why.presence-for" : "episode.why.presence-against"));
  }
  if (strength) lines.push(words.say(`episode.why.${strength}`));
  return lines;
}

/** What makes it less sure, or late. */
function doubtsIn(words: Words, detail: EpisodeDetail, record: EpisodeRecord | null, now: number): string[] {
  const { evidence, detection, late, impactAt, openedAt } = detail;
  const lines: string[] = [];
  if (evidence && evidence.unknownSeconds > 0) {
    lines.push(words.say("episode.why.unknown", { seconds: words.number(evidence.unknownSeconds, 1) }));
  }
  if (late) {
    const times = { time: words.time(impactAt, now), received: words.time(openedAt, now) };
    lines.push(words.say("episode.why.late", { ...times, length: lateBy(words, openedAt - impactAt) }));
  }
  if (detection?.clockSuspect) lines.push(words.say("episode.why.clock"));
  if (record?.blind && record.blind.length > 0) {
    const minutes = Math.round(record.blind.reduce((sum, { from, until }) => sum + until - from, 0) / 60_000);
    const reasons = [...new Set(record.blind.map(({ reason }) => words.say(`episode.blind.${reason}`)))].join(", ");
    if (minutes > 0) lines.push(words.say("episode.why.blind", { minutes, reasons }));
  }
  return lines;
}

function lateBy(words: Words, ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 100
    ? words.say("time.minutes", { minutes })
    : words.say("time.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** Something that was seen or concluded, seconds from the impact. */
export interface Moment {
  at: number;
  text: string;
}

/** What the detector saw and concluded, in the order in which it was so. How its score moved is drawn below. */
export function momentsIn(words: Words, detail: EpisodeDetail, record: EpisodeRecord | null): Moment[] {
  const { evidence, detection } = detail;
  if (!evidence || !detection) return [];
  const since = (at: number) => (at - detection.impactAt) / 1000;
  const moments: Moment[] = [];
  const { fallMs, presence, stillSeconds, unknownSeconds } = evidence;
  if (fallMs)
    moments.push({ at: -1, text: words.say("episode.moment.weightless", { seconds: words.number(fallMs / 1000, 2) }) });
  moments.push({ at: 0, text: words.say("episode.moment.impact", { peak: words.number(evidence.peakG, 1) }) });
  moments.push({ at: since(detection.arrivedAt), text: words.say("episode.moment.arrived") });
  for (const item of presence?.items ?? []) {
    moments.push({
      at: since(item.since),
      text: words.say(`episode.moment.${item.what}`, { rooms: item.rooms.join(", ") || words.say("presence.no-room") }),
    });
  }
  const known = {
    still: stillSeconds === null ? words.say("measured.not-known") : `${words.number(stillSeconds, 1)} s`,
    unknown: `${words.number(unknownSeconds, 1)} s`,
  };
  const decided = record?.detections ?? [];
  if (decided.length === 0) {
    moments.push({
      at: since(detection.detectedAt),
      text: words.say("episode.moment.decided", { ...known, ...judgement(words, detail) }),
    });
  }
  for (const [index, one] of decided.entries()) {
    const judged = judgement(words, { ...one, evidence: { score: one.score ?? 0 } });
    const text =
      index === 0
        ? words.say("episode.moment.decided", { ...known, ...judged })
        : words.say("episode.moment.again", judged);
    moments.push({ at: since(one.detectedAt), text });
  }
  return moments.sort((a, b) => a.at - b.at);
}

function judgement(
  words: Words,
  {
    reason,
    strength,
    evidence,
  }: { reason: EpisodeDetail["reason"]; strength: EpisodeDetail["strength"]; evidence: { score: number } | null },
) {
  return {
    score: evidence && evidence.score > 0 ? words.number(evidence.score, 2) : words.say("episode.moment.none"),
    why: reason === null ? words.say("measured.not-known") : words.say(`why.${reason}`),
    strength: words.say(`episode.strength.${strength ?? "unknown"}`),
  };
}
