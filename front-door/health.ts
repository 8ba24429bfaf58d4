import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Service } from "./service.ts";

/** Where a process answers whether it is well. */
export const HealthConfig = z
  .strictObject({
    host: z.string().default("127.0.0.1").meta({ description: "Address of the health server" }),
    port: z.number().int().min(0).max(65535).default(8081).meta({ description: "Its port; 0 takes a free one" }),
  })
  .optional()
  .meta({ description: "Health and metrics over HTTP, for machines; without this section there is no such server" });
export type HealthConfig = NonNullable<z.infer<typeof HealthConfig>>;

/** What keeps the parts of a service from being ready, in words from a fixed list. */
export async function problemsOf({ gateway, alerting }: Service): Promise<string[]> {
  const problems = (gateway?.problems() ?? []).map((problem) => `gateway: ${problem}`);
  if (alerting && !(await alerting.ready())) problems.push("alerting: the store cannot be written");
  return problems;
}

/** Serves `/healthz` (the process lives), `/readyz` (an alarm would get through; 503 with the problems where not) and `/metrics`. */
export async function startHealth(config: HealthConfig, service: Service): Promise<FastifyInstance> {
  // What no command but `start` needs is loaded here: each of them reads the configuration, and so this file.
  const { default: Fastify } = await import("fastify");
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get("/healthz", async () => ({ ok: true }));
  app.get("/readyz", async (_request, reply) => {
    const problems = await problemsOf(service);
    return reply.code(problems.length === 0 ? 200 : 503).send({ ok: problems.length === 0, problems });
  });
  app.get("/metrics", async (_request, reply) => {
    const { metricsOf } = await import("./metrics.ts");
    const { type, text } = await metricsOf(service, (await problemsOf(service)).length === 0);
    return reply.type(type).send(text);
  });
  await app.listen(config);
  return app;
}
