import Fastify, { type FastifyInstance } from "fastify";
import { Gauge, Registry } from "prom-client";
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

/** A metric's name from a counter's: `connections.cut.revoked` of the gateway is `fallvakt_gateway_connections_cut_revoked`. */
export function metricName(part: string, counter: string): string {
  return `fallvakt_${part}_${counter.replaceAll(/[^a-zA-Z0-9]+/g, "_")}`;
}

/** What keeps the parts of a service from being ready, in words from a fixed list. */
export async function problemsOf({ gateway, alerting }: Service): Promise<string[]> {
  const problems = (gateway?.problems() ?? []).map((problem) => `gateway: ${problem}`);
  if (alerting && !(await alerting.ready())) problems.push("alerting: the store cannot be written");
  return problems;
}

/** The counters of the parts as Prometheus metrics. They hold no ids, names or numbers of anybody. */
export async function metricsOf(service: Service): Promise<{ type: string; text: string }> {
  const registry = new Registry();
  const show = (name: string, help: string, value: number) => {
    new Gauge({ name, help, registers: [registry] }).set(value);
  };
  for (const [part, one] of [["gateway", service.gateway] as const, ["alerting", service.alerting] as const]) {
    if (!one) continue;
    for (const [counter, value] of Object.entries(one.counters())) {
      show(metricName(part, counter), `${counter}, since the start; see ${part}/README.md`, value);
    }
  }
  const { gateway, alerting } = service;
  show("fallvakt_ready", "1 where every part is ready, else 0", (await problemsOf(service)).length === 0 ? 1 : 0);
  if (gateway)
    show("fallvakt_gateway_control_version", "version of the desired state in force", gateway.controlVersion);
  if (alerting) {
    const open = alerting.episodes().filter((episode) => episode.status !== "closed").length;
    show("fallvakt_alerting_episodes_open", "episodes that are not closed", open);
  }
  showCertificates(service, registry);
  show("fallvakt_memory_resident_bytes", "resident memory of the process", process.memoryUsage.rss());
  return { type: registry.contentType, text: await registry.metrics() };
}

function showCertificates(service: Service, registry: Registry): void {
  const certificates = service.certificates();
  if (certificates.length === 0) return;
  const gauge = new Gauge({
    name: "fallvakt_certificate_days_left",
    help: "whole days until a certificate that is shown or trusted ends, by the key that names its file",
    labelNames: ["which"],
    registers: [registry],
  });
  for (const { which, daysLeft } of certificates) gauge.set({ which }, daysLeft);
}

/** Serves `/healthz` (the process lives), `/readyz` (an alarm would get through; 503 with the problems where not) and `/metrics`. */
export async function startHealth(config: HealthConfig, service: Service): Promise<FastifyInstance> {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get("/healthz", async () => ({ ok: true }));
  app.get("/readyz", async (_request, reply) => {
    const problems = await problemsOf(service);
    return reply.code(problems.length === 0 ? 200 : 503).send({ ok: problems.length === 0, problems });
  });
  app.get("/metrics", async (_request, reply) => {
    const { type, text } = await metricsOf(service);
    return reply.type(type).send(text);
  });
  await app.listen(config);
  return app;
}
