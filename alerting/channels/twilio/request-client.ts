import twilio from "twilio";

type Client = InstanceType<typeof twilio.RequestClient>;
type ClientOptions = ConstructorParameters<typeof twilio.RequestClient>[0];

/** A refusal that says when to come again: the SDK's own exception leaves the answer's headers out. */
export class ComeAgain extends Error {
  override name = "ComeAgain";
  readonly status: number;
  readonly code: unknown;
  readonly retryAfterMs: number;

  constructor(status: number, body: unknown, retryAfterMs: number) {
    super(`HTTP ${status}`);
    this.status = status;
    this.code = typeof body === "object" && body !== null ? (body as { code?: unknown }).code : undefined;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The SDK's own request client, which also reads Retry-After. With `baseUrl` it goes to another address: a simulated network,
 * a validating proxy; paths stay as they are.
 */
export class TwilioRequestClient extends twilio.RequestClient {
  readonly #baseUrl: string | undefined;

  constructor(options: ClientOptions, baseUrl?: string) {
    super(options);
    this.#baseUrl = baseUrl;
  }

  override request: Client["request"] = async (opts) => {
    const { pathname, search } = new URL(opts.uri);
    const moved = this.#baseUrl === undefined ? opts : { ...opts, uri: `${this.#baseUrl}${pathname}${search}` };
    const response = await super.request(moved);
    if (response.statusCode < 300) return response;
    const retryAfterMs = readRetryAfter(response.headers as Record<string, unknown>);
    if (retryAfterMs !== null) throw new ComeAgain(response.statusCode, response.body, retryAfterMs);
    return response;
  };
}

/** Ms to wait by an answer's Retry-After (RFC 9110, 10.2.3): seconds, or a date, which is read against the answer's own; null where it says nothing. */
export function readRetryAfter(headers: Record<string, unknown> | undefined): number | null {
  const text = headers?.["retry-after"];
  if (typeof text !== "string") return null;
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  const now = Date.parse(String(headers?.date));
  return Number.isNaN(until) || Number.isNaN(now) ? null : Math.max(0, until - now);
}
