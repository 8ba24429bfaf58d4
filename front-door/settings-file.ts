import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from "yaml";
import { z } from "zod";

/** What is wrong in a settings file: where, and what would mend it. */
export interface SettingsProblem {
  line: number | null;
  /** The key, as `alerting.twilio.from`. */
  key: string;
  problem: string;
}

export class SettingsError extends Error {
  override name = "SettingsError";
  readonly problems: SettingsProblem[];

  constructor(path: string, problems: SettingsProblem[]) {
    super(
      problems
        .map((p) => `${path}${p.line === null ? "" : `:${p.line}`}: ${p.key ? `${p.key}: ` : ""}${p.problem}`)
        .join("\n"),
    );
    this.problems = problems;
  }
}

/** A secret is written as itself, as `{ env: NAME }` or as `{ file: PATH }` (relative to the settings file). */
const SecretReference = z.union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })]);

/**
 * Reads a YAML settings file against a zod schema.
 * Wherever a text may stand, `{ env: NAME }` takes it from the environment and `{ file: PATH }` from a file.
 * @throws SettingsError with every problem, its line and key.
 */
export function readSettings<T extends z.ZodType>(schema: T, path: string, env: NodeJS.ProcessEnv): z.infer<T> {
  const lines = new LineCounter();
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new SettingsError(path, [
      { line: null, key: "", problem: "there is no such file. Write one with: fallvakt init" },
    ]);
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken) {
    throw new SettingsError(path, [{ line: lines.linePos(broken.pos[0]).line, key: "", problem: broken.message }]);
  }
  const problems: SettingsProblem[] = [];
  const report = (keys: PropertyKey[], problem: string) =>
    problems.push({ line: lineOf(document, lines, keys), key: keys.join("."), problem });
  const values = resolveSecrets(document.toJS() ?? {}, dirname(path), env, [], report);
  const checked = schema.safeParse(values);
  if (!checked.success) {
    for (const issue of checked.error.issues) {
      // A secret that could not be had was reported already, with its own mend.
      if (problems.some((p) => p.key === issue.path.join("."))) continue;
      report(issue.path, issue.message);
    }
  }
  if (problems.length > 0 || !checked.success) throw new SettingsError(path, problems);
  return checked.data;
}

/** Says on which line of a settings file a key stands, or the nearest above it that is written down. The file must be one that can be read. */
export function linesIn(path: string): (key: string) => number | null {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, "utf8"), { lineCounter: lines, prettyErrors: false });
  return (key) => lineOf(document, lines, key.split("."));
}

function resolveSecrets(
  value: unknown,
  folder: string,
  env: NodeJS.ProcessEnv,
  keys: PropertyKey[],
  report: (keys: PropertyKey[], problem: string) => void,
): unknown {
  const reference = SecretReference.safeParse(value);
  if (reference.success) {
    if ("env" in reference.data) {
      const found = env[reference.data.env];
      if (!found) report(keys, `the environment variable ${reference.data.env} is not set`);
      return found;
    }
    const file = isAbsolute(reference.data.file) ? reference.data.file : join(folder, reference.data.file);
    try {
      return readFileSync(file, "utf8").trim();
    } catch {
      report(keys, `the file ${file} cannot be read`);
      return undefined;
    }
  }
  if (Array.isArray(value)) return value.map((item, i) => resolveSecrets(item, folder, env, [...keys, i], report));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolveSecrets(item, folder, env, [...keys, key], report)]),
  );
}

/** The line of a key, or of the nearest key above it that is written down. */
function lineOf(document: Document, lines: LineCounter, keys: PropertyKey[]): number | null {
  for (let depth = keys.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(keys.slice(0, depth - 1) as string[], true);
    const own = document.getIn(keys.slice(0, depth) as string[], true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && String(item.key) === String(keys[depth - 1]))
      : null;
    const node = pair && isNode(pair.key) ? pair.key : isNode(own) ? own : null;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}

interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  allOf?: JsonSchema[];
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  enum?: unknown[];
  anyOf?: JsonSchema[];
}

/** One key of the settings, for `docs/configuration.md`. */
export interface DocumentedKey {
  key: string;
  type: string;
  default: string;
  description: string;
}

/** Every key a schema knows, in order, with what its `.meta()` says. */
export function documentedKeys(schema: z.ZodType): DocumentedKey[] {
  const rows: DocumentedKey[] = [];
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  // A schema with an id of its own is written down once, under $defs.
  const resolved = (node: JsonSchema): JsonSchema => {
    const reference = node.$ref ?? node.allOf?.[0]?.$ref;
    return reference ? { ...root.$defs?.[reference.replace("#/$defs/", "")], ...node } : node;
  };
  const walk = (at: JsonSchema, key: string) => {
    const node = resolved(at);
    const inner = node.anyOf?.find((option) => option.type !== "null") ?? node;
    if (inner.properties) {
      if (key && node.description) rows.push({ key, type: "section", default: "", description: node.description });
      for (const [name, child] of Object.entries(inner.properties)) walk(child, key ? `${key}.${name}` : name);
      return;
    }
    if (inner.type === "array" && inner.items?.properties) {
      rows.push({ key: `${key}[]`, type: "list", default: "", description: node.description ?? "" });
      walk({ ...inner.items, description: undefined }, `${key}[]`);
      return;
    }
    rows.push({
      key,
      type: inner.enum ? inner.enum.join(" \\| ") : (inner.type ?? "text"),
      default: node.default === undefined ? "" : `\`${JSON.stringify(node.default)}\``,
      description: node.description ?? "",
    });
  };
  walk(root, "");
  return rows;
}
