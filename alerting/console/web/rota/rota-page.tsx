import "./rota.css";
import { useWords } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { hrefOf } from "../route.ts";
import { PoliciesPage } from "./policies-page.tsx";
import { WeekPage } from "./week-page.tsx";

/** Who is on call when, and who is paged in which order: `#/rota`, `#/rota/week/2026-W48`, `#/rota/policies`. */
export default function RotaPage({ user, rest }: PageProps) {
  const words = useWords();
  const mayReadPolicies = user.permissions.includes("policies.read");
  const [sub, week] = rest;
  const isPolicies = sub === "policies" && mayReadPolicies;
  return (
    <div class="rota">
      {mayReadPolicies && (
        <nav class="rota-tabs" aria-label={words.say("rota.tabs")}>
          <a href={hrefOf("rota")} aria-current={isPolicies ? undefined : "page"}>
            {words.say("rota.tab-week")}
          </a>
          <a href={hrefOf("rota", "policies")} aria-current={isPolicies ? "page" : undefined}>
            {words.say("rota.tab-policies")}
          </a>
        </nav>
      )}
      {isPolicies ? <PoliciesPage /> : <WeekPage week={sub === "week" ? (week ?? null) : null} />}
    </div>
  );
}
