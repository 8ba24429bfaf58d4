import twilio from "twilio";
import type { AlertingConfig } from "../../config.ts";
import type { Channel } from "../channel.ts";
import { judgeError } from "./errors.ts";
import { TwilioRequestClient } from "./request-client.ts";

/** The SDK's own limit on one request, ms of real time. The dispatcher gives up earlier, by its clock. */
const requestMs = 30_000;
/** Sockets to Twilio at once: what the dispatcher may send at once. */
const sockets = 20;

export const statusPath = "/webhooks/twilio/status";
export const inboundPath = "/webhooks/twilio/inbound";

/** Where Twilio reports on one page. The page's id in it finds the page even where the receipt is faster than the answer. */
export function statusUrl(publicUrl: string, pageId: string): string {
  return `${publicUrl}${statusPath}?page=${encodeURIComponent(pageId)}`;
}

/** SMS through Twilio. `limitMs`: when a request is given up, ms of real time. */
export function createTwilioSms(
  config: Omit<AlertingConfig["twilio"], "perSecond">,
  publicUrl: () => string,
  limitMs = requestMs,
): Channel {
  const { accountSid, authToken, from, baseUrl } = config;
  const httpClient = new TwilioRequestClient({ timeout: limitMs, keepAlive: true, maxSockets: sockets }, baseUrl);
  const client = twilio(accountSid, authToken, { httpClient, autoRetry: false });
  return {
    name: "twilio-sms",
    async send({ pageId, phone, body }) {
      try {
        const message = await client.messages.create({
          to: phone,
          from,
          body,
          statusCallback: statusUrl(publicUrl(), pageId),
          // Every text is written in GSM-7; nothing may be changed on its way.
          smartEncoded: false,
        });
        return message.sid
          ? { outcome: "accepted", providerId: message.sid }
          : { outcome: "unknown", reason: "no-message-id" };
      } catch (error) {
        return judgeError(error);
      }
    },
  };
}
