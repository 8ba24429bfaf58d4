import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

/** A request that is refused, as problem+json tells it. */
export class Refusal extends Error {
  readonly statusCode: number;
  /** What a program and the page's translation go by. */
  readonly code: string;
  /** When it may be tried again. */
  readonly retryAfterSeconds: number | undefined;
  constructor(statusCode: number, code: string, detail: string, retryAfterSeconds?: number) {
    super(detail);
    this.statusCode = statusCode;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
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

export interface Problem {
  status: number;
  /** What a program and the page's translation go by. */
  code: string;
  /** For engineers. */
  detail: string;
}

/** As RFC 9457 has it. */
export const problemJson = ({ status, code, detail }: Problem) =>
  JSON.stringify({ type: `urn:fallvakt:problem:${code}`, title: code, status, code, detail });
export const problemType = "application/problem+json";

/** Answers with RFC 9457 problem+json. */
export function sendProblem(reply: FastifyReply, status: number, code: string, detail: string): FastifyReply {
  return reply.code(status).type(problemType).send(problemJson({ status, code, detail }));
}

/** What is told of whatever a route threw. What a server error was about stays in the log. */
export function problemOf(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Refusal) return { status: error.statusCode, code: error.code, detail: error.message };
  const { statusCode: status = 500, message } = error as Partial<FastifyError>;
  if (status >= 400 && status < 500) return { status, code: "invalid", detail: message ?? "" };
  request.log.error({ err: error }, "the console could not answer");
  return { status: 500, code: "server", detail: "The server could not do this; its log says why" };
}

/** Turns whatever a route threw into problem+json. */
export function handleError(error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, detail } = problemOf(error, request);
  if (error instanceof Refusal && error.retryAfterSeconds !== undefined) {
    reply.header("retry-after", error.retryAfterSeconds);
  }
  return sendProblem(reply, status, code, detail);
}
