import cliProgress from "cli-progress";

/** A bar on stderr, so that stdout stays free for results. */
export interface Progress {
  begin(what: string, total: number): void;
  step(count: number, loss?: number): void;
  end(): void;
}

export function startProgress(): Progress {
  const bar = new cliProgress.SingleBar(
    {
      format: "{what} {bar} {percentage} % · loss {loss} · {eta_formatted} left",
      stream: process.stderr,
      clearOnComplete: true,
      etaBuffer: 50,
    },
    cliProgress.Presets.shades_classic,
  );
  let loss = "–";
  return {
    begin(what, total) {
      bar.stop();
      bar.start(total, 0, { what, loss });
    },
    step(count, now) {
      if (now !== undefined && !Number.isNaN(now)) loss = now.toFixed(3);
      bar.increment(count, { loss });
    },
    end: () => bar.stop(),
  };
}
