/** What is put into the page to measure it there, where presses and paints have their times. */
export interface ConsoleProbe {
  /** When the first text and the first open episode were in sight, ms from the page's start. */
  paints(): { first: number; card: number };
  /** From now on waits until `there` matches something and `gone` nothing, painted; an empty `there`: until anything in the page changes. */
  watch(there: string, gone?: string): void;
  /** What was watched for is in sight: by the machine's clock, and since the last press or key, ms. */
  seen(): Promise<{ at: number; sincePress: number }>;
  /** From a press or key to the next paint, as the browser tells it in steps of 8 ms: the slowest since it was asked last. Under 16 ms it tells nothing. */
  slowest(): Promise<number>;
}

declare global {
  interface Window {
    consoleProbe: ConsoleProbe;
  }
}

/** Runs in the page, before its own scripts; it must need nothing from outside. */
export function installConsoleProbe(): void {
  let pressedAt = 0;
  let card = 0;
  let watched: Promise<{ at: number; sincePress: number }> | null = null;
  for (const kind of ["pointerdown", "keydown"]) {
    addEventListener(kind, (event) => (pressedAt = event.timeStamp), true);
  }

  /** Resolves when what stands in the document now is on the screen. */
  const painted = () =>
    new Promise<void>((resolve) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve();
        port2.postMessage(null);
      });
    });

  function until(isThere: (mutated: boolean) => boolean): Promise<void> {
    if (isThere(false)) return painted();
    return new Promise((resolve) => {
      const observer = new MutationObserver(() => {
        if (!isThere(true)) return;
        observer.disconnect();
        void painted().then(resolve);
      });
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    });
  }

  let slowest = 0;
  const events = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) slowest = Math.max(slowest, duration);
  });
  events.observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);

  void until(() => document.querySelector(".card") !== null).then(() => (card = performance.now()));
  window.consoleProbe = {
    paints: () => ({ first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN, card }),
    watch(there, gone = "") {
      const armedAt = performance.now();
      watched = until((mutated) =>
        there === ""
          ? mutated && pressedAt >= armedAt
          : document.querySelector(there) !== null && (gone === "" || document.querySelector(gone) === null),
      ).then(() => ({ at: Date.now(), sincePress: performance.now() - pressedAt }));
    },
    async slowest() {
      // The browser tells of an event after the paint that follows it.
      await new Promise((resolve) => setTimeout(resolve, 150));
      const told = slowest;
      slowest = 0;
      return told;
    },
    seen: () => watched ?? Promise.reject(new Error("nothing is watched for")),
  };
}
