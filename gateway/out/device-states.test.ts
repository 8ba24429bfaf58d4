import { describe, expect, test } from "vitest";
import { nextEnd, type ShownDevices, type ShownInput, stepShown } from "./device-states.ts";
import { type MadeMessages, OutDeviceState, wantedMessages } from "./messages.ts";

const alarmMs = 15 * 60_000;
const names = { gatewayId: "gateway-1", discoveryPrefix: "homeassistant" };
const heard = (deviceId: string, event: string, detail?: string, battery?: number) =>
  ({
    kind: "event",
    event: { deviceId, event, ...(detail ? { detail } : {}), ...(battery ? { battery } : {}) },
  }) as ShownInput;
const fell = (deviceId: string, kind: "fall" | "help" = "fall"): ShownInput => ({
  kind: "detection",
  detection: { deviceId, kind },
});
const register = (devices: [id: string, dwelling?: string][], unwatched: string[] = []): ShownInput => ({
  kind: "register",
  devices: devices.map(([deviceId, dwelling]) => ({ deviceId, ...(dwelling ? { dwelling } : {}) })),
  unwatched: new Set(unwatched),
});

function play(...inputs: [seconds: number, input: ShownInput][]): ShownDevices {
  return inputs.reduce<ShownDevices>((shown, [at, input]) => stepShown(shown, input, at * 1000, alarmMs), new Map());
}
function state(shown: ShownDevices, device: string) {
  const text = wantedMessages(shown, { homeAssistant: true }, names, new WeakMap()).get(
    `fallvakt-out/v1/gateway-1/device/${device}/state`,
  );
  return text === undefined ? null : OutDeviceState.parse(JSON.parse(text));
}

describe("what is shown of a device", () => {
  test("a fall is on from when it is told until its time is over; help by itself", () => {
    const shown = play([0, heard("watch-1", "online")], [10, fell("watch-1")], [20, fell("watch-1", "help")]);
    expect(state(shown, "watch-1")).toMatchObject({ fall: "ON", help: "ON" });
    expect(nextEnd(shown)).toBe(10_000 + alarmMs);
    const later = stepShown(shown, { kind: "tick" }, 10_000 + alarmMs, alarmMs);
    expect(state(later, "watch-1")).toMatchObject({ fall: "OFF", help: "ON" });
    expect(nextEnd(later)).toBe(20_000 + alarmMs);
  });

  test("what a device last saw is not known once it is offline", () => {
    const seen = play([0, heard("radar-1", "presence", "radar:on")]);
    expect(state(seen, "radar-1")).toMatchObject({ presence: "ON", sensor: "radar" });
    expect(state(stepShown(seen, heard("radar-1", "offline"), 1, alarmMs), "radar-1")).toMatchObject({
      presence: null,
    });
  });

  test("without consent or in a pause neither presence nor a fall is shown, and help is", () => {
    const shown = play(
      [0, heard("radar-1", "presence", "radar:on")],
      [1, fell("radar-1")],
      [2, fell("radar-1", "help")],
      [3, register([["radar-1"]], ["radar-1"])],
    );
    expect(state(shown, "radar-1")).toMatchObject({ presence: null, fall: "OFF", help: "ON" });
  });

  test("who leaves the register is shown no more, and who was never heard is not either", () => {
    const shown = play([0, heard("watch-1", "heartbeat", undefined, 80)], [1, register([["watch-2"]])]);
    expect(shown.size).toBe(0);
    expect(state(play([0, heard("watch-1", "heartbeat", undefined, 80)]), "watch-1")).toMatchObject({ battery: 80 });
  });

  test("what changes nothing makes nothing new", () => {
    const shown = play([0, heard("watch-1", "online")], [1, register([["watch-1", "d1"]])]);
    expect(stepShown(shown, heard("watch-1", "heartbeat"), 5000, alarmMs)).toBe(shown);
    const made: MadeMessages = new WeakMap();
    const one = wantedMessages(shown, { homeAssistant: true }, names, made);
    const ticked = stepShown(shown, { kind: "tick" }, 9000, alarmMs);
    expect(made.has(ticked.get("watch-1")!)).toBe(true);
    expect(wantedMessages(ticked, { homeAssistant: true }, names, made)).toEqual(one);
  });
});

test("a dwelling's fall is any of its devices'; ids that could not stand in a topic are left out", () => {
  const shown = play(
    [0, heard("watch-1", "online")],
    [0, heard("radar-1", "online")],
    [0, heard("other-1", "online")],
    [
      1,
      register([
        ["watch-1", "d1"],
        ["radar-1", "d1"],
        ["other-1", "#/+"],
      ]),
    ],
    [2, fell("radar-1")],
  );
  const wanted = wantedMessages(shown, { homeAssistant: false }, names, new WeakMap());
  expect(JSON.parse(wanted.get("fallvakt-out/v1/gateway-1/dwelling/d1/state") ?? "")).toEqual({
    v: 1,
    fall: "ON",
    help: "OFF",
  });
  expect([...wanted.keys()].filter((topic) => topic.includes("dwelling"))).toHaveLength(1);
  expect([...wanted.keys()].some((topic) => topic.startsWith("homeassistant"))).toBe(false);
});
