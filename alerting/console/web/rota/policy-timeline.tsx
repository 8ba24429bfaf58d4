import type { PoliciesView, PolicyStepView } from "../../policies/api.ts";
import { useWords } from "../language.ts";
import { phonesText, stepText, waitText } from "./policy-words.ts";

const height = 46;
/** What is left for whom is told at the end, which takes no time. */
const endShare = 0.2;

interface Props {
  steps: readonly PolicyStepView[];
  operators: PoliciesView["operators"];
}

/** The steps as a line of time: each as long as it waits, and at its end who is told before it begins again. */
export function PolicyTimeline({ steps, operators }: Props) {
  const words = useWords();
  const whole = steps.reduce((sum, { waitSeconds }) => sum + waitSeconds, 0);
  const percent = (seconds: number) => `${((seconds / whole) * (1 - endShare) * 100).toFixed(3)}%`;
  let after = 0;
  const placed = steps.map((step, index) => {
    const here = {
      after,
      x: percent(after),
      width: percent(step.waitSeconds),
      first: `${index + 1}. ${namesOf(step)}`,
      step,
    };
    after += step.waitSeconds;
    return here;
  });
  const end = { after: waitText(words, whole), who: phonesText(words, operators) };
  const told = placed.map((one) =>
    words.say("rota.timeline-step", { after: waitText(words, one.after), who: stepText(words, one.step) }),
  );
  const label = words.say("rota.timeline", { steps: [...told, words.say("rota.timeline-end", end)].join("; ") });
  const last = { x: percent(whole), width: `${endShare * 100}%` };
  return (
    <svg class="rota-timeline" width="100%" height={height} role="img" aria-label={label}>
      {placed.map(({ after: at, first, ...place }, index) => (
        <Piece key={at} {...place} kind={index % 2 === 0 ? "even" : "odd"} first={first} second={waitText(words, at)} />
      ))}
      <Piece {...last} kind="end" first={operators.map(({ name }) => name).join(", ")} second={`${end.after} ↺`} />
    </svg>
  );
}

interface PieceProps {
  x: string;
  width: string;
  kind: "even" | "odd" | "end";
  first: string;
  second: string;
}

function Piece({ x, width, kind, first, second }: PieceProps) {
  return (
    <g class={kind}>
      <rect x={x} y="1" width={width} height={height - 2} />
      <svg x={x} y="0" width={width} height={height} aria-hidden="true">
        <text class="rota-first" x="6" y="18">
          {first}
        </text>
        <text x="6" y="36">
          {second}
        </text>
      </svg>
    </g>
  );
}

const namesOf = ({ responders, rotas, groups }: PolicyStepView) =>
  [...responders.map(({ name }) => name), ...rotas.map(({ name }) => name), ...groups.map(({ id }) => id)].join(", ");
