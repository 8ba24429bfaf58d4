import { isMobileNumber, isPhoneNumber } from "./numbers.ts";

/** A refusal as Twilio's REST API words it: an HTTP status and a code of its own. */
export interface Refusal {
  status: number;
  code: number;
  message: string;
}

/** What a request to send a message says. A missing field is an empty text. */
export interface SendRequest {
  to: string;
  from: string;
  body: string;
  statusCallback: string;
  messagingServiceSid: string;
}

/** What the network knows when it judges a request. */
export interface AccountView {
  /** The account's own numbers, and whether each can send SMS. */
  numbers: ReadonlyMap<string, { sms: boolean }>;
  /** True where `to` has answered STOP to `from`. */
  optedOut(from: string, to: string): boolean;
  /** True where the phone is known to take no SMS, whatever its number looks like. */
  landline(to: string): boolean;
}

export const unauthorised: Refusal = { status: 401, code: 20003, message: "Authenticate" };
export const tooManyRequests: Refusal = { status: 429, code: 20429, message: "Too many requests" };
export const notFound: Refusal = { status: 404, code: 20404, message: "The requested resource was not found" };

/** Longest body, in characters, joined over segments. */
export const maxBodyLength = 1600;

/**
 * What the real network would refuse in this request, or null. Codes are Twilio's (Error and Warning Dictionary);
 * the recipient is judged before the sender and the sender before the text, as there.
 */
export function refusalOf(request: SendRequest, account: AccountView): Refusal | null {
  const { to, from, body } = request;
  if (!to) return bad(21604, "A 'To' phone number is required.");
  if (!isPhoneNumber(to)) return bad(21211, `The 'To' number ${to} is not a valid phone number.`);
  if (!from) {
    return request.messagingServiceSid
      ? bad(21701, "The messaging service does not exist.")
      : bad(21603, "A 'From' phone number is required.");
  }
  if (!isPhoneNumber(from)) return bad(21212, `The 'From' number ${from} is not a valid phone number.`);
  const own = account.numbers.get(from);
  if (!own) return bad(21659, `'From' ${from} is not a phone number of this account.`);
  if (!own.sms) return bad(21606, `The 'From' phone number ${from} cannot send messages.`);
  if (to === from) return bad(21266, "'To' and 'From' must not be the same number.");
  if (!isMobileNumber(to) || account.landline(to)) return bad(21614, `'To' number ${to} is not a mobile number.`);
  if (account.optedOut(from, to)) return bad(21610, "The recipient has unsubscribed from this number.");
  if (!body) return bad(21602, "Message body is required.");
  if (body.length > maxBodyLength) return bad(21617, `The message body exceeds ${maxBodyLength} characters.`);
  if (request.statusCallback && !isWebUrl(request.statusCallback)) {
    return bad(21609, "The 'StatusCallback' is not a valid URL.");
  }
  return null;
}

function bad(code: number, message: string): Refusal {
  return { status: 400, code, message };
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** A refusal's JSON body. */
export function refusalBody({ status, code, message }: Refusal): Record<string, unknown> {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
}
