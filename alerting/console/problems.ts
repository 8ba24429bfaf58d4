import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

/** A request that is refused, as problem+json tells it. */
export class Refusal extends Error {
  readonly statusCode: number;
  /** What a program and the page's translation go by. */
  readonly code: string;
  constructor(statusCode: number, code: string, detail: string) {
    super(detail);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** Of what is not there, and of what is another unit's: nobody learns which. */
export const notFound = (what: string) => new Refusal(404, "not-found", `There is no such ${what}`);

/** `value` as `schema` has it. Throws a `Refusal` that names the fields. */
export function readAs<T extends z.ZodType>(schema: T, value: unknown, what = "body"): z.output<T> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const where = read.error.issues.map((issue) => `${issue.path.join(".") || what}: ${issue.message}`);
  throw new Refusal(400, "invalid", where.join("; "));
}

/** Does `work`; what the register refuses, an error without a code, is told with its mend. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && !("code" in error)) throw new Refusal(422, "refused", error.message);
    throw error;
  }
}

/** Answers with RFC 9457 problem+json. `code` is what a program and the page's translation go by; `detail` is for engineers. */
export function sendProblem(reply: FastifyReply, status: number, code: string, detail: string): FastifyReply {
  return reply
    .code(status)
    .type("application/problem+json")
    .send(JSON.stringify({ type: `urn:fallvakt:problem:${code}`, title: code, status, code, detail }));
}

/** Turns whatever a route threw into problem+json. What a server error was about stays in the log. */
export function handleError(error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof Refusal) return sendProblem(reply, error.statusCode, error.code, error.message);
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return sendProblem(reply, status, "invalid", error.message);
  request.log.error({ err: error }, "the console could not answer");
  return sendProblem(reply, 500, "server", "The server could not do this; its log says why");
}
