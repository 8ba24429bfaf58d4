import fc from "fast-check";
import { expect, test } from "vitest";
import { hashSecret, newSecret, scryptCost, verifySecret } from "./secret.ts";

test.each(Object.keys(scryptCost) as (keyof typeof scryptCost)[])(
  "a %s's secret verifies, another does not",
  async (cost) => {
    const secret = newSecret();
    const stored = await hashSecret(secret, cost);
    expect(stored).toMatch(/^scrypt\$\d+\$\d\$[\w-]{22}\$[\w-]{43}$/);
    expect(stored).not.toContain(secret);
    expect(await verifySecret(secret, stored)).toBe(true);
    expect(await verifySecret(`${secret}x`, stored)).toBe(false);
    expect(await hashSecret(secret, cost)).not.toBe(stored);
  },
);

test("secrets have 160 bits and differ", () => {
  const secrets = new Set(Array.from({ length: 1000 }, newSecret));
  expect(secrets.size).toBe(1000);
  for (const secret of secrets) expect(Buffer.from(secret, "base64url").length).toBe(20);
});

test("a text that is no hash verifies nothing, and is no error", async () => {
  const good = await hashSecret("s", "device");
  const [, , , salt, hash] = good.split("$");
  const bad = [
    "",
    "s",
    "scrypt",
    "scrypt$1024$1$$",
    `scrypt$1024$1$${salt}$!`,
    `scrypt$1024$1$${salt}$AAAA`,
    `scrypt$1000$1$${salt}$${hash}`,
    `scrypt$1e99$1$${salt}$${hash}`,
    `scrypt$1024$0.5$${salt}$${hash}`,
    `scrypt$1024$99$${salt}$${hash}`,
    `bcrypt$1024$1$${salt}$${hash}`,
  ];
  for (const stored of bad) expect(await verifySecret("s", stored), stored).toBe(false);
  for (const [N, p] of [
    [2, 8],
    [2 ** 17, 1],
  ]) {
    expect(await verifySecret("s", `scrypt$${N}$${p}$${salt}$${hash}`)).toBe(false);
  }
  await fc.assert(
    fc.asyncProperty(fc.string(), async (stored) => {
      expect(await verifySecret("s", stored)).toBe(false);
    }),
  );
});
