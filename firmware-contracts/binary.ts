import { z } from "zod";

/** Integer types a binary field can have; all are little-endian on the wire. */
export const binaryTypes = { u8: 1, u16: 2, u32: 4, u64: 8 } as const;
export type BinaryType = keyof typeof binaryTypes;

/** What stands in a field's `.meta()`: its type on the wire, and what one step of it is worth. */
export interface BinaryMeta {
  binary: BinaryType;
  /** Value on the wire = value × scale (so a rate in hundredths of a hertz has scale 100). Default 1. */
  scale?: number;
}

const binaryLimits: Record<BinaryType, number> = {
  u8: 0xff,
  u16: 0xffff,
  u32: 0xffff_ffff,
  u64: Number.MAX_SAFE_INTEGER,
};

/**
 * A number schema with its place on the wire.
 * The schema is bounded by what the type can hold, so that a value zod accepts can always be written.
 */
export function binaryField(binary: BinaryType, description: string, scale = 1) {
  const limit = binaryLimits[binary] / scale;
  const number = scale === 1 ? z.number().int() : z.number();
  return number.min(0).max(limit).meta({ binary, scale, description });
}

export interface BinaryLayoutField {
  name: string;
  type: BinaryType;
  scale: number;
  offset: number;
  description: string;
}

export interface BinaryLayout {
  fields: BinaryLayoutField[];
  /** Bytes from the first field's start to the last one's end; there is no padding. */
  size: number;
}

/** Reads the byte layout of a zod object from its fields' `.meta()`, in the order they are written down. */
export function layoutOf(schema: z.ZodObject): BinaryLayout {
  const fields: BinaryLayoutField[] = [];
  let offset = 0;
  for (const [name, field] of Object.entries(schema.shape)) {
    const meta = (field as z.ZodType).meta() as (BinaryMeta & { description?: string }) | undefined;
    if (!meta?.binary) throw new Error(`Field "${name}" has no binary type in its .meta()`);
    fields.push({ name, type: meta.binary, scale: meta.scale ?? 1, offset, description: meta.description ?? "" });
    offset += binaryTypes[meta.binary];
  }
  return { fields, size: offset };
}

/** Writes one object's fields at the start of `view`. The values must have passed the schema. */
export function writeFields(layout: BinaryLayout, view: DataView, value: Record<string, number>): void {
  for (const { name, type, scale, offset } of layout.fields) {
    const raw = Math.round((value[name] ?? 0) * scale);
    if (type === "u8") view.setUint8(offset, raw);
    else if (type === "u16") view.setUint16(offset, raw, true);
    else if (type === "u32") view.setUint32(offset, raw, true);
    else view.setBigUint64(offset, BigInt(raw), true);
  }
}

/** Reads the fields back. A 64-bit value beyond 2^53 is returned as the inexact number it becomes, for zod to refuse. */
export function readFields(layout: BinaryLayout, view: DataView): Record<string, number> {
  const value: Record<string, number> = {};
  for (const { name, type, scale, offset } of layout.fields) {
    if (type === "u8") value[name] = view.getUint8(offset) / scale;
    else if (type === "u16") value[name] = view.getUint16(offset, true) / scale;
    else if (type === "u32") value[name] = view.getUint32(offset, true) / scale;
    else value[name] = Number(view.getBigUint64(offset, true)) / scale;
  }
  return value;
}
