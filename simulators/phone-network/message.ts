import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { MessageStatus } from "./behaviour.ts";
import { segmentCount } from "./segments.ts";

export const apiVersion = "2010-04-01";

/** A message as the network keeps it. */
export interface Message {
  sid: string;
  from: string;
  to: string;
  body: string;
  direction: "outbound-api" | "outbound-reply" | "inbound";
  status: MessageStatus;
  errorCode: number | null;
  createdAt: WallMs;
  updatedAt: WallMs;
  sentAt: WallMs | null;
  statusCallback: string | null;
}

/** The message as Twilio's API shows it: `api.v2010.account.message` of its OpenAPI description. */
export function messageResource(message: Message, accountSid: string): Record<string, unknown> {
  const uri = `/${apiVersion}/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: apiVersion,
    body: message.body,
    date_created: rfc2822(message.createdAt),
    date_sent: message.sentAt === null ? null : rfc2822(message.sentAt),
    date_updated: rfc2822(message.updatedAt),
    direction: message.direction,
    error_code: message.errorCode,
    error_message: message.errorCode === null ? null : (deliveryErrors[message.errorCode] ?? "Not delivered"),
    from: message.from,
    messaging_service_sid: null,
    num_media: "0",
    num_segments: String(segmentCount(message.body)),
    price: null,
    price_unit: "USD",
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}

/** Codes that stand in receipts of messages that did not arrive, and what they mean. */
const deliveryErrors: Record<number, string> = {
  30001: "Queue overflow",
  30003: "Handset unreachable",
  30004: "Message blocked",
  30005: "Handset unknown",
  30006: "Landline or unreachable carrier",
  30007: "Filtered by the carrier",
  30008: "Unknown error",
};

/** `Thu, 24 Aug 2023 05:01:45 +0000`: RFC 2822, as Twilio writes its dates. */
export function rfc2822(at: WallMs): string {
  return new Date(at).toUTCString().replace("GMT", "+0000");
}

/** The form fields of a status callback (a receipt). */
export function receiptFields(
  message: Message,
  accountSid: string,
  status: MessageStatus,
  errorCode: number | null,
): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: apiVersion,
    From: message.from,
    MessageSid: message.sid,
    MessageStatus: status,
    SmsSid: message.sid,
    SmsStatus: status,
    To: message.to,
    ...(errorCode === null ? {} : { ErrorCode: String(errorCode) }),
  };
}

/** The form fields of an inbound message. The real one sends the empty ones too, and they are part of what is signed. */
export function inboundFields(message: Message, accountSid: string): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: apiVersion,
    Body: message.body,
    From: message.from,
    FromCity: "",
    FromCountry: message.from.startsWith("+46") ? "SE" : "",
    FromState: "",
    FromZip: "",
    MessageSid: message.sid,
    NumMedia: "0",
    NumSegments: String(segmentCount(message.body)),
    SmsMessageSid: message.sid,
    SmsSid: message.sid,
    SmsStatus: "received",
    To: message.to,
    ToCity: "",
    ToCountry: message.to.startsWith("+46") ? "SE" : "",
    ToState: "",
    ToZip: "",
  };
}
