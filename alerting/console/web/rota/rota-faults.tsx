import type { RotaFault, RotaView, RotaWeek } from "../../rota/api.ts";
import { useWords, type Words } from "../language.ts";
import { dayText, momentText, nameOf, spanText } from "./rota-words.ts";

/** What is wrong with a rota, in words; where nothing is, that it is well. */
export function RotaFaults({ rota, week }: { rota: RotaView; week: RotaWeek }) {
  const words = useWords();
  const urgent = rota.faults.filter(isUrgent);
  const others = rota.faults.filter((fault) => !isUrgent(fault));
  return (
    <>
      {urgent.length > 0 && (
        <section class="rota-faults" aria-label={words.say("rota.faults", { count: urgent.length })}>
          <strong>{words.say("rota.faults", { count: urgent.length })}</strong>
          <ul>
            {urgent.map((fault) => (
              <li key={faultText(words, fault, week)}>
                {faultText(words, fault, week)} {fault.kind === "gap" && words.say("rota.gap-means")}
              </li>
            ))}
          </ul>
        </section>
      )}
      {urgent.length === 0 && <p class="rota-well">{words.say("rota.well")}</p>}
      {others.map((fault) => (
        <p key={faultText(words, fault, week)} class="warning">
          {faultText(words, fault, week)}
        </p>
      ))}
    </>
  );
}

const isUrgent = ({ kind }: RotaFault) => kind !== "pattern-gap" && kind !== "holidays-end";

function faultText(words: Words, fault: RotaFault, { people, now }: RotaWeek): string {
  const { kind } = fault;
  if (kind === "gap") return words.say("rota.gap", { span: spanText(words, fault) });
  if (kind === "pattern-gap") return words.say("rota.pattern-gap", { span: spanText(words, fault), more: fault.more });
  if (kind === "holidays-end") return words.say("rota.holidays-end", { date: dayText(words, fault.date) });
  const name = nameOf(fault.responderId, people);
  if (kind === "left-out") return words.say("rota.left-out", { change: fault.change, name });
  const since = momentText(words, fault.since, now.date);
  if (kind === "not-answered") return words.say("rota.not-answered", { name, since });
  return words.say("rota.no-texts", { name, since, span: spanText(words, fault, now.date) });
}
