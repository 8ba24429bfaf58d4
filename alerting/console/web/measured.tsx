import type { Evidence, ReportedFall } from "../../../firmware-contracts/detection.ts";
import type { PresenceEvidence } from "../../../firmware-contracts/presence.ts";
import { useWords } from "./language.ts";
import { presenceIn } from "./presence-words.ts";

/** The detector's figures in words; what is not known is said to be so. */
export function Measured({ evidence }: { evidence: Evidence | null }) {
  const words = useWords();
  if (!evidence) return <p class="small">{words.say("measured.none")}</p>;
  const seconds = (value: number | null) =>
    value === null ? words.say("measured.not-known") : `${words.number(value, value < 10 ? 1 : 0)} s`;
  const { peakG, fallMs, tiltDeg, stillSeconds, unknownSeconds, presence } = evidence;
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
