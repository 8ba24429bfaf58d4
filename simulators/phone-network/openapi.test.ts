import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { startPhoneNetwork } from "./network.ts";

const folder = process.env.FALLVAKT_SPECS;
if (!folder && process.env.CI) throw new Error("FALLVAKT_SPECS is not set: name the folder of twilio_api_v2010.json");

const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
const authToken = "a-token-of-this-test";
const messagesPath = "/2010-04-01/Accounts/{AccountSid}/Messages.json";
const messagePath = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json";

/** The formats that the description names; a format it does not explain is what its examples look like. */
const formats = {
  "phone-number": /^\+[1-9]\d{7,14}$/,
  "date-time-rfc-2822": (text: string) => /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} \+0000$/.test(text),
  currency: /^[A-Z]{3}$/i,
  uri: (text: string) => URL.canParse(text, "https://api.twilio.com"),
  "uri-map": true,
} as const;

test.skipIf(!folder)("answers are valid by Twilio's published OpenAPI description (FALLVAKT_SPECS)", async () => {
  const spec = JSON.parse(await readFile(join(folder ?? "", "twilio_api_v2010.json"), "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true, formats });
  ajv.addSchema(spec, "twilio");
  const schemaOf = (path: string, method: string, status: string) => {
    const steps = ["paths", path, method, "responses", status, "content", "application/json", "schema"];
    const pointer = steps.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    const schema = steps.reduce((node, step) => node?.[step], spec);
    expect(schema, `${method} ${path} ${status}`).toBeTypeOf("object");
    return ajv.compile({ $ref: `twilio#/${pointer}` });
  };

  const network = await startPhoneNetwork({
    clock: systemClock(),
    accountSid,
    authToken,
    behaviour: { queueMs: 0, deliveryMs: 0, receipts: "none" },
  });
  try {
    network.addNumber("+46766860000");
    const phone = network.addPhone("+46701740605");
    const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;
    const call = async (path: string, form?: Record<string, string>) => {
      const init = form ? { method: "POST", body: new URLSearchParams(form) } : {};
      const response = await fetch(network.url + path, { ...init, headers: { authorization } });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const check = (validate: ReturnType<typeof schemaOf>, body: unknown) => {
      validate(body);
      expect(validate.errors ?? []).toEqual([]);
    };
    const list = messagesPath.replace("{AccountSid}", accountSid);
    const send = async () => call(list, { To: "+46701740605", From: "+46766860000", Body: "hej" });

    const created = schemaOf(messagesPath, "post", "201");
    const sent = await send();
    expect(sent.status).toBe(201);
    check(created, sent.body);
    phone.behave({ outcome: { undelivered: 30003 } });
    await send();
    await phone.reply("274 T", "+46766860000");
    await new Promise((resolve) => setTimeout(resolve, 50));

    const listed = await call(`${list}?PageSize=2`);
    check(schemaOf(messagesPath, "get", "200"), listed.body);
    expect(listed.body.next_page_uri).toBeTypeOf("string");
    for (const { sid } of network.messages) {
      const path = messagePath.replace("{AccountSid}", accountSid).replace("{Sid}", sid);
      const fetched = await call(path);
      check(schemaOf(messagePath, "get", "200"), fetched.body);
      // Every property of the published resource is there, and no other.
      const published = spec.components.schemas["api.v2010.account.message"].properties;
      expect(Object.keys(fetched.body).sort()).toEqual(Object.keys(published).sort());
    }
    expect(network.messages.map((message) => message.status)).toEqual(["delivered", "undelivered", "received"]);

    // A wrong answer is seen.
    created({ ...sent.body, status: "on its way", sid: "SM1" });
    expect(created.errors?.length).toBeGreaterThanOrEqual(2);
  } finally {
    await network.close();
  }
});
