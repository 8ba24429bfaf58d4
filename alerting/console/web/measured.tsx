import type { Evidence } from "../../../firmware-contracts/detection.ts";
import { useWords } from "./language.ts";

/** The detector's figures in words; what is not known is said to be so. */
export function Measured({ evidence }: { evidence: Evidence | null }) {
  const words = useWords();
  if (!evidence) return <p class="small">{words.say("measured.none")}</p>;
  const seconds = (value: number | null) =>
    value === null ? words.say("measured.not-known") : `${words.number(value, value < 10 ? 1 : 0)} s`;
  const { peakG, tiltDeg, stillSeconds, unknownSeconds } = evidence;
  return (
    <section aria-labelledby="measured-title">
      <h3 id="measured-title">{words.say("detail.measured")}</h3>
      <dl class="measured">
        <dt>{words.say("measured.peak")}</dt>
        <dd>{words.number(peakG, 1)} g</dd>
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
    </section>
  );
}
