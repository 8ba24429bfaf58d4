import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { WelfareEvent } from "../../firmware-contracts/intake.ts";
import type { Counters } from "../counters.ts";
import { type ChangeKeeper, createChangeKeeper } from "../outbox/change-keeper.ts";
import type { Kept } from "../outbox/kept-tables.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { OutboxStore } from "../outbox/store.ts";
import type { SteadyTime } from "../stream/steady-time.ts";

export interface WelfareKeeperOptions {
  store: Pick<OutboxStore, "readWelfare">;
  outbox: Pick<Outbox, "keepWelfare">;
  clock: Clock;
  counters: Counters;
  /** What is known of a dwelling now; null where nothing is. */
  bodyOf(dwelling: string): Kept | null;
}

/** Keeps what is known of dwellings, and until when the gateway has listened. */
export interface WelfareKeeper extends Omit<ChangeKeeper<WelfareEvent>, "start"> {
  /** What was kept, and until when the gateway had listened, in steady time; null where it never had. */
  read(): Promise<{ kept: Kept[]; heardUntil: WallMs | null }>;
  start(time: SteadyTime): void;
}

export function createWelfareKeeper({ store, outbox, ...options }: WelfareKeeperOptions): WelfareKeeper {
  let time: SteadyTime | null = null;
  const keeper = createChangeKeeper<WelfareEvent>({
    ...options,
    keep: (changes) => outbox.keepWelfare({ ...changes, heardUntil: time?.now() ?? 0 }),
    counts: { notKept: "welfare.not-kept", dropped: "welfare.dropped" },
  });
  return {
    read: () => store.readWelfare(),
    start(steady) {
      time = steady;
      keeper.start();
    },
    changed: keeper.changed,
    forget: keeper.forget,
    get busy() {
      return keeper.busy;
    },
    stop: keeper.stop,
  };
}
