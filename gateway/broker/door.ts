import { isIPv6 } from "node:net";

export interface DoorLimits {
  /** Connections at one time. */
  connections: number;
  /** Of them, from one address. */
  connectionsPerAddress: number;
  /** Of all, those that have not sent their CONNECT yet. */
  halfOpen: number;
}

/** Why a connection is turned away, or was sent away again. */
export type DoorRefusal = "too-many" | "too-many-from-one-address" | "half-open";

/** One connection's place. */
export interface Place {
  /** Its CONNECT has come: it is no longer sent away to make room. */
  connectCame(): void;
  /** The connection is gone. */
  leave(): void;
}

/**
 * Counts who stands at the broker's door. Where too many stand there without having said who they are, the one that has stood longest is sent
 * away: of the address that has most of them, so that a crowd from one place keeps nobody else out.
 */
export function createDoor(limits: DoorLimits, onRefusal: (why: DoorRefusal) => void) {
  let inAll = 0;
  let halfOpenInAll = 0;
  const perAddress = new Map<string, number>();
  /** Those without CONNECT by address, oldest first, with how to send each away. */
  const halfOpen = new Map<string, Map<Place, () => void>>();

  function sendOneAway(): void {
    let crowd: Map<Place, () => void> | null = null;
    for (const one of halfOpen.values()) if (!crowd || one.size > crowd.size) crowd = one;
    const [oldest] = crowd ?? [];
    if (!oldest) return;
    const [place, sendAway] = oldest;
    onRefusal("half-open");
    place.leave();
    sendAway();
  }

  return {
    /** A place for a connection from `address`, or null where it must be closed. `sendAway` closes it later, to make room. */
    enter(address: string, sendAway: () => void): Place | null {
      const from = networkOf(address);
      const already = perAddress.get(from) ?? 0;
      if (inAll >= limits.connections) {
        onRefusal("too-many");
        return null;
      }
      if (already >= limits.connectionsPerAddress) {
        onRefusal("too-many-from-one-address");
        return null;
      }
      if (halfOpenInAll >= limits.halfOpen) sendOneAway();
      inAll++;
      halfOpenInAll++;
      perAddress.set(from, (perAddress.get(from) ?? 0) + 1);
      const crowd = halfOpen.get(from) ?? new Map<Place, () => void>();
      halfOpen.set(from, crowd);
      let isGone = false;
      const place: Place = {
        connectCame() {
          if (!crowd.delete(place)) return;
          halfOpenInAll--;
          if (crowd.size === 0 && halfOpen.get(from) === crowd) halfOpen.delete(from);
        },
        leave() {
          if (isGone) return;
          isGone = true;
          place.connectCame();
          inAll--;
          const left = (perAddress.get(from) ?? 1) - 1;
          if (left > 0) perAddress.set(from, left);
          else perAddress.delete(from);
        },
      };
      crowd.set(place, sendAway);
      return place;
    },
  };
}

export type Door = ReturnType<typeof createDoor>;

/** An IPv4 address as it is; of an IPv6 address the first 64 bits, which one subscriber has to himself (RFC 6177). */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const front = head ? head.split(":") : [];
  const back = tail ? tail.split(":") : [];
  const groups =
    tail === undefined ? front : [...front, ...new Array<string>(8 - front.length - back.length).fill("0"), ...back];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
