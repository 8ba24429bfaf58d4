import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ZodError } from "zod";

/** Answers with RFC 9457 problem+json. `code` is what a program and the page's translation go by; `detail` is for engineers. */
export function sendProblem(reply: FastifyReply, status: number, code: string, detail: string): FastifyReply {
  return reply
    .code(status)
    .type("application/problem+json")
    .send(JSON.stringify({ type: `urn:fallvakt:problem:${code}`, title: code, status, code, detail }));
}

/** Turns whatever a route threw into problem+json. What a server error was about stays in the log. */
export function handleError(
  error: FastifyError | ZodError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (error instanceof ZodError) {
    const where = error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; ");
    return sendProblem(reply, 400, "invalid", where);
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return sendProblem(reply, status, "invalid", error.message);
  request.log.error({ err: error }, "the console could not answer");
  return sendProblem(reply, 500, "server", "The server could not do this; its log says why");
}
