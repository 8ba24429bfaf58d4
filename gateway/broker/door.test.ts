import { expect, test } from "vitest";
import { createDoor, networkOf } from "./door.ts";

function open(limits: Partial<Parameters<typeof createDoor>[0]>) {
  const refused: string[] = [];
  const away: string[] = [];
  const door = createDoor({ connections: 100, connectionsPerAddress: 100, halfOpen: 100, ...limits }, (why) =>
    refused.push(why),
  );
  const enter = (address: string, name = address) => door.enter(address, () => void away.push(name));
  return { enter, refused, away };
}

test("no more than so many connections in all, and from one address; who leaves makes room", () => {
  const { enter, refused } = open({ connections: 3, connectionsPerAddress: 2 });
  const first = enter("10.0.0.1");
  enter("10.0.0.1");
  expect(enter("10.0.0.1")).toBeNull();
  expect(enter("10.0.0.2")).not.toBeNull();
  expect(enter("10.0.0.3")).toBeNull();
  expect(refused).toEqual(["too-many-from-one-address", "too-many"]);
  first?.leave();
  first?.leave();
  expect(enter("10.0.0.3")).not.toBeNull();
  expect(enter("10.0.0.4")).toBeNull();
});

test("a crowd that does not say who it is loses its oldest, and keeps nobody else out", () => {
  const { enter, away } = open({ halfOpen: 3 });
  enter("10.0.0.9", "lone");
  const crowd = ["a", "b", "c", "d"].map((name) => enter("10.0.0.1", name));
  expect(away).toEqual(["a", "b"]);
  // Who has sent its CONNECT is not sent away.
  crowd[2]?.connectCame();
  crowd[3]?.connectCame();
  enter("10.0.0.2", "x");
  enter("10.0.0.3", "y");
  expect(away).toEqual(["a", "b"]);
  enter("10.0.0.4", "z");
  expect(away).toEqual(["a", "b", "lone"]);
});

test("an IPv6 subscriber is one address, however many it uses", () => {
  expect(networkOf("2001:db8:1:2::1")).toBe(networkOf("2001:db8:1:2:ffff:1:2:3"));
  expect(networkOf("2001:db8:1:2::1")).not.toBe(networkOf("2001:db8:1:3::1"));
  expect(networkOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
  expect(networkOf("fe80::1%eth0")).toBe(networkOf("fe80::2"));
});
