import formbody from "@fastify/formbody";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import twilio from "twilio";
import { meansLost } from "../channels/twilio/errors.ts";
import { inboundPath, statusPath } from "../channels/twilio/sms.ts";
import type { Counters } from "../counters.ts";
import type { ReceiptStatus } from "../episode-state.ts";
import type { ReplyDesk } from "../reply-desk.ts";

/** Longest body, in bytes: a reply of ten joined texts, form-encoded, with Twilio's other fields. */
const longestBody = 32 * 1024;
/** "Nothing to send back": what there is to say goes out as a page, which survives a crash. */
const emptyTwiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/** Twilio's statuses of a message; those before `sent` tell nothing new. */
const receiptStatus: Record<string, ReceiptStatus> = {
  accepted: "queued",
  scheduled: "queued",
  queued: "queued",
  sending: "queued",
  sent: "sent",
  delivered: "delivered",
  read: "delivered",
  undelivered: "undelivered",
  failed: "failed",
  canceled: "failed",
};

export interface WebhookOptions {
  authToken: string;
  /** The address Twilio signs over: behind a proxy the request's own would be another. */
  publicUrl: () => string;
  desk: () => ReplyDesk;
  counters: Counters;
  log: Logger;
}

/**
 * Twilio's webhooks: receipts and replies. What is not signed by Twilio is refused with 403 and changes nothing.
 * A 2xx is sent only when what came is committed.
 */
export async function webhookPlugin(app: FastifyInstance, options: WebhookOptions): Promise<void> {
  const { authToken, publicUrl, desk, counters, log } = options;
  // A form is all that the provider sends.
  app.removeAllContentTypeParsers();
  await app.register(formbody, { bodyLimit: longestBody });

  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    counters.count(status < 500 ? "webhook.bad-request" : "webhook.failed");
    // Without content: a body holds what somebody wrote, and from which phone.
    if (status >= 500) log.error({ err: error, path: request.routeOptions.url }, "a webhook could not be committed");
    return reply.code(status).send();
  });

  app.addHook("preHandler", async (request, reply) => {
    const signature = request.headers["x-twilio-signature"];
    const url = `${publicUrl()}${request.url}`;
    const valid = typeof signature === "string" && twilio.validateRequest(authToken, signature, url, fieldsOf(request));
    if (valid) return;
    counters.count("webhook.bad-signature");
    log.warn(
      { path: request.routeOptions.url },
      "a webhook was not signed by the provider over http.publicUrl; refused",
    );
    await reply.code(403).send();
  });

  for (const url of [statusPath, inboundPath]) {
    app.route({
      method: ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"],
      url,
      // Before the signature: the provider can be set to use GET, and would then sign it.
      async onRequest(request, reply) {
        counters.count("webhook.bad-request");
        log.warn({ method: request.method, path: url }, "a webhook must be POST: set it so at the provider");
        return reply.code(405).header("allow", "POST").send();
      },
      handler: () => {},
    });
  }

  app.post(statusPath, async (request, reply) => {
    const fields = fieldsOf(request);
    const pageId = (request.query as { page?: unknown }).page;
    const status = receiptStatus[fields.MessageStatus ?? ""];
    if (typeof pageId !== "string" || !fields.MessageSid || !status) {
      counters.count("webhook.unreadable");
    } else if (status !== "queued") {
      const errorCode = /^\d{1,6}$/.test(fields.ErrorCode ?? "") ? (fields.ErrorCode ?? null) : null;
      const lost = meansLost(errorCode);
      await desk().receipt({ pageId, providerId: fields.MessageSid, status, errorCode, lost });
    }
    return reply.code(204).send();
  });

  app.post(inboundPath, async (request, reply) => {
    const { MessageSid, From, Body } = fieldsOf(request);
    if (!MessageSid || !From) counters.count("webhook.unreadable");
    else await desk().reply({ providerId: MessageSid, from: From, body: Body ?? "" });
    return reply.type("text/xml").send(emptyTwiml);
  });
}

/** The form's fields that are texts; one that stands twice is none of Twilio's. */
function fieldsOf(request: FastifyRequest): Record<string, string> {
  const body = (request.body ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(body).filter((field): field is [string, string] => typeof field[1] === "string"),
  );
}
