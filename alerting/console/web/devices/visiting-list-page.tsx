import "./visiting-list.css";
import type { Visit, VisitingList } from "../../../visiting-list.ts";
import { useWords, type Words } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";

/** `#/visiting-list`, `#/visiting-list/all`: whom to look in at while gateways are silent, to be printed and carried. */
export default function VisitingListPage({ rest }: PageProps) {
  const words = useWords();
  const isAll = rest[0] === "all";
  const answer = useServerData<VisitingList>(`/visiting-list${isAll ? "?all=1" : ""}`, 60_000);
  return (
    <section class="visits" aria-labelledby="visits-title">
      <h1 id="visits-title">{words.say("devices.visits.title")}</h1>
      <Loaded of={answer}>{(list) => <List list={list} isAll={isAll} words={words} />}</Loaded>
    </section>
  );
}

function List({ list, isAll, words }: { list: VisitingList; isAll: boolean; words: Words }) {
  const { at, gateways, visits } = list;
  const withUnits = new Set(visits.map(({ unit }) => unit)).size > 1;
  const placeOf = ({ area, unit }: Visit) => [area, withUnits && unit].filter(Boolean).join(", ");
  return (
    <>
      <p>{words.say("devices.visits.made", { time: words.dateAndTime(at), count: visits.length })}</p>
      <ul>
        {gateways.map(({ gatewayId, lostAt }) => (
          <li key={gatewayId}>
            {words.say("devices.visits.gateway", { gateway: gatewayId, time: words.time(lostAt, at) })}
          </li>
        ))}
      </ul>
      <div class="visits-tools">
        {visits.length > 0 && (
          <button type="button" class="primary" onClick={() => print()}>
            {words.say("devices.visits.print")}
          </button>
        )}
        <a class="button secondary" href={isAll ? hrefOf("visiting-list") : hrefOf("visiting-list", "all")}>
          {words.say(isAll ? "devices.visits.only-lost" : "devices.visits.all")}
        </a>
      </div>
      {visits.length === 0 ? (
        <p class="calm">{words.say(gateways.length === 0 ? "devices.visits.none" : "devices.visits.nobody")}</p>
      ) : (
        <table>
          <caption>{words.say("devices.visits.caption")}</caption>
          <thead>
            <tr>
              <th scope="col">{words.say("devices.visits.order")}</th>
              <th scope="col">{words.say("devices.visits.key")}</th>
              <th scope="col">{words.say("devices.visits.area")}</th>
              <th scope="col">{words.say("devices.visits.why")}</th>
              <th scope="col">{words.say("devices.visits.last")}</th>
              <th scope="col" class="visits-paper">
                {words.say("devices.visits.visited")}
              </th>
            </tr>
          </thead>
          <tbody>
            {visits.map((visit, n) => (
              <tr key={`${visit.unit} ${visit.key}`}>
                <td>{n + 1}</td>
                <th scope="row">{visit.key}</th>
                <td class="visits-text">{placeOf(visit)}</td>
                <td class="visits-text">{whyOf(words, visit, at)}</td>
                <td>
                  {visit.lastSeenAt === null ? words.say("devices.visits.never") : words.time(visit.lastSeenAt, at)}
                </td>
                <td class="visits-paper" />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function whyOf(words: Words, { priority, pause }: Visit, at: number): string {
  const paused = pause && words.say("devices.visits.why.paused", { time: words.time(pause.until, at) });
  if (priority === "paused") return paused ?? "";
  return [words.say(`devices.visits.why.${priority}`), paused].filter(Boolean).join(", ");
}
