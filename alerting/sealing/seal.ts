import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";

const algorithm = "aes-256-gcm";
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** First byte of what is sealed, so that another format can come beside it. */
const format = 1;

/** Where a sealed value stands. It opens nowhere else: a row moved to another's place is found out. */
export interface Place {
  table: string;
  row: string | number;
  column: string;
}

/** Each part with its length, so that no two places read alike. */
function bound({ table, row, column }: Place): Buffer {
  return Buffer.from([table, String(row), column].map((part) => `${Buffer.byteLength(part)}:${part}`).join(","));
}

/** A fresh key of 256 bits. */
export function newKey(): KeyObject {
  return createSecretKey(randomBytes(keyBytes));
}

/** Seals `plain` for its place by AES-256-GCM: format, nonce, ciphertext and tag, as base64. */
export function seal(key: KeyObject, plain: string | Buffer, place: Place): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(bound(place));
  const sealed = [Buffer.of(format), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed).toString("base64");
}

/** Opens what `seal` made. @throws where key or place are others', or anything was changed. */
export function unseal(key: KeyObject, sealed: string, place: Place): Buffer {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes[0] !== format || bytes.length < 1 + nonceBytes + tagBytes) {
    throw new Error(`${place.table} ${place.row}: what is sealed there is of no format that this version knows`);
  }
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(1, 1 + nonceBytes))
    .setAAD(bound(place))
    .setAuthTag(bytes.subarray(-tagBytes));
  const opened = decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes));
  try {
    return Buffer.concat([opened, decipher.final()]);
  } catch {
    throw new Error(`${place.table} ${place.row}: it was sealed with another key or for another place, or was changed`);
  }
}

const wrapPlace = (holder: string): Place => ({ table: "sealing_keys", row: holder, column: "wrapped" });

/** Seals a data key with the master key, for its holder alone. */
export function wrapKey(master: KeyObject, key: KeyObject, holder: string): string {
  return seal(master, key.export(), wrapPlace(holder));
}

/** @throws as `unseal`. */
export function unwrapKey(master: KeyObject, wrapped: string, holder: string): KeyObject {
  return createSecretKey(unseal(master, wrapped, wrapPlace(holder)));
}

const head = "fallvakt-master-key-1:";

/** A master key as a line of text. */
export function masterKeyText(key: KeyObject): string {
  return head + key.export().toString("base64url");
}

/** Reads a master key. Null where the text is none. */
export function readMasterKey(text: string): KeyObject | null {
  const line = text.trim();
  if (!line.startsWith(head)) return null;
  const bytes = Buffer.from(line.slice(head.length), "base64url");
  return bytes.length === keyBytes ? createSecretKey(bytes) : null;
}

/** Says which master key it is, and nothing of what it is. */
export function fingerprint(master: KeyObject): string {
  return createHmac("sha256", master).update("fallvakt master key").digest("hex").slice(0, 16);
}
