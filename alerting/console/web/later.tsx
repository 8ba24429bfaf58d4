import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

const retryMs = 1000;

/**
 * A part of the page whose code comes after what is needed first. `fetch` brings it before it is asked for; where the network fails it is tried again.
 */
export function createLater<P extends object>(load: () => Promise<ComponentType<P>>) {
  let coming: Promise<ComponentType<P>> | null = null;
  let there: ComponentType<P> | null = null;

  function fetch(): Promise<ComponentType<P>> {
    coming ??= load().then(
      (part) => {
        there = part;
        return part;
      },
      (error: unknown) => {
        coming = null;
        throw error;
      },
    );
    return coming;
  }

  function Later(props: P) {
    const [, redraw] = useState(0);
    useEffect(() => {
      if (there) return undefined;
      let retry: ReturnType<typeof setTimeout> | undefined;
      let stopped = false;
      const bring = () =>
        fetch().then(
          () => !stopped && redraw(1),
          () => {
            if (!stopped) retry = setTimeout(bring, retryMs);
          },
        );
      void bring();
      return () => {
        stopped = true;
        clearTimeout(retry);
      };
    }, []);
    const Part = there;
    return Part && <Part {...props} />;
  }

  return { Later, fetch: () => void fetch().catch(() => undefined) };
}
