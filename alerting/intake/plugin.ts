import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { GatewayHeartbeat, type Intake, IntakeItem } from "../../firmware-contracts/intake.ts";
import type { Counters } from "../counters.ts";
import type { WhoIsIt } from "./callers.ts";

/** A Detection with the longest evidence window has about 60 kB. */
const longestItem = 256 * 1024;

const ControlQuery = z.object({
  have: z.coerce.number().int().min(-1),
  gateway: GatewayHeartbeat.shape.gatewayId,
  everyMs: z.coerce.number().pipe(GatewayHeartbeat.shape.everyMs),
  // What a person reads: a gateway that says it wrongly is heard all the same.
  version: GatewayHeartbeat.shape.version.catch(undefined),
  at: z.coerce.number().int().min(0).optional().catch(undefined),
});

/**
 * The intake for a gateway in another process: `POST /intake/v1/items` takes one item and answers 204 once it is committed,
 * `GET /intake/v1/control?have=N&gateway=ID&everyMs=MS` (and `version`, `at`) answers what shall be, or 204 where N is the newest. `whoIsIt` is asked first; a gateway that it
 * names speaks for itself alone.
 */
export async function intakePlugin(
  app: FastifyInstance,
  options: { intake: Intake; whoIsIt: WhoIsIt; counters: Counters },
): Promise<void> {
  const { intake, whoIsIt, counters } = options;

  app.addHook("onRequest", async (request, reply) => {
    const who = whoIsIt(request.raw);
    if (who.ok) return;
    counters.count(who.counter);
    await reply.code(who.status).send({ problem: who.problem, mend: who.mend });
  });

  /** Whether the caller's certificate is another gateway's. */
  function isAnothers(request: FastifyRequest, gatewayId: string): boolean {
    const who = whoIsIt(request.raw);
    if (who.ok && (who.gatewayId === null || who.gatewayId === gatewayId)) return false;
    counters.count("intake.refused.another-gateway");
    return true;
  }

  app.setErrorHandler((error: { statusCode?: number; code?: string }, _request, reply) => {
    const status = error.statusCode ?? 503;
    if (status < 500) counters.count("intake.bad-request");
    // 503 keeps the item in the gateway's outbox.
    return reply.code(status).send({ problem: status < 500 ? "bad-request" : "not-committed" });
  });

  app.post("/intake/v1/items", { bodyLimit: longestItem }, async (request, reply) => {
    const item = IntakeItem.safeParse(request.body);
    if (!item.success) {
      counters.count("intake.bad-item");
      const [issue] = item.error.issues;
      return reply.code(422).send({ problem: "bad-item", where: issue?.path.join("."), detail: issue?.message });
    }
    const event = "event" in item.data ? item.data.event : null;
    const gatewayId = event && "gatewayId" in event ? event.gatewayId : undefined;
    if (gatewayId !== undefined && isAnothers(request, gatewayId)) {
      return reply.code(422).send({ problem: "another-gateway", where: "event.gatewayId" });
    }
    await intake.submit(item.data);
    return reply.code(204).send();
  });

  app.get("/intake/v1/control", async (request, reply) => {
    const query = ControlQuery.safeParse(request.query);
    if (!query.success)
      return reply.code(422).send({
        problem: "bad-query",
        detail: "have: the version you hold, 0 at first; gateway: your id; everyMs: how often you ask",
      });
    const { have, gateway, ...rest } = query.data;
    if (isAnothers(request, gateway)) return reply.code(403).send({ problem: "another-gateway" });
    const control = await intake.control(have, { gatewayId: gateway, ...rest });
    return control ? reply.send(control) : reply.code(204).send();
  });
}
