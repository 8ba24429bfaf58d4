import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprint, masterKeyText, newKey, readMasterKey, seal, unseal, unwrapKey, wrapKey } from "./seal.ts";

const place = { table: "residents", row: "r1", column: "sealed" };

test("what is sealed opens with its key at its place, whatever it is, and shows nothing", () => {
  const key = newKey();
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      const sealed = seal(key, text, place);
      expect(unseal(key, sealed, place).toString("utf8")).toBe(Buffer.from(text).toString("utf8"));
    }),
  );
  const sealed = Buffer.from(seal(key, "Zäta Qvistbergh", place), "base64");
  expect(sealed.includes("Qvistbergh")).toBe(false);
  expect(seal(key, "the same", place)).not.toBe(seal(key, "the same", place));
});

test("it opens at no other place, with no other key, and not where a byte was changed", () => {
  const key = newKey();
  const sealed = seal(key, "a text", place);
  expect(() => unseal(newKey(), sealed, place)).toThrow(/another key/);
  for (const other of [
    { table: "episode_log" },
    { row: "r2" },
    { column: "name" },
    { table: "residentsr1", row: "" },
  ]) {
    expect(() => unseal(key, sealed, { ...place, ...other })).toThrow(/another place/);
  }
  const bytes = Buffer.from(sealed, "base64");
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(() => unseal(key, changed.toString("base64"), place)).toThrow(i === 0 ? /no format/ : /was changed/);
  }
  expect(() => unseal(key, "", place)).toThrow(/no format/);
});

test("a dwelling's key opens for its holder alone, with the master key it was wrapped by", () => {
  const master = newKey();
  const key = newKey();
  const wrapped = wrapKey(master, key, "d1");
  expect(unwrapKey(master, wrapped, "d1").equals(key)).toBe(true);
  expect(() => unwrapKey(master, wrapped, "d2")).toThrow(/another place/);
  expect(() => unwrapKey(newKey(), wrapped, "d1")).toThrow(/another key/);
});

test("a master key is a line of text; what is none is not taken for one", () => {
  const key = newKey();
  const text = masterKeyText(key);
  expect(readMasterKey(`${text}\n`)?.equals(key)).toBe(true);
  for (const wrong of ["", text.slice(0, -4), text.slice(1), `${text}AAAA`, "fallvakt-master-key-1:"]) {
    expect(readMasterKey(wrong)).toBeNull();
  }
  expect(fingerprint(key)).toBe(fingerprint(readMasterKey(text) as typeof key));
  expect(fingerprint(key)).not.toBe(fingerprint(newKey()));
  expect(text).not.toContain(fingerprint(key));
});
