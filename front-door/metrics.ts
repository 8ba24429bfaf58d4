import { writeFileSync } from "node:fs";
import { Gauge, Registry } from "prom-client";
import { alertingCounters } from "../alerting/counter-list.ts";
import { gatewayCounters } from "../gateway/counter-list.ts";
import type { Service } from "./service.ts";

/** What stands beside the parts' counters. */
const measured = {
  fallvakt_ready: "1 where every part is ready, else 0",
  fallvakt_gateway_control_version: "version of the desired state in force",
  fallvakt_alerting_episodes_open: "episodes that are not closed",
  fallvakt_certificate_days_left:
    "whole days until a certificate that is shown or trusted ends, by the key that names its file (`which`)",
  fallvakt_memory_resident_bytes: "resident memory of the process",
} as const;

/** A metric's name from a counter's: `connections.cut.revoked` of the gateway is `fallvakt_gateway_connections_cut_revoked`. */
export function metricName(part: string, counter: string): string {
  return `fallvakt_${part}_${counter.replaceAll(/[^a-zA-Z0-9]+/g, "_")}`;
}

/** The counters of the parts as Prometheus metrics, from 0 on. They hold no ids, names or numbers of anybody. */
export async function metricsOf(service: Service, isReady: boolean): Promise<{ type: string; text: string }> {
  const { gateway, alerting } = service;
  const registry = new Registry();
  const show = (name: string, help: string, value: number) => {
    new Gauge({ name, help, registers: [registry] }).set(value);
  };
  const showCounters = (part: string, list: Readonly<Record<string, string>>, counts: Record<string, number>) => {
    for (const counter of new Set([...Object.keys(list), ...Object.keys(counts)])) {
      show(metricName(part, counter), list[counter] ?? counter, counts[counter] ?? 0);
    }
  };
  const showMeasured = (name: keyof typeof measured, value: number) => show(name, measured[name], value);
  if (gateway) showCounters("gateway", gatewayCounters, gateway.counters());
  if (alerting) showCounters("alerting", alertingCounters, alerting.counters());
  showMeasured("fallvakt_ready", isReady ? 1 : 0);
  if (gateway) showMeasured("fallvakt_gateway_control_version", gateway.controlVersion);
  if (alerting) {
    const open = alerting.episodes().filter((episode) => episode.status !== "closed").length;
    showMeasured("fallvakt_alerting_episodes_open", open);
  }
  showCertificates(service, registry);
  showMeasured("fallvakt_memory_resident_bytes", process.memoryUsage.rss());
  return { type: registry.contentType, text: await registry.metrics() };
}

function showCertificates(service: Service, registry: Registry): void {
  const certificates = service.certificates();
  if (certificates.length === 0) return;
  const name = "fallvakt_certificate_days_left";
  const gauge = new Gauge({ name, help: measured[name], labelNames: ["which"], registers: [registry] });
  for (const { which, daysLeft } of certificates) gauge.set({ which }, daysLeft);
}

/** The page that describes every metric. */
export function metricsPage(): string {
  const section = (rows: [name: string, counts: string][]) =>
    ["| metric | what it is |", "|---|---|", ...rows.map(([name, counts]) => `| \`${name}\` | ${counts} |`)].join("\n");
  const counters = (part: string, list: Readonly<Record<string, string>>) =>
    section(Object.entries(list).map(([counter, counts]) => [metricName(part, counter), counts]));
  return `# Metrics

\`GET /metrics\` of the health server (\`health\` in the configuration) answers in Prometheus' text format. Counters begin at 0 with each start; where one says "now" it goes down too.
No metric holds an id, a name, a number or anything that a device sent.

${section(Object.entries(measured))}

## Gateway

${counters("gateway", gatewayCounters)}

## Alerting

${counters("alerting", alertingCounters)}

This page is made from the lists in the code: \`node front-door/metrics.ts\` writes it again, and a test compares.
`;
}

if (import.meta.main) writeFileSync(new URL("../docs/metrics.md", import.meta.url), metricsPage());
