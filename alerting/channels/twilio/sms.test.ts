import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { judgeError } from "./errors.ts";
import { createTwilioSms } from "./sms.ts";

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

async function answering(listener: RequestListener) {
  const running = createServer(listener);
  server = running;
  await new Promise<void>((resolve) => running.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(running.address() as AddressInfo).port}`;
  return createTwilioSms(
    { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000", baseUrl },
    () => "https://larm.example.se",
  );
}

const page = { pageId: "e1.1", phone: "+46701740601", body: "LARM FALL 274." };

describe("over real HTTP with the twilio package", () => {
  test("accepted, to the right address, with a status callback that names the page", async () => {
    let asked = "";
    const sms = await answering((request, response) => {
      request.on("data", (chunk) => {
        asked += String(chunk);
      });
      request.on("end", () => {
        asked = `${request.method} ${request.url} ${request.headers.authorization} ${asked}`;
        response.writeHead(201, { "content-type": "application/json" }).end('{"sid":"SM1","status":"queued"}');
      });
    });
    expect(await sms.send(page)).toEqual({ outcome: "accepted", providerId: "SM1" });
    expect(asked).toContain(`POST /2010-04-01/Accounts/AC${"0".repeat(32)}/Messages.json Basic `);
    const form = new URLSearchParams(asked.split(" ").at(-1));
    expect(Object.fromEntries(form)).toMatchObject({
      To: page.phone,
      From: "+46766860000",
      Body: page.body,
      StatusCallback: "https://larm.example.se/webhooks/twilio/status?page=e1.1",
    });
  });
});

test("what is no error of the SDK is unknown", () => {
  for (const error of [new Error("x"), "text", null, {}])
    expect(judgeError(error)).toMatchObject({ outcome: "unknown" });
});
