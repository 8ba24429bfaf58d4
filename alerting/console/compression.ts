import { PassThrough, pipeline, type Readable } from "node:stream";
import { promisify } from "node:util";
import { constants, createGzip, gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";

const gzipped = promisify(gzip);
// Below a packet's size nothing is won.
const worthIt = 1400;
// 64 + 64 KiB for each page that listens; zlib's own choice would take twice that.
const streamSettings = { level: 6, windowBits: 14, memLevel: 7, flush: constants.Z_SYNC_FLUSH };

/**
 * An `onSend` hook: the API's answers are compressed where the browser takes it, the stream of events too, each event on its way at once. A board of two hundred
 * open episodes is then a tenth, on a phone's network. No answer holds a secret beside what another site could put into it: the session's cookie is SameSite=Strict.
 */
export async function compressAnswer(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const isStream = payload instanceof PassThrough;
  if (!isStream && !(typeof payload === "string" && payload.length >= worthIt)) return payload;
  reply.header("vary", "accept-encoding");
  if (!/\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))) return payload;
  reply.header("content-encoding", "gzip").removeHeader("content-length");
  return isStream ? compressed(payload) : gzipped(payload as string);
}

/** Where one of the two ends or breaks, so does the other. */
function compressed(events: PassThrough): Readable {
  return pipeline(events, createGzip(streamSettings), () => undefined);
}
