import type { Stretch } from "./changes.ts";
import type { Plan, Span } from "./shifts.ts";

// What a change would make of a rota, before it is made. Nothing here does I/O or reads a clock.

/** Who is on call in a span, cut where that changes; where nobody is, with no responders. */
export function onCallBetween(plan: Plan, { from, until }: Span): Stretch[] {
  const stretches: Stretch[] = [];
  for (let at = from; at < until; ) {
    const next = Math.min(plan.nextChangeAt(at) ?? until, until);
    const responders = plan.onCallAt(at);
    const last = stretches.at(-1);
    if (last && last.responders.join() === responders.join()) last.until = next;
    else stretches.push({ from: at, until: next, responders });
    at = next;
  }
  return stretches;
}

/** Times in which somebody is on call before, and nobody after. */
export function gapsMade(before: readonly Stretch[], after: readonly Stretch[]): Span[] {
  return after
    .filter(({ responders }) => responders.length === 0)
    .flatMap((gap) =>
      before
        .filter(({ responders }) => responders.length > 0)
        .map(({ from, until }) => ({ from: Math.max(from, gap.from), until: Math.min(until, gap.until) }))
        .filter(({ from, until }) => from < until),
    )
    .reduce<Span[]>((gaps, gap) => {
      const last = gaps.at(-1);
      if (last?.until === gap.from) last.until = gap.until;
      else gaps.push({ ...gap });
      return gaps;
    }, []);
}

export interface RotaPreview {
  span: Span;
  before: Stretch[];
  after: Stretch[];
  /** What it leaves without anybody that was not so before. */
  gapsMade: Span[];
}

export function previewOf(before: Plan, after: Plan, span: Span): RotaPreview {
  const [was, will] = [onCallBetween(before, span), onCallBetween(after, span)];
  return { span, before: was, after: will, gapsMade: gapsMade(was, will) };
}
