import type { Clock } from "../../../firmware-contracts/clock.ts";
import { explainsMarginMs, type JudgedLookUp, judged, spanOfMonth } from "../../audit/sample.ts";
import type { AlertingConfig } from "../../config.ts";
import { dateOfDay, zoneOf } from "../../rota/local-time.ts";
import type { Store } from "../../store/store.ts";
import { maySeeUnit } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import { LookUps, LookUpsQuery, type LookUpView } from "./api.ts";

/** Look-ups in one answer. */
const most = 500;
/** Months that may be chosen. */
const shownMonths = 24;

const viewOf = ({ at, seq, by, via, what, key, unit, onShift, explainedBy, episodes }: JudgedLookUp): LookUpView => ({
  ...{ seq, at, account: by, via, what, key, unit, onShift, explainedBy, episodes },
});

/** The month that runs, and those before it. */
function monthsUpTo(today: string): string[] {
  const [year = 0, month = 1] = today.split("-").map(Number);
  return Array.from({ length: shownMonths }, (_, back) => {
    const count = year * 12 + month - 1 - back;
    return `${Math.floor(count / 12)}-${String((count % 12) + 1).padStart(2, "0")}`;
  });
}

/** Who looked at what: accounts and key numbers, and nothing of what they saw. */
export function auditArea({
  config,
  clock,
  store,
}: {
  config: Pick<AlertingConfig, "timeZone">;
  clock: Clock;
  store: () => Pick<Store, "audit">;
}): ConsoleArea {
  const zone = zoneOf(config.timeZone);
  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/audit/look-ups",
        tag: "Audit",
        summary: "Looks at residents' sheets and consents in a month, the unexplained first",
        needs: "audit.read",
        query: LookUpsQuery,
        answer: LookUps,
      },
      async ({ account, query }) => {
        const months = monthsUpTo(dateOfDay(zone.dayOf(clock.wallNow())));
        const month = query.month ?? months[0] ?? "";
        const { from, until } = spanOfMonth(month, zone);
        const own = (await store().audit.lookUps(from, until, explainsMarginMs))
          .filter(({ unit }) => maySeeUnit(account, unit))
          .map(judged)
          .reverse();
        const accounts = [...new Set(own.flatMap(({ by }) => by ?? []))].sort();
        const asked = own.filter(
          ({ by, key }) =>
            (query.account === undefined || by === query.account) &&
            (query.key === undefined || key?.toLowerCase() === query.key.toLowerCase()),
        );
        const [unexplained, explained] = [
          asked.filter(({ explainedBy }) => explainedBy === null),
          asked.filter(({ explainedBy }) => explainedBy !== null),
        ];
        return {
          ...{ month, months, accounts },
          marginMinutes: explainsMarginMs / 60_000,
          unexplained: unexplained.length,
          explained: explained.length,
          lookUps: [...unexplained, ...explained].slice(0, most).map(viewOf),
          leftOut: Math.max(0, asked.length - most),
        };
      },
    );
  };
}
