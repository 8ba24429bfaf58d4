import { expect, test } from "vitest";
import { certificateUri, holderOf } from "./certificate-name.ts";

const gateway = certificateUri({ kind: "gateway", id: "stairwell-3" });
const device = certificateUri({ kind: "device", id: "watch-1" });

test.each([
  ["a gateway's", "stairwell-3", `URI:${gateway}`, { kind: "gateway", id: "stairwell-3" }],
  ["a device's", "watch-1", `URI:${device}`, { kind: "device", id: "watch-1" }],
  ["a device's with other names beside", "watch-1", `DNS:a.example, URI:${device}`, { kind: "device", id: "watch-1" }],
  [
    "a device's of another authority, by its common name alone",
    "watch-1",
    undefined,
    { kind: "device", id: "watch-1" },
  ],
  ["one for two", "watch-1", `URI:${device}, URI:${gateway}`, null],
  ["a device's that says it is a gateway's too", "watch-1", `URI:${device}, URI:urn:fallvakt:gateway:watch-1`, null],
  ["a gateway's with another's common name", "watch-1", `URI:${gateway}`, null],
  ["of a kind that there is not", "watch-1", "URI:urn:fallvakt:console:watch-1", null],
  ["one in other letters, which is no device's either", "stairwell-3", "URI:URN:Fallvakt:gateway:stairwell-3", null],
  ["one with more behind the id", "stairwell-3", `URI:${gateway}/x`, null],
  ["a name that holds another", "stairwell-3", `DNS:"x, URI:${gateway}, y"`, null],
  ["one without a common name", undefined, `URI:${gateway}`, null],
  ["one with two", ["a", "b"], undefined, null],
])("%s", (_name, CN, subjectaltname, holder) => {
  expect(holderOf({ subject: { CN }, subjectaltname })).toEqual(holder);
});
