import type { Evidence, ReportedFall } from "../../../../firmware-contracts/detection.ts";
import type { PresenceEvidence } from "../../../../firmware-contracts/presence.ts";
import { useWords } from "../language.ts";
import { presenceIn } from "./presence-words.ts";
import type { Moment } from "./why-words.ts";

/** Why this alarmed, as a paragraph. */
export function Why({ lines }: { lines: readonly string[] }) {
  const words = useWords();
  return (
    <section aria-labelledby="why-title">
      <h3 id="why-title">{words.say("episode.why.title")}</h3>
      <p class="episode-why">{lines.join(" ")}</p>
    </section>
  );
}

/** What the detector saw and concluded, each at its moment. */
export function Moments({ moments }: { moments: readonly Moment[] }) {
  const words = useWords();
  if (moments.length === 0) return null;
  return (
    <section aria-labelledby="moments-title">
      <h3 id="moments-title">{words.say("episode.moment.title")}</h3>
      <ol class="episode-moments">
        {moments.map(({ at, text }, index) => (
          <li key={`${at}-${index}`}>
            <span class="at">{momentTime(words, at)}</span>
            <span>{text}</span>
          </li>
        ))}
      </ol>
      <p class="small">{words.say("episode.moment.note")}</p>
    </section>
  );
}

/** `+2,5 s` from the impact; minutes where it is longer. */
function momentTime(words: ReturnType<typeof useWords>, at: number): string {
  const sign = at < 0 ? "−" : at > 0 ? "+" : "";
  const length = Math.abs(at);
  if (length < 120) return `${sign}${words.number(length, length > 0 && length < 10 ? 1 : 0)} s`;
  return `${sign}${words.number(length / 60)} min`;
}

/** The detector's figures in words; what is not known is said to be so. */
export function Measured({ evidence }: { evidence: Evidence | null }) {
  const words = useWords();
  if (!evidence) return <p class="small">{words.say("measured.none")}</p>;
  const seconds = (value: number | null) =>
    value === null ? words.say("measured.not-known") : `${words.number(value, value < 10 ? 1 : 0)} s`;
  const { peakG, fallMs, tiltDeg, stillSeconds, unknownSeconds, presence, rangeG, rateHz } = evidence;
  return (
    <section aria-labelledby="measured-title">
      <h3 id="measured-title">{words.say("detail.measured")}</h3>
      <dl class="measured">
        <dt>{words.say("measured.peak")}</dt>
        <dd>{words.number(peakG, 1)} g</dd>
        {fallMs !== undefined && (
          <>
            <dt>{words.say("measured.fall")}</dt>
            <dd>{seconds(fallMs === null ? null : fallMs / 1000)}</dd>
          </>
        )}
        <dt>{words.say("measured.tilt")}</dt>
        <dd>{tiltDeg === null ? words.say("measured.not-known") : `${words.number(tiltDeg)}°`}</dd>
        <dt>{words.say("measured.still")}</dt>
        <dd>{seconds(stillSeconds)}</dd>
        {unknownSeconds > 0 && (
          <>
            <dt>{words.say("measured.unknown")}</dt>
            <dd>{seconds(unknownSeconds)}</dd>
          </>
        )}
        <dt>{words.say("episode.measured.sensor")}</dt>
        <dd>{words.say("episode.measured.range", { range: words.number(rangeG), rate: words.number(rateHz) })}</dd>
      </dl>
      {presence && <Seen presence={presence} />}
    </section>
  );
}

/** What a sensor said that judges by itself: its word stands as it came, and nothing of it was measured here. */
export function Reported({ fall }: { fall: ReportedFall }) {
  const words = useWords();
  return (
    <section aria-labelledby="reported-title">
      <h3 id="reported-title">{words.say("reported.title")}</h3>
      <dl class="measured">
        <dt>{words.say("reported.sensor")}</dt>
        <dd>{fall.sensor}</dd>
        <dt>{words.say("reported.state")}</dt>
        <dd>{fall.state}</dd>
      </dl>
      <p class="small">{words.say("reported.note")}</p>
    </section>
  );
}

/** What presence sensors said for and against it, and which were not counted. */
function Seen({ presence }: { presence: PresenceEvidence }) {
  const words = useWords();
  return (
    <>
      <h4>{words.say("presence.title")}</h4>
      <ul class="small">
        {presenceIn(words, presence).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  );
}
