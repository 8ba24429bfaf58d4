import colours from "picocolors";
import { gapDays } from "../alerting/rota/faults.ts";
import { dayMs, weekOfDay } from "../alerting/rota/local-time.ts";
import type { RotaConfig } from "../alerting/rota/rota-config.ts";
import type { Span } from "../alerting/rota/shifts.ts";
import { type Line, type Piece, signOnState, weekTable } from "./rota-week.ts";
import { print } from "./table.ts";
import type { AtHand } from "./with-rotas.ts";

const colourOf: Record<Piece["tone"], (text: string) => string> = {
  plain: (text) => text,
  good: colours.green,
  bad: colours.red,
  faint: colours.dim,
};
const printLine = (line: Line) => {
  const text = line.map((piece) => colourOf[piece.tone](piece.text)).join("");
  print(text.trimEnd());
};

const heading = ({ id, name, unit }: RotaConfig) => `${name} (${id}${unit === undefined ? "" : `, ${unit}`})`;

/** `unreachable`: responders whose phones are known not to take texts. */
export function printWeek(
  at: AtHand,
  rota: RotaConfig,
  monday: number,
  unreachable: ReadonlySet<string> = new Set(),
): void {
  const { rotas, words, zone, now, config, nameOf } = at;
  print(colours.bold(`${heading(rota)}, ${words.week(weekOfDay(monday))}`));
  const lines = weekTable({
    rota,
    plan: rotas.plan(rota.id),
    holidays: config.holidays,
    zone,
    monday,
    now,
    nameOf,
    signOn: rotas.signOn,
    unreachable,
    words,
    width: Math.max(80, Math.min(process.stdout.columns ?? 80, 120)),
  });
  for (const line of lines) printLine(line);
}

/** Who is on call now, in the order of paging, who comes then, and the gaps of the next days. */
export function printNow(at: AtHand, rota: RotaConfig, unreachable: ReadonlySet<string> = new Set()): void {
  const { rotas, words, now, nameOf } = at;
  const plan = rotas.plan(rota.id);
  const next = plan.nextChangeAt(now);
  print(colours.bold(heading(rota)));
  const order = rotas.onCall(rota.id, now);
  const duty = rotas.onDuty(rota.id, now);
  if (order.length === 0) printLine([{ text: `  GAP  ${words.nobodyNow}`, tone: "bad" }]);
  else print(`  ${words.onCallNow(next === null ? "–" : words.moment(next))}`);
  for (const id of order) {
    const stint = duty.find(({ responderId }) => responderId === id);
    const state: Piece[] = stint ? [{ text: "  ", tone: "plain" }, signOnState(stint.signOn, words)] : [];
    if (unreachable.has(id)) state.push({ text: `  ${words.unreachable}`, tone: "bad" });
    printLine([{ text: `    ${nameOf(id).padEnd(20)}`, tone: "plain" }, ...state]);
  }
  if (next !== null) {
    print(`  ${words.next(words.moment(next))}`);
    const then = plan.onCallAt(next);
    if (then.length === 0) printLine([{ text: `    GAP  ${words.nobody}`, tone: "bad" }]);
    for (const id of then) print(`    ${nameOf(id)}`);
  }
  const gaps = plan.gapsBetween(now, now + gapDays * dayMs);
  if (gaps.length > 0)
    printGaps(
      at,
      gaps.map((gap) => ({ ...gap, rotaId: rota.id })),
      gapDays,
    );
}

/** Each gap on a line, or that there is none. */
export function printGaps({ words, rotas }: AtHand, gaps: readonly (Span & { rotaId: string })[], days: number): void {
  if (gaps.length === 0) print(words.noGaps(days));
  const names = new Map(rotas.list.map(({ id, name }) => [id, name]));
  for (const { rotaId, from, until } of gaps) {
    const span = `${words.moment(from)} – ${words.moment(until)}`;
    printLine([
      { text: "  GAP  ", tone: "bad" },
      { text: `${span.padEnd(34)} ${words.hours(until - from).padStart(7)}  ${names.get(rotaId)}`, tone: "bad" },
    ]);
  }
}

/** What `show --json` prints of a rota. Times are ISO 8601 in UTC. */
export function rotaAsJson(at: AtHand, rota: RotaConfig, monday: number | null) {
  const { rotas, zone, now } = at;
  const iso = (time: number) => new Date(time).toISOString();
  const plan = rotas.plan(rota.id);
  const from = monday === null ? now : zone.at(monday, 0);
  const until = monday === null ? now + 1 : zone.at(monday + 7, 0);
  return {
    id: rota.id,
    name: rota.name,
    from: iso(from),
    until: iso(until),
    shifts: plan.shiftsBetween(from, until).map((shift) => ({
      shiftId: shift.shiftId,
      startsAt: iso(shift.startsAt),
      endsAt: iso(shift.endsAt),
      overrideId: shift.overrideId,
      stretches: shift.stretches.map((one) => ({ ...one, from: iso(one.from), until: iso(one.until) })),
    })),
    gaps: plan.gapsBetween(from, until).map((gap) => ({ from: iso(gap.from), until: iso(gap.until) })),
    onCallNow: rotas.onCall(rota.id, now),
    signOns: rotas.onDuty(rota.id, now).map(({ responderId, startsAt, signOn }) => ({
      responderId,
      since: iso(startsAt),
      signedOnAt: signOn.signedOnAt === null ? null : iso(signOn.signedOnAt),
      missedAt: signOn.missedAt === null ? null : iso(signOn.missedAt),
      crew: signOn.crew,
    })),
  };
}
