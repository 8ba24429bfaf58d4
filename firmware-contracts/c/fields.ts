import { z } from "zod";
import { type BinaryLayout, type BinaryLayoutField, binaryTypes } from "../binary.ts";

// C lines for the fields of a binary message: the same layout and bounds that the TypeScript reads.

/** A field as C has it. Bounds are of the value on the wire; null where the type itself holds them. */
export interface CField extends BinaryLayoutField {
  /** Name in the struct; a scaled field says so: `rate_hz_x100`. */
  cName: string;
  cType: string;
  bytes: number;
  min: number | null;
  max: number | null;
  /** Kept out of the struct: the version, and what is reserved. */
  isHidden: boolean;
}

export function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll("-", "_");
}

export function cFields(schema: z.ZodObject, layout: BinaryLayout): CField[] {
  const { properties } = inlined(schema);
  return layout.fields.map((field) => {
    const { minimum = 0, maximum } = properties[field.name] ?? {};
    const bytes = binaryTypes[field.type];
    const min = Math.round(minimum * field.scale);
    const max = maximum === undefined ? null : Math.round(maximum * field.scale);
    return {
      ...field,
      bytes,
      cName: snake(field.name) + (field.scale === 1 ? "" : `_x${field.scale}`),
      cType: `uint${bytes * 8}_t`,
      min: min > 0 ? min : null,
      max: max !== null && max < 2 ** (bytes * 8) - 1 ? max : null,
      isHidden: field.name === "version" || field.name.startsWith("reserved"),
    };
  });
}

/** What the generator looks at in a JSON Schema. */
export interface PropertySchema {
  type?: string;
  const?: number | string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  binary?: string;
  description?: string;
}

/** A zod object's JSON Schema, with the object itself in place of the reference that its id makes. */
export function inlined(schema: z.ZodObject): { properties: Record<string, PropertySchema>; required: string[] } {
  const json = z.toJSONSchema(schema, { io: "input" }) as unknown as {
    $ref?: string;
    $defs?: Record<string, { properties: Record<string, PropertySchema>; required: string[] }>;
    properties: Record<string, PropertySchema>;
    required: string[];
  };
  return json.$defs?.[json.$ref?.split("/").at(-1) ?? ""] ?? json;
}

export function structLines(fields: CField[]): string[] {
  return fields
    .filter((field) => !field.isHidden)
    .map(({ cType, cName, description, scale }) => {
      const step = scale === 1 ? "" : `, in 1/${scale}`;
      return `    ${cType} ${cName}; /* ${description}${step} */`;
    });
}

/** Puts the fields of `*m` at `out`. */
export function putLines(fields: CField[], version: number): string[] {
  return fields.map(({ name, cName, offset, bytes, isHidden }) => {
    const value = name === "version" ? String(version) : isHidden ? "0" : `m->${cName}`;
    return `    put_le(out + ${offset}, ${value}, ${bytes});`;
  });
}

/** Gets the fields of `*m` from `bytes`. */
export function getLines(fields: CField[]): string[] {
  return fields
    .filter((field) => !field.isHidden)
    .map(({ cName, cType, offset, bytes }) => `    m->${cName} = (${cType})get_le(bytes + ${offset}, ${bytes});`);
}

/** Refuses what the schema refuses, in the order of the fields; the first that is wrong gives the reason. */
export function checkLines(fields: CField[], reasonOf: (name: string) => string): string[] {
  return fields
    .filter((field) => !field.isHidden && (field.min !== null || field.max !== null))
    .map(({ name, cName, min, max, bytes }) => {
      const literal = (value: number) => (bytes === 8 ? `UINT64_C(${value})` : `${value}u`);
      const tests = [
        ...(min === null ? [] : [`m->${cName} < ${literal(min)}`]),
        ...(max === null ? [] : [`m->${cName} > ${literal(max)}`]),
      ];
      return `    if (${tests.join(" || ")}) return ${reasonOf(name)};`;
    });
}
