import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeReport } from "./reports.ts";
import { reportSchemas } from "./vectors.ts";

test("no bytes make a report's decoder throw", () => {
  for (const schema of Object.values(reportSchemas)) {
    const check = (bytes: Uint8Array) => {
      const decoded = decodeReport(schema, bytes);
      if (!decoded.ok) expect(decoded.reason).toMatch(/^(bad-json|bad-header|unknown-version)$/);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check));
    fc.assert(fc.property(fc.jsonValue(), (value) => check(new TextEncoder().encode(JSON.stringify(value)))));
  }
});

test("a refusal names the field and never the content", () => {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ v: 1, boot: 1, seq: 0, t: 0, sensor: "Anna Andersson", state: "on" }),
  );
  const decoded = decodeReport(reportSchemas.presence, bytes);
  expect(decoded).toMatchObject({ ok: false, reason: "bad-header" });
  if (!decoded.ok) {
    expect(decoded.detail).toMatch(/^sensor: /);
    expect(decoded.detail).not.toContain("Anna");
  }
});
