import { Component, type ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTimedText } from "./clock-hook.ts";

/** Text that goes on with time. What stands around it is not drawn anew. */
export function Timed({ text }: { text: (now: number) => string }) {
  return <>{useTimedText(text)}</>;
}

interface Props {
  /** What `children` are made of. */
  of: readonly unknown[];
  children?: ComponentChildren;
}

/** Draws `children` anew only when one of `of` is another one: a board of hundreds must not be drawn at every sign of life. */
export class Unchanged extends Component<Props> {
  override shouldComponentUpdate({ of }: Props): boolean {
    return of.some((one, index) => one !== this.props.of[index]);
  }
  override render({ children }: Props): ComponentChildren {
    return children;
  }
}

/** What a screen shows, and a few more. */
const firstDrawn = () => (innerWidth < 960 ? 4 : 12);
const drawnAtATime = 24;

/** How many of `total` are to be drawn: the first at once, the others little by little, with time for a press in between. */
export function useLittleByLittle(total: number): number {
  const [drawn, setDrawn] = useState(firstDrawn);
  useEffect(() => {
    if (drawn >= total) return undefined;
    const more = setTimeout(() => setDrawn(drawn + drawnAtATime), 0);
    return () => clearTimeout(more);
  }, [drawn, total]);
  return Math.min(drawn, total);
}
