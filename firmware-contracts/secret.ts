import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/**
 * scrypt's cost. A device's secret has 160 random bits that nobody guesses, so a low cost keeps a whole building's reconnect short;
 * a person's password is guessable and gets what OWASP's Password Storage Cheat Sheet asks for (N = 2^15, r = 8, p = 3).
 */
export const scryptCost = { device: { N: 2 ** 10, p: 1 }, password: { N: 2 ** 15, p: 3 } } as const;

/** A fresh secret: 160 random bits as 27 characters. */
export function newSecret(): string {
  return randomBytes(20).toString("base64url");
}

/** `scrypt$<N>$<p>$<salt>$<hash>`, salt and hash as base64url. */
export async function hashSecret(secret: string, cost: keyof typeof scryptCost): Promise<string> {
  const salt = randomBytes(16);
  const { N, p } = scryptCost[cost];
  const hash = await derive(secret, salt, 32, N, p);
  return `scrypt$${N}$${p}$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}

/** True where `secret` made `stored`. A stored text that is no such hash is false, never an error. */
export async function verifySecret(secret: string, stored: string): Promise<boolean> {
  const [kind, costText, parallelText, salt, hash] = stored.split("$");
  const N = Number(costText);
  const p = Number(parallelText);
  const isCost = Number.isInteger(Math.log2(N)) && N >= 2 && N <= 2 ** 17 && Number.isInteger(p) && p >= 1 && p <= 8;
  if (kind !== "scrypt" || !salt || !hash || !isCost) return false;
  const expected = Buffer.from(hash, "base64url");
  // A hash cut short would be met by chance, and an empty one by every secret.
  if (expected.length < 16 || expected.length > 64) return false;
  const actual = await derive(secret, Buffer.from(salt, "base64url"), expected.length, N, p);
  return timingSafeEqual(expected, actual);
}

function derive(secret: string, salt: Buffer, length: number, N: number, p: number): Promise<Buffer> {
  const options: ScryptOptions = { N, r: 8, p, maxmem: 256 * 8 * (N + p) };
  return new Promise((resolve, reject) =>
    scrypt(secret, salt, length, options, (error, key) => (error ? reject(error) : resolve(key))),
  );
}
