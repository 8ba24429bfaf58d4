import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { openApiFile, openApiOfService } from "./openapi-file.ts";

interface Operation {
  operationId: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: { in: string; name: string }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { description: string }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, { type: string; scheme?: string }> };
}

const committed = readFileSync(new URL("../docs/openapi.json", import.meta.url), "utf8");
const document = JSON.parse(committed) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

let ofService: Record<string, unknown>;
beforeAll(async () => {
  ofService = await openApiOfService();
});

test("docs/openapi.json is what the service says of itself; node front-door/openapi-file.ts writes it again", () => {
  expect(committed).toBe(openApiFile(ofService));
});

describe("it is a sound description", () => {
  test("every schema is one by JSON Schema 2020-12, in all its parts", () => {
    // A record names what it requires by propertyNames, which strictRequired does not look at.
    const ajv = new Ajv2020({ strict: true, strictRequired: false, validateFormats: false, allowUnionTypes: true });
    // The document is one schema's room: a reference to a component is found in it.
    ajv.addVocabulary(["openapi", "info", "servers", "paths", "components", "discriminator"]);
    ajv.addSchema(document as object, "api");
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` }), name).not.toThrow();
    }
  });

  test("every reference leads to something, and every component is used", () => {
    const used = new Set<string>();
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (key === "$ref") used.add(String(inner));
        else walk(inner);
      }
    };
    walk(document);
    for (const ref of used) {
      const found = ref
        .replace(/^#\//, "")
        .split("/")
        .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);
      expect(found, ref).toBeTypeOf("object");
    }
    const components = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(components.filter((ref) => !used.has(ref))).toEqual([]);
  });

  test("every address has an id of its own, its parameters, answers and who may", () => {
    expect(document.openapi).toBe("3.1.0");
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, method, operation } of operations) {
      const where = `${method} ${path}`;
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
      const declared = (operation.parameters ?? []).filter((one) => one.in === "path").map(({ name }) => name);
      expect(declared.sort(), where).toEqual(inPath);
      expect(Object.keys(operation.responses), where).toEqual(expect.arrayContaining(["4XX", "5XX"]));
      expect(
        Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status)),
        where,
      ).toBe(true);
      if (method === "get" || method === "delete") expect(operation.requestBody, where).toBeUndefined();
      for (const scheme of operation.security.flatMap((one) => Object.keys(one))) {
        expect(document.components.securitySchemes, where).toHaveProperty(scheme);
      }
      const takesKey = operation.parameters?.some(({ name }) => name === "idempotency-key") ?? false;
      expect(takesKey, where).toBe(method !== "get" && operation.security.length > 0);
    }
    expect(document.components.securitySchemes.token).toMatchObject({ type: "http", scheme: "bearer" });
  });
});

test("docs/api.md names every problem of accounts, and each that any address may refuse with", () => {
  const page = readFileSync(new URL("../docs/api.md", import.meta.url), "utf8");
  const ofAccounts = operations.filter(({ operation }) =>
    operation.tags.some((tag) => ["Session", "Accounts", "Own account"].includes(tag)),
  );
  const codes = ofAccounts.flatMap(({ operation }) =>
    (operation.responses["4XX"]?.description ?? "").replace("Refused: ", "").split(", "),
  );
  const missing = [...new Set(codes)].filter((code) => !page.includes(`\`${code}\``));
  expect(missing).toEqual([]);
});
