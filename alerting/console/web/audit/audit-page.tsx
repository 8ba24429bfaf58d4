import { useState } from "preact/hooks";
import type { LookUps, LookUpView } from "../../audit/api.ts";
import { useServerNow } from "../clock-hook.ts";
import { useWords, type Words } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { hrefOf } from "../route.ts";
import { Loaded, useServerData } from "../server-data.tsx";
import "./audit.css";

/** Who opened residents' sheets and consents: the looks that nothing explains first. */
export default function AuditPage({ user }: PageProps) {
  const words = useWords();
  const [month, setMonth] = useState<string | null>(null);
  const [account, setAccount] = useState("");
  const [key, setKey] = useState("");
  const asked = new URLSearchParams({
    ...(month && { month }),
    ...(account && { account }),
    ...(key.trim() && { key: key.trim() }),
  }).toString();
  const looks = useServerData<LookUps>(`/audit/look-ups${asked && `?${asked}`}`, 60_000);
  // What may be chosen stays while other looks are fetched.
  const [choices, setChoices] = useState<Pick<LookUps, "months" | "accounts" | "month"> | null>(null);
  const now = looks.data ?? choices;
  if (looks.data && choices !== looks.data) setChoices(looks.data);

  return (
    <section class="audit" aria-labelledby="audit-title">
      <h1 id="audit-title">{words.say("audit.title")}</h1>
      <div class="audit-filter">
        <label>
          {words.say("audit.month")}
          <select value={month ?? now?.month ?? ""} onChange={(event) => setMonth(event.currentTarget.value)}>
            {now?.months.map((one) => (
              <option key={one} value={one}>
                {monthWords(words, one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.say("audit.account")}
          <select value={account} onChange={(event) => setAccount(event.currentTarget.value)}>
            <option value="">{words.say("audit.everybody")}</option>
            {now?.accounts.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.say("audit.key")}
          <input
            type="search"
            autocomplete="off"
            maxLength={60}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
          />
        </label>
      </div>
      <Loaded of={looks}>
        {(data) => <Looks data={data} isLinked={user.permissions.includes("residents.read")} />}
      </Loaded>
    </section>
  );
}

const monthWords = (words: Words, month: string) => words.month(new Date(`${month}-15T12:00`).getTime());

function Looks({ data, isLinked }: { data: LookUps; isLinked: boolean }) {
  const words = useWords();
  const { unexplained, explained, marginMinutes, lookUps, leftOut, month } = data;
  return (
    <>
      <p role="status">
        <strong class={unexplained > 0 ? "audit-unexplained" : ""}>
          {words.say("audit.sum", { unexplained, explained })}
        </strong>
      </p>
      {lookUps.length === 0 && <p class="calm">{words.say("audit.none")}</p>}
      {lookUps.length > 0 && (
        <table class="audit-table">
          <caption class="unseen">{words.say("audit.caption", { month: monthWords(words, month) })}</caption>
          <thead>
            <tr>
              <th scope="col">{words.say("audit.who")}</th>
              <th scope="col">{words.say("audit.key")}</th>
              <th scope="col">{words.say("audit.why")}</th>
            </tr>
          </thead>
          <tbody>
            {lookUps.map((look) => (
              <Look key={look.seq} look={look} isLinked={isLinked} />
            ))}
          </tbody>
        </table>
      )}
      <p class="small">{words.say("audit.about", { minutes: marginMinutes })}</p>
      {leftOut > 0 && <p>{words.say("audit.left-out", { count: leftOut })}</p>}
    </>
  );
}

function Look({ look, isLinked }: { look: LookUpView; isLinked: boolean }) {
  const words = useWords();
  const now = useServerNow();
  const { at, account, via, what, key, unit, explainedBy, onShift, episodes } = look;
  const why =
    explainedBy === "alarm"
      ? words.say("audit.by-alarm", { codes: episodes.map(({ code }) => code).join(", ") })
      : explainedBy === "shift"
        ? words.say("audit.by-shift")
        : words.say(onShift === null ? "audit.unexplained-unknown" : "audit.unexplained");
  return (
    <tr>
      <th scope="row">
        <b>{account ?? words.say("audit.nobody")}</b>
        <span class="small">{words.time(at, now)}</span>
        {via === "cli" && <span class="small">{words.say("audit.cli")}</span>}
      </th>
      <td>
        {key === null ? (
          words.say("audit.erased")
        ) : isLinked ? (
          <a href={hrefOf("residents", key, unit ?? "")}>{key}</a>
        ) : (
          key
        )}
        <span class="small">{[unit, words.say(`audit.what.${what}`)].filter(Boolean).join(" · ")}</span>
      </td>
      <td class={explainedBy === null ? "audit-unexplained" : ""}>{why}</td>
    </tr>
  );
}
