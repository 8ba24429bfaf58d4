import type { GatewayEvent } from "../../firmware-contracts/intake.ts";

/**
 * What gateways have said of themselves, since alerting was started. It is not stored: a gateway in trouble says so again each minute.
 */
export interface GatewayTroubles {
  /** Returns whether it is news. */
  take(gatewayId: string, at: number, event: GatewayEvent["event"]): boolean;
  /** Whether any gateway is without its broker. */
  readonly brokerLost: boolean;
}

export function createGatewayTroubles(): GatewayTroubles {
  const lost = new Map<string, number>();
  return {
    take(gatewayId, at, event) {
      if (event === "broker-lost") {
        const isNews = !lost.has(gatewayId);
        lost.set(gatewayId, at);
        return isNews;
      }
      lost.delete(gatewayId);
      return true;
    },
    get brokerLost() {
      return lost.size > 0;
    },
  };
}
