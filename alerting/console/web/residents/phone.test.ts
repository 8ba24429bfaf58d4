import { expect, test } from "vitest";
import { PhoneNumber } from "../../../config.ts";
import { phoneOf, shownPhone } from "./phone.ts";

test.each([
  ["070-123 45 67", "+46701234567"],
  ["08 123 456 78", "+46812345678"],
  ["+46 (70) 123 45 67", "+46701234567"],
  ["0047 22 86 44 00", "+4722864400"],
])("%s is %s", (written, phone) => {
  expect(phoneOf(written)).toEqual({ phone });
  expect(PhoneNumber.safeParse(phone).success).toBe(true);
});

test.each(["112", "1 1 2", "1177", "114 14", "+46112", "0046 1177"])("%s is nobody's contact", (written) => {
  expect(phoneOf(written)).toEqual({ wrong: "emergency" });
});

test.each(["", "12345", "070", "Anna"])("%j is no number", (written) => {
  expect(phoneOf(written)).toEqual({ wrong: "wrong" });
});

test("a Swedish mobile is shown as it is dialled", () => {
  expect(shownPhone("+46701234567")).toBe("070-123 45 67");
  expect(shownPhone("+46812345678")).toBe("+46812345678");
  expect(shownPhone("+4722864400")).toBe("+4722864400");
});
