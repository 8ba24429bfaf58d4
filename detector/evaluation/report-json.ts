/**
 * JSON for people and programs: what holds no further objects or lists stands on one line, so that a trial is a line, and numbers are rounded to
 * six decimals.
 */
export function toJson(value: unknown, indent = ""): string {
  if (typeof value === "number") return JSON.stringify(Number(value.toFixed(6)));
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((one) => ["", one])
    : Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([key, one]) => [`${JSON.stringify(key)}: `, one]);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return open + close;
  if (entries.every(([, one]) => one === null || typeof one !== "object")) {
    const pad = Array.isArray(value) ? "" : " ";
    return `${open}${pad}${entries.map(([key, one]) => key + toJson(one)).join(", ")}${pad}${close}`;
  }
  const deeper = `${indent}  `;
  const lines = entries.map(([key, one]) => `${deeper}${key}${toJson(one, deeper)}`);
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}
