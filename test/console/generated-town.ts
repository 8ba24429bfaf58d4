import type { NightShift } from "./night-shift.ts";
import { operator } from "./night-shift.ts";

// A town in numbers, for what must stay quick; generated-night.ts has one with a story.

/** A town's unit and its areas, as they stand in the register. */
export const townUnit = "Gustavsberg";
const areas = ["Gustavsberg syd", "Gustavsberg norr", "Charlottendal", "Ekobacken", "Grisslinge", "Mölnvik"];
const rooms = ["badrum", "sovrum", "kök", "hall", "vardagsrum"];

/** The configuration under which a full town stays as it is while it is looked at: nobody further is paged within the hour. */
export const calmPolicy = { steps: [{ responders: ["patrol-2"], waitSeconds: 3600 }] };

export const townDevice = (index: number) => `town-${index}`;
/** Its dwelling's key number. */
export const townKey = (index: number) => String(1000 + index);

/** A town of so many watched homes, one wearable in each, all heard from just now. */
export async function settleTown(shift: NightShift, devices: number): Promise<void> {
  const { registry, intake } = shift.alerting();
  const indices = Array.from({ length: devices }, (_, index) => index);
  await registry.addDevices(
    indices.map((index) => ({
      deviceId: townDevice(index),
      placement: "wrist",
      key: townKey(index),
      unit: townUnit,
      area: areas[index % areas.length]!,
      room: rooms[index % rooms.length]!,
      consentBy: operator.name,
    })),
    { inOperation: { by: operator.name, reason: "generated town" }, allowSimilarAliases: true },
  );
  const at = Math.round(shift.clock.wallNow());
  await Promise.all(
    indices.map((index) => {
      const deviceId = townDevice(index);
      const battery = 20 + ((index * 37) % 80);
      const event = {
        v: 1,
        id: `${deviceId}/heard`,
        deviceId,
        gatewayId: "stairwell-1",
        at,
        event: "heartbeat",
        battery,
      };
      return intake.submit({ type: "device-event", event } as Parameters<typeof intake.submit>[0]);
    }),
  );
}

/** Falls in the first `count` homes of the town, none of which anybody has taken. */
export async function fallInTown(shift: NightShift, count: number, from = 0): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const deviceId = townDevice(from + index);
      return shift.fall(townKey(from + index), { deviceId, id: `${deviceId}/1/7/fall` });
    }),
  );
}
