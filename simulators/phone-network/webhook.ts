import twilio from "twilio";
import type { Clock } from "../../firmware-contracts/clock.ts";

/** What became of one webhook. `status` is the HTTP status, or null where there was no answer. */
export interface WebhookResult {
  url: string;
  status: number | null;
  contentType: string;
  body: string;
  error: string | null;
}

/** Twilio gives up on a webhook after 15 s. Ms of the network's clock. */
export const twilioWebhookTimeoutMs = 15_000;
/** A connection that cannot be made is tried once more, an answer never (Twilio's default `rc=1`). */
const connectTries = 2;
const longestAnswer = 64 * 1024;

/**
 * Posts a signed webhook. The signature is over exactly this URL and these fields, by the twilio package's own function.
 * Never rejects: what went wrong stands in the result.
 */
export async function postWebhook(
  clock: Clock,
  authToken: string,
  url: string,
  fields: Record<string, string>,
  timeoutMs: number = twilioWebhookTimeoutMs,
): Promise<WebhookResult> {
  const headers = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "user-agent": "TwilioProxy/1.1",
    "x-twilio-signature": twilio.getExpectedTwilioSignature(authToken, url, fields),
  };
  let error = "";
  for (let attempt = 0; attempt < connectTries; attempt++) {
    const gaveUp = new AbortController();
    const callOff = clock.after(timeoutMs, () => gaveUp.abort(new Error(`no answer in ${timeoutMs / 1000} s`)));
    try {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body: new URLSearchParams(fields),
        signal: gaveUp.signal,
        redirect: "manual",
      });
      const body = (await response.text()).slice(0, longestAnswer);
      const contentType = response.headers.get("content-type") ?? "";
      return { url, status: response.status, contentType, body, error: null };
    } catch (failure) {
      error = describe(failure);
      if (gaveUp.signal.aborted) break;
    } finally {
      callOff();
    }
  }
  return { url, status: null, contentType: "", body: "", error };
}

function describe(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  return failure.cause instanceof Error ? failure.cause.message || failure.message : failure.message;
}

/**
 * The texts that an answer to an inbound webhook asks to send back: TwiML's `<Message>`s, or a plain text as a whole, as the real one does.
 * An answer of another type asks for nothing (Twilio logs 12300).
 */
export function repliesIn(result: WebhookResult): string[] {
  if (result.status === null || result.status >= 300 || result.body.trim() === "") return [];
  if (/^text\/plain/.test(result.contentType)) return [result.body];
  if (!/xml/.test(result.contentType)) return [];
  const texts = [...result.body.matchAll(/<Message\b[^>]*>([\s\S]*?)<\/Message>/g)].map(([, inner]) => inner ?? "");
  return texts.map((inner) => unescapeXml(inner.replace(/<\/?Body>/g, "").trim())).filter((text) => text !== "");
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => named[name] ?? "");
}
