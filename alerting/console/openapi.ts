import { z } from "zod";
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from "zod-openapi";
import { idempotencyHeader, type RouteSpec } from "./routes.ts";

/** RFC 9457, as every refusal is told. */
const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string().meta({ description: "What a program goes by" }),
    detail: z.string().meta({ description: "For engineers: what is wrong, and the mend" }),
  })
  .meta({ id: "Problem" });

const IdempotencyHeader = z.object({
  [idempotencyHeader]: z.string().min(16).max(128).optional().meta({
    description: "A fresh UUID for each thing to be done: asked again with it, it is done once, and answered as it was",
  }),
});

/** What any address may refuse with. */
const problemsOfAll = ["invalid", "no-session", "not-allowed", "not-found", "too-many", "other-site"];

const problemsOfKey = ["idempotency-mismatch", "idempotency-unknown"];

/** Whether an address lets its work be done once by an idempotency key. */
const takesKey = ({ method, needs }: RouteSpec) => method !== "GET" && needs !== "anybody";

function problemsOf(spec: RouteSpec): string[] {
  const own = [...(spec.problems ?? []), ...problemsOfAll, ...(takesKey(spec) ? problemsOfKey : [])];
  return [...new Set(own)];
}

function securityOf({ needs }: RouteSpec): ZodOpenApiOperationObject["security"] & object {
  if (needs === "anybody") return [];
  return needs === "session" ? [{ session: [] }] : [{ session: [] }, { token: [] }];
}

const wordsOf = {
  anybody: "For anybody",
  account: "For whoever is logged in, and any token",
  session: "For a person who is logged in",
};
const forWhom = ({ needs }: RouteSpec) =>
  needs in wordsOf ? wordsOf[needs as keyof typeof wordsOf] : `Takes \`${needs}\``;

function operationOf(spec: RouteSpec): ZodOpenApiOperationObject {
  const problem = (description: string) => ({
    description,
    content: { "application/problem+json": { schema: Problem } },
  });
  const good: ZodOpenApiResponsesObject =
    spec.answer === null
      ? { "204": { description: "Done" } }
      : spec.answer === "stream"
        ? { "200": { description: "Server-sent events", content: { "text/event-stream": { schema: z.string() } } } }
        : { "200": { description: "Done", content: { [spec.media ?? "application/json"]: { schema: spec.answer } } } };
  return {
    summary: spec.summary,
    tags: [spec.tag],
    operationId: `${spec.method.toLowerCase()}${spec.url.replaceAll(/[/:-]+(\w)/g, (_all, letter: string) => letter.toUpperCase())}`,
    description: forWhom(spec),
    security: securityOf(spec),
    requestParams: {
      ...(spec.params && { path: spec.params }),
      ...(spec.query && { query: spec.query }),
      ...(takesKey(spec) && { header: IdempotencyHeader }),
    },
    ...(spec.body && { requestBody: { required: true, content: { "application/json": { schema: spec.body } } } }),
    responses: {
      ...good,
      "4XX": problem(`Refused: ${problemsOf(spec).join(", ")}`),
      "5XX": problem("The server could not do it; its log says why"),
    },
  };
}

/** The OpenAPI 3.1 document of the API, from what its addresses say of themselves. */
export function openApiDocument(specs: readonly RouteSpec[]): Record<string, unknown> {
  const paths: ZodOpenApiPathsObject = {};
  for (const spec of specs) {
    const path = `/api/v1${spec.url.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operationOf(spec) };
  }
  const document = createDocument({
    openapi: "3.1.0",
    info: {
      title: "Fallvakt",
      version: "1",
      description: "What the console does, for programs: see docs/api.md. Errors are problem+json.",
      license: { name: "EUPL-1.2", identifier: "EUPL-1.2" },
    },
    servers: [{ url: "/", description: "The service itself" }],
    components: {
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-fallvakt",
          description: "Set by POST /api/v1/session; `fallvakt` over plain HTTP on one machine",
        },
        token: { type: "http", scheme: "bearer", description: "A program's, with scopes: `fallvakt token add`" },
      },
    },
    paths,
  });
  return { ...document };
}
