import type { z } from "zod";
import { inlined, type PropertySchema, snake } from "./fields.ts";

// C for the JSON reports of a device. Only writers: a device reads none.

/** A C struct that stands for a report, and the function that writes it as JSON. */
export interface ReportSource {
  header: string[];
  source: string[];
}

function cMember(key: string, schema: PropertySchema, isRequired: boolean, type: string): string {
  const about = schema.description ?? "";
  const why = (unknown: string) => [about, isRequired ? "" : unknown].filter(Boolean).join("; ");
  const line = (declaration: string, comment: string) => `    ${declaration};${comment ? ` /* ${comment} */` : ""}`;
  if (schema.enum) return line(`${type}_${key} ${key}`, about);
  if (schema.type === "boolean") return line(`int8_t ${key}`, why("1 yes, 0 no, -1 not known: left out"));
  if (schema.type === "string")
    return line(`const char *${key}`, why(`ASCII, ${schema.maxLength} characters at most; NULL: left out`));
  if (schema.binary === "u64") return line(`uint64_t ${key}`, about);
  if (schema.binary || (schema.maximum ?? 0) > 127) return line(`uint32_t ${key}`, about);
  return line(`int8_t ${key}`, why("-1 not known: left out"));
}

/** One member's statements. `w` is the writer; a key is written with its comma in front. */
function writeLines(key: string, schema: PropertySchema, isRequired: boolean): string[] {
  const text = (json: string) => `    add_text(&w, "${json.replaceAll('"', '\\"')}");`;
  if (schema.const !== undefined) return [text(`{"${key}":${schema.const}`)];
  if (schema.enum) {
    const list = schema.enum.map((name) => `"${name}"`).join(", ");
    return [
      `    static const char *const ${key}_names[] = {${list}};`,
      `    if ((unsigned)m->${key} >= ${schema.enum.length}u) return 0;`,
      text(`,"${key}":"`),
      `    add_text(&w, ${key}_names[m->${key}]);`,
      `    add_text(&w, "\\"");`,
    ];
  }
  if (schema.type === "boolean")
    return [
      `    if (m->${key} >= 0) {`,
      `    ${text(`,"${key}":`)}`,
      `        add_text(&w, m->${key} ? "true" : "false");`,
      "    }",
    ];
  if (schema.type === "string")
    return [
      `    if (m->${key}) {`,
      `        if (!is_plain(m->${key}, ${schema.maxLength})) return 0;`,
      `    ${text(`,"${key}":"`)}`,
      `        add_text(&w, m->${key});`,
      `        add_text(&w, "\\"");`,
      "    }",
    ];
  const isNarrow = !schema.binary && (schema.maximum ?? 0) <= 127;
  if (isNarrow && !isRequired)
    return [
      `    if (m->${key} > ${schema.maximum}) return 0;`,
      `    if (m->${key} >= 0) {`,
      `    ${text(`,"${key}":`)}`,
      `        add_number(&w, (uint64_t)m->${key});`,
      "    }",
    ];
  const limit = schema.binary === "u64" ? [`    if (m->${key} > UINT64_C(${schema.maximum})) return 0;`] : [];
  return [...limit, text(`,"${key}":`), `    add_number(&w, m->${key});`];
}

/** `type` is the struct's name in C; the function is `<type>_json`. */
export function reportSource(schema: z.ZodObject, type: string, about: string): ReportSource {
  const { properties, required } = inlined(schema);
  const members = Object.entries(properties);
  const isRequired = (key: string) => required.includes(key);
  const enums = members.flatMap(([key, { enum: names }]) =>
    names
      ? [
          "typedef enum {",
          names.map((name) => `    ${`${type}_${snake(name)}`.toUpperCase()}`).join(",\n"),
          `} ${type}_${key};`,
          "",
        ]
      : [],
  );
  return {
    header: [
      ...enums,
      `/* ${about} */`,
      "typedef struct {",
      ...members
        .filter(([, member]) => member.const === undefined)
        .map(([key, member]) => cMember(key, member, isRequired(key), type)),
      `} ${type};`,
      "",
      "/* Writes it as JSON with a closing NUL. Returns the length without the NUL; 0 where it does not fit or a value may not be sent. */",
      `size_t ${type}_json(const ${type} *m, char *out, size_t out_size);`,
      "",
    ],
    source: [
      `size_t ${type}_json(const ${type} *m, char *out, size_t out_size)`,
      "{",
      "    writer w = {out, out_size, 0};",
      ...members.flatMap(([key, member]) => writeLines(key, member, isRequired(key))),
      `    add_text(&w, "}");`,
      "    return finish(&w);",
      "}",
      "",
    ],
  };
}

/** What the writers of reports stand on. No division of 64 bits: a Cortex-M has none, and a library's is larger than all this. */
export const reportBasis = `typedef struct {
    char *out;
    size_t size;
    size_t at; /* beyond size: it did not fit */
} writer;

static void add_text(writer *w, const char *text)
{
    for (; *text; text++, w->at++)
        if (w->at < w->size) w->out[w->at] = *text;
}

static void add_number(writer *w, uint64_t value)
{
    char digits[21];
    char *digit = digits + 20;
    uint16_t part[4];
    int i;
    for (i = 0; i < 4; i++) part[i] = (uint16_t)(value >> (48 - 16 * i));
    *digit = 0;
    do {
        uint32_t rest = 0;
        for (i = 0; i < 4; i++) {
            rest = rest << 16 | part[i];
            part[i] = (uint16_t)(rest / 10u);
            rest %= 10u;
        }
        *--digit = (char)('0' + rest);
    } while (part[0] | part[1] | part[2] | part[3]);
    add_text(w, digit);
}

/* Whether a text can stand in JSON as it is. */
static int is_plain(const char *text, size_t longest)
{
    size_t i;
    for (i = 0; text[i]; i++)
        if (i >= longest || text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\\\') return 0;
    return 1;
}

static size_t finish(writer *w)
{
    if (w->at >= w->size) return 0;
    w->out[w->at] = 0;
    return w->at;
}
`;
