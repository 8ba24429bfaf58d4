import type { SendResult } from "../../episode-state.ts";

/**
 * Twilio's codes that no second try mends for this phone. Source: Twilio's Error and Warning Dictionary.
 * 21211 and 21217 no such number, 21214 unreachable, 21408 country not allowed, 21610 opted out by STOP, 21612 no route from our number,
 * 21614 not a mobile phone, 21635 a landline; 21265, 21266 our own or a short number.
 */
const permanentForPhone: ReadonlySet<number> = new Set([
  21211, 21214, 21217, 21265, 21266, 21408, 21610, 21612, 21614, 21635,
]);
/** Our own number or text is at fault: a second try cannot help either, and every page will meet it. 21212, 21603, 21606, 21659 sender; 21602, 21617 text. */
const permanentForSender: ReadonlySet<number> = new Set([21212, 21602, 21603, 21604, 21606, 21617, 21659]);

/** Of receipts: blocked by the phone or its operator, no such phone, a landline. A phone that is off or out of reach is none of these. */
const lostByReceipt: ReadonlySet<string> = new Set(["21610", "21614", "30004", "30005", "30006"]);

/** Whether a receipt's error says that no text will ever get there. */
export function meansLost(errorCode: string | null): boolean {
  return errorCode !== null && lostByReceipt.has(errorCode);
}

/** The connection was never made, so nothing was accepted: trying again cannot double a text. */
const neverReached: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** What an error of the SDK means for the page. */
export function judgeError(error: unknown): Exclude<SendResult, { outcome: "accepted" }> {
  const { status, code, connection, retryAfterMs } = readError(error);
  if (code !== null && (permanentForPhone.has(code) || permanentForSender.has(code))) {
    return { outcome: "permanent", reason: String(code), ...(permanentForPhone.has(code) ? { fault: "phone" } : {}) };
  }
  if (status !== null) {
    // 429 too many, 5xx theirs, 401 and 403 ours to mend: nothing was accepted. The next is paged beside the tries.
    // Without a code of Twilio's it is somebody's on the way, a proxy or a sign-in page, which says nothing of the phone.
    const retryable = code === null || [401, 403, 408, 429].includes(status) || status >= 500;
    const reason = String(code ?? status);
    if (!retryable) return { outcome: "permanent", reason };
    return { outcome: "retryable", reason, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }
  if (connection !== null && neverReached.has(connection)) return { outcome: "retryable", reason: connection };
  // Reset, timed out, an answer that is none: it may have been sent.
  return { outcome: "unknown", reason: connection ?? "no-answer" };
}

interface ReadError {
  /** Of HTTP; null where there was no answer. */
  status: number | null;
  /** Twilio's. */
  code: number | null;
  /** What befell the connection, such as ECONNRESET. */
  connection: string | null;
  retryAfterMs: number | null;
}

/** Only numbers and names of the system's own: what else an answer holds could be a phone number or a text. */
function readError(error: unknown): ReadError {
  if (typeof error !== "object" || error === null)
    return { status: null, code: null, connection: null, retryAfterMs: null };
  const { status, code, retryAfterMs } = error as Record<string, unknown>;
  return {
    status: typeof status === "number" ? status : null,
    code: typeof code === "number" && code >= 10_000 && code <= 99_999 ? code : null,
    connection: typeof status !== "number" && typeof code === "string" && /^[A-Z_]{3,40}$/.test(code) ? code : null,
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : null,
  };
}
