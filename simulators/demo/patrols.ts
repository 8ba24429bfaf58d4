import type { Clock } from "../../firmware-contracts/clock.ts";
import type { PhoneNetwork } from "../phone-network/network.ts";
import { type Patrol, type ReadText, startPatrol } from "../phone-network/responder.ts";

/** A phone of the demo's staff. */
export interface Staff {
  id: string;
  name: string;
  phone: string;
}

export const staff = [
  { id: "patrol-1", name: "Patrull 1", phone: "+46701740601" },
  { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
  { id: "leader", name: "Gruppchef", phone: "+46701740603" },
] as const satisfies readonly Staff[];

/** The service's own number. */
export const serviceNumber = "+46766860000";

/** Every fifth alarm the first patrol cannot take, so that a viewer sees the next one paged. */
const declinedEvery = 5;

/**
 * Puts the staff on the network: the first patrol takes most alarms, the second what the first cannot, and the leader looks on.
 * They drive there in under a minute of the clock, which is fast: a demo should end.
 */
export function startPatrols(options: {
  clock: Clock;
  network: PhoneNetwork;
  /** What they find there, by the dwelling's words in the page: the letter of the outcome. */
  outcome: (alias: string | null) => string;
  onReply: (who: Staff, text: string) => void;
}): { stop(): void } {
  const { clock, network } = options;
  let paged = 0;
  const declined = new Set<string>();
  const patrols: Patrol[] = staff.slice(0, 2).map((who, index) =>
    startPatrol({
      clock,
      phone: network.addPhone(who.phone),
      takeAfterMs: index === 0 ? 12_000 : 18_000,
      arriveAfterMs: 40_000,
      outcomeAfterMs: 20_000,
      outcome: (page: ReadText) => options.outcome(page.alias),
      answer(page) {
        if (index > 0) return "T";
        if (declined.has(page.code)) return null;
        if (++paged % declinedEvery !== 0) return "T";
        declined.add(page.code);
        return "N";
      },
      onReply: (text) => options.onReply(who, text),
    }),
  );
  network.addPhone(staff[2].phone);
  return {
    stop: () => {
      for (const patrol of patrols) patrol.stop();
    },
  };
}
