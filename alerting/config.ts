import { z } from "zod";
import { Id, shownName } from "./config-fields.ts";
import { longest } from "./messages/limits.ts";
import { Operation, SelfTest } from "./operation-config.ts";
import { checkPolicies, Group, Policy, Technical, UnitPolicy } from "./policy-config.ts";
import { checkRotas, Holiday, RotaConfig } from "./rota/rota-config.ts";

export const Language = z.enum(["sv", "en"]);
export type Language = z.infer<typeof Language>;

/** As somebody may write them, with digits behind them too: no Swedish number begins so. */
const emergencyNumbers = /^(112|113|114|1177)/;
/** In international form; +46 112 … with more digits is an ordinary Norrköping number, and 11313 and 11414 are whole numbers. */
const emergencyAbroad = /^(\+|00)(46)?(112|113|11313|114|11414|1177)$/;
const e164 = /^\+[1-9]\d{7,14}$/;

/** A text; what YAML reads as a number, as +46701234567 without quotes, is told so. */
const quotedText = (example: string) =>
  z.string({
    error: ({ input }) =>
      typeof input === "number" ? `put it in quotes, as "${example}": without them it is read as a number` : undefined,
  });

/** A phone in international form. Emergency and advice numbers are refused: they are never dialled or texted by machine. */
export const PhoneNumber = quotedText("+46701234567").superRefine((text, context) => {
  const compact = text.replaceAll(/[\s()-]/g, "");
  if (emergencyNumbers.test(compact) || emergencyAbroad.test(compact)) {
    context.addIssue(
      "112, 113, 114 and 1177 are never texted by machine; give the phone of somebody on your own staff",
    );
  } else if (!e164.test(text)) {
    context.addIssue("write the number in international form without spaces, such as +46701234567");
  } else if (text === "+46700000000") {
    context.addIssue("this is the example number; fill in the real one");
  }
});

const Responder = z.strictObject({
  id: Id.meta({ description: "Short id, used in the policy and in events" }),
  name: shownName(longest.name).meta({ description: "Name as it stands in texts: a patrol or a role" }),
  phone: PhoneNumber.meta({ description: "Mobile phone in international form (E.164), such as +46701234567" }),
  language: Language.optional().meta({ description: "Language of this phone's texts; else the service's" }),
});

const webUrl = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** Without slashes at its end. */
const bareUrl = (text: string) => text.replace(/\/+$/, "");

const CertFile = z.string().meta({
  description: "The server's certificate and, after it, its authority's, PEM; relative to this file",
});
const KeyFile = z.string().meta({ description: "The key of that certificate, PEM" });

const Http = z.strictObject({
  host: z.string().default("127.0.0.1").meta({ description: "Address that the web server listens on" }),
  port: z.number().int().min(0).max(65535).default(8080).meta({ description: "Its port; 0 takes a free one" }),
  publicUrl: z
    .string()
    .refine(webUrl, "write a full address, such as https://larm.example.se")
    .superRefine((text, context) => {
      if (!webUrl(text)) return;
      const { username, password, href } = new URL(text);
      if (username || password || /[?#]/.test(text)) {
        context.addIssue("leave out user names, ? and #: the provider signs the bare address");
      } else if (bareUrl(href) !== bareUrl(text)) {
        context.addIssue(`write it as ${bareUrl(href)}: the provider signs it letter by letter, and asks for it so`);
      }
    })
    .transform(bareUrl)
    .meta({
      description:
        "The address at which the SMS provider reaches this server; its signatures are over it. Port 0 stands for the port taken",
    }),
  tls: z
    .strictObject({ certFile: CertFile, keyFile: KeyFile })
    .optional()
    .meta({ description: "Serves this port by HTTPS; without it a proxy must, or it is for this machine alone" }),
  trustedProxies: z
    .array(
      z
        .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
          error: "write a proxy's address or network, such as 10.0.3.7 or 10.0.3.0/24",
        })
        .refine((network) => !network.endsWith("/0"), "this is everybody: name the proxies alone"),
    )
    .default([])
    .meta({
      description:
        "Proxies in front of this server, whose word for who asks (X-Forwarded-For) counts: without it all behind a proxy share one limit",
    }),
});

const Twilio = z.strictObject({
  accountSid: z
    .string()
    .regex(/^AC[0-9a-fA-F]{32}$/, "an account SID is AC and 32 hexadecimal digits; copy it from the provider's console")
    .meta({ description: "Twilio account SID" }),
  authToken: z
    .string()
    .min(16, "copy the whole auth token; { env: NAME } or { file: PATH } keep it out of this file")
    .meta({ description: "Twilio auth token; also what webhooks are signed with" }),
  from: quotedText("+46701234567")
    .refine(
      (text) => !/[a-z]/i.test(text),
      "a name cannot be answered by SMS; give a number that can, such as +46701234567",
    )
    .pipe(PhoneNumber)
    .meta({ description: "The number that pages come from (E.164); it must be able to receive replies" }),
  perSecond: z.number().min(0.1).max(1000).default(1).meta({
    description:
      "Texts a second that the provider sends from this number. Texts that call somebody out are handed over at once, the others keep to this",
  }),
  baseUrl: z
    .string()
    .refine(webUrl, "write a full address, such as http://127.0.0.1:8690")
    .transform(bareUrl)
    .optional()
    .meta({ description: "Where Twilio's API is, if not at Twilio: a simulated network or a proxy" }),
});

const Influx = z.strictObject({
  url: z
    .string()
    .refine(webUrl, "write a full address, such as http://127.0.0.1:8086")
    .meta({ description: "InfluxDB's address" }),
  database: z
    .string()
    .min(1, "name a database, such as fallvakt")
    .meta({ description: "Database; made where missing" }),
  username: z.string().optional().meta({ description: "User name, where the server asks for one" }),
  password: z.string().optional().meta({ description: "Password, or the token of InfluxDB 2, 3 and Cloud" }),
});

const Spool = z.strictObject({
  maxBytes: z
    .number()
    .int()
    .min(65_536, "give the spool at least 64 KiB (65536)")
    .default(64 * 1024 * 1024)
    .meta({ description: "Most bytes of events kept on disk while InfluxDB is away; then the oldest are dropped" }),
  maxDays: z
    .number()
    .min(1, "keep events for a day at least")
    .max(3650, "keep events for ten years (3650 days) at most: they hold key numbers, which are personal data")
    .default(90)
    .meta({
      description: "Days that an event waits on disk at most; older ones are dropped, as they hold key numbers",
    }),
});

const Shape = z.strictObject({
  http: Http.meta({ description: "The web server: console, webhooks, intake" }),
  language: Language.default("sv").meta({ description: "Language of texts and of the console" }),
  timeZone: z
    .string()
    .default("Europe/Stockholm")
    .refine(isTimeZone, "name a time zone of the IANA list, such as Europe/Stockholm")
    .meta({ description: "Time zone of the times in texts" }),
  twilio: Twilio.meta({ description: "The SMS provider" }),
  responders: z
    .array(Responder)
    .min(1, 'name at least one responder, such as { id: patrol-1, name: Patrull 1, phone: "+46…" }')
    .meta({ description: "The phones that can be paged" }),
  groups: z.array(Group).default([]).meta({ description: "Groups of responders, for policies" }),
  policy: Policy.meta({ description: "Escalation policy of falls and help calls" }),
  policies: z.array(UnitPolicy).default([]).meta({
    description: "Other policies, by unit and kind; one that names the unit goes before one for all",
  }),
  technical: Technical.prefault({}).meta({ description: "How technical alarms are told" }),
  operators: z
    .array(Id)
    .min(1, "name at least one operator: somebody must be told when nobody takes an alarm")
    .meta({ description: "Ids of the responders who are told when nobody takes an alarm" }),
  keyHolders: z.array(Id).default([]).meta({
    description: "Ids of the responders who are called when somebody cannot get in, beside the operators",
  }),
  rotas: z.array(RotaConfig).default([]).meta({ description: "Who is on call when, by weekly patterns" }),
  holidays: z.array(Holiday).default([]).meta({
    description: "Public holidays of the rotas, and eves that are staffed as such",
  }),
  operation: Operation.prefault({}).meta({
    description: "Devices that are not in operation yet, and the daily look whether everybody has one that is",
  }),
  selfTest: SelfTest.optional().meta({
    description: "The self-test of the whole chain, from a test device to the phone that is signed on",
  }),
  influx: Influx.optional().meta({ description: "Where events go; without it they stay in the spool" }),
  spool: Spool.prefault({}).meta({ description: "Events on disk on their way to InfluxDB" }),
  masterKeyFile: z.string().default("keys/master.key").meta({
    description:
      "Where the master key is, by which names, addresses and the log are sealed; relative to this file, apart from the data. Back it up by itself",
  }),
  masterKey: z.string().optional().meta({
    description: "The master key itself instead of a file of its own, as { env: NAME } or { file: PATH } gives it",
  }),
  intake: z
    .strictObject({
      token: z.string().min(20, "use at least 20 characters; `fallvakt init` makes a good one").optional().meta({
        description: "What a gateway in another process shows at the web server; left out: none comes in there",
      }),
      tls: z
        .strictObject({
          host: z.string().default("0.0.0.0").meta({ description: "Address that this port listens on" }),
          port: z.number().int().min(0).max(65535).default(8443).meta({ description: "Its port; 0 takes a free one" }),
          certFile: CertFile,
          keyFile: KeyFile,
          caFile: z.string().meta({ description: "The authority that signed the gateways' certificates, PEM" }),
          revoked: z.array(z.string()).default([]).meta({
            description: "Ids of gateways whose certificates are not taken any more, as of a stolen one",
          }),
          clientCertificates: z.literal("required").default("required").meta({
            description:
              "At this port a gateway always shows a certificate; one with the token comes in at the web server",
          }),
        })
        .optional()
        .meta({
          description:
            "A port of its own for gateways that show a certificate instead of the token; `fallvakt gateway certificate` makes them",
        }),
    })
    .refine((intake) => intake.token !== undefined || intake.tls !== undefined, {
      path: ["token"],
      message: "missing: give a token of at least 20 characters, or alerting.intake.tls; `fallvakt init` writes both",
    })
    .meta({ description: "The door for gateways" }),
});

/** Alerting's part of the settings file. Each problem is told with its mend. */
export const AlertingConfig = Shape.superRefine((config, context) => {
  const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
  const seenIds = new Set<string>();
  const seenPhones = new Map<string, string>();
  for (const [i, responder] of config.responders.entries()) {
    if (seenIds.has(responder.id))
      problem(["responders", i, "id"], `${responder.id} stands twice; give each its own id`);
    seenIds.add(responder.id);
    const owner = seenPhones.get(responder.phone);
    if (owner) {
      problem(
        ["responders", i, "phone"],
        `the same phone as ${owner}; a reply could be either's, so list each phone once`,
      );
    }
    seenPhones.set(responder.phone, responder.id);
    if (responder.phone === config.twilio.from) {
      problem(["responders", i, "phone"], "this is the number that pages come from; give the responder's own phone");
    }
  }
  checkPolicies(config, seenIds, problem);
  checkRotas(config, seenIds, problem);
  if (!config.twilio.baseUrl && config.http.tls && config.http.publicUrl.startsWith("http:")) {
    problem(
      ["http", "publicUrl"],
      "this server speaks HTTPS (http.tls), so nobody reaches it at an http address; write https",
    );
  }
  // What is no address at all was told already.
  const isAddress = webUrl(config.http.publicUrl);
  if (isAddress && !config.twilio.baseUrl && isPrivateHost(new URL(config.http.publicUrl).hostname)) {
    problem(
      ["http", "publicUrl"],
      "the SMS provider cannot reach this address, so no reply would ever count; give the address it has from outside",
    );
  }
});
export type AlertingConfig = z.infer<typeof AlertingConfig>;
export type ResponderConfig = AlertingConfig["responders"][number];

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("sv", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** An address that means something only on this machine or in its own network. */
function isPrivateHost(host: string): boolean {
  if (host.startsWith("[")) return /^\[(::1?\]|::ffff:|f[cd]|fe[89ab])/i.test(host);
  if (/^[\d.]+$/.test(host)) {
    return /^(127|10|0|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(host);
  }
  return !host.includes(".") || /\.(localhost|local|lan|internal|home\.arpa)$/i.test(host);
}
