import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

/** A request whose body is not what the address takes. */
export class InvalidBody extends Error {
  readonly statusCode = 400;
}

/** `body` as `schema` has it. Throws `InvalidBody`, which names the fields. */
export function readBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const where = read.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
  throw new InvalidBody(where.join("; "));
}

/** Answers with RFC 9457 problem+json. `code` is what a program and the page's translation go by; `detail` is for engineers. */
export function sendProblem(reply: FastifyReply, status: number, code: string, detail: string): FastifyReply {
  return reply
    .code(status)
    .type("application/problem+json")
    .send(JSON.stringify({ type: `urn:fallvakt:problem:${code}`, title: code, status, code, detail }));
}

/** Turns whatever a route threw into problem+json. What a server error was about stays in the log. */
export function handleError(
  error: FastifyError | InvalidBody,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return sendProblem(reply, status, "invalid", error.message);
  request.log.error({ err: error }, "the console could not answer");
  return sendProblem(reply, 500, "server", "The server could not do this; its log says why");
}
