import type { PresenceEvidence } from "../../../../firmware-contracts/presence.ts";
import type { Words } from "../language.ts";

/** What presence sensors said for and against a fall: a sentence for each thing seen, and one for the sensors that were not counted. */
export function presenceIn(words: Words, { items, unheard }: PresenceEvidence): string[] {
  const lines = items.map(({ what, since, rooms }) => {
    const [first = words.say("presence.no-room"), second] = rooms;
    const where = second === undefined ? first : words.say("presence.then", { first, second });
    return words.say(`presence.${what}`, { time: words.time(since), rooms: where });
  });
  if (lines.length === 0) lines.push(words.say("presence.nothing"));
  if (unheard.length > 0) {
    const devices = unheard.map(({ deviceId, why }) => `${deviceId} (${words.say(`presence.${why}`)})`).join(", ");
    lines.push(words.say("presence.unheard", { devices }));
  }
  return lines;
}
