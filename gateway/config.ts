import { z } from "zod";
import { backendChoices } from "../detector/classifier/network.ts";
import { DeviceId } from "../firmware-contracts/topics.ts";
import { AdapterConfig } from "./adapters/config.ts";
import { OutConfig } from "./out/config.ts";

const whole = (description: string, value: number, min: number, max: number) =>
  z.number().int().min(min).max(max).default(value).meta({ description });

const isLoopback = (host: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);

/** Where alerting is, and how the gateway says who it is: by a token or by a certificate. */
const IntakeDoor = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).meta({
      description: "Alerting's address, as https://host:port; with a certificate, that of alerting.intake.tls",
    }),
    token: z.string().min(16).optional().meta({
      description: "What the gateway shows at the door: alerting.intake.token. Either this or a certificate",
    }),
    caFile: z.string().optional().meta({
      description:
        "The authority that signed alerting's certificate, PEM; needed for a private one, as that of `fallvakt init`",
    }),
    certFile: z.string().optional().meta({
      description: "The gateway's certificate instead of a token, PEM; `fallvakt gateway certificate` makes it",
    }),
    keyFile: z.string().optional().meta({ description: "The key of that certificate, PEM; left out: in certFile too" }),
  })
  .superRefine(({ url, token, certFile, keyFile }, context) => {
    const problem = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
    if (token === undefined && certFile === undefined) {
      problem("token", "missing: give alerting.intake.token here, or certFile (fallvakt gateway certificate)");
    }
    if (token !== undefined && certFile !== undefined) {
      problem("token", "a gateway comes in by its certificate or by a token: leave out one of the two");
    }
    if (keyFile !== undefined && certFile === undefined) {
      problem("keyFile", "a key without its certificate: give certFile too, or leave this out");
    }
    // What is no address was told already.
    if (!URL.canParse(url) || new URL(url).protocol !== "http:") return;
    if (certFile !== undefined)
      problem("url", "a certificate is shown over https only; give alerting.intake.tls's port");
    else if (!isLoopback(new URL(url).hostname)) {
      problem(
        "url",
        "the token, and who has fallen, would cross the network for all to read; use https (alerting.http.tls)",
      );
    }
  });

/** What a gateway may be told. Every key has a value that is right for one building. */
export const GatewayConfig = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{2,31}$/, "3 to 32 lower-case letters, digits and hyphens")
      .default("gateway-1")
      .meta({ description: "The gateway's id, in logs and events" }),
    mqtt: z
      .strictObject({
        host: z
          .string()
          .default("127.0.0.1")
          .meta({ description: "Address that the broker listens on; 0.0.0.0 lets devices in from the network" }),
        port: whole("Port of the broker; 0 takes any free one", 1883, 0, 65535),
        tls: z
          .strictObject({
            host: z.string().default("0.0.0.0").meta({ description: "Address that the encrypted port listens on" }),
            port: whole("The encrypted port; 0 takes any free one", 8883, 0, 65535),
            certFile: z.string().meta({
              description: "The broker's certificate and, after it, its authority's, PEM; relative to this file",
            }),
            keyFile: z.string().meta({ description: "The key of that certificate, PEM" }),
            caFile: z.string().optional().meta({
              description:
                "The authority whose certificates devices may show, PEM; `fallvakt device add --qr` prints it",
            }),
            clientCertificates: z.enum(["off", "accepted", "required"]).default("off").meta({
              description:
                "Whether a device may, or must, show a certificate whose common name is its id, instead of a secret",
            }),
          })
          .refine((tls) => tls.clientCertificates === "off" || tls.caFile !== undefined, {
            path: ["caFile"],
            message: "missing: name the authority that signed the devices' certificates",
          })
          .optional()
          .meta({ description: "MQTT over TLS, beside the port above; `fallvakt init` makes the certificates" }),
      })
      .prefault({})
      .meta({ description: "The embedded MQTT broker" }),
    outside: z
      .strictObject({
        url: z
          .url({ protocol: /^mqtts?$/ })
          .meta({ description: "Address of a broker of your own, as mqtts://host:8883; the embedded one is then off" }),
        username: z.string().min(1).meta({ description: "The gateway's user name at that broker" }),
        password: z.string().min(1).meta({ description: "Its password" }),
        caFile: z.string().optional().meta({
          description: "Certificate of the authority that signed the broker's, PEM; needed for a private one",
        }),
        clientId: z
          .string()
          .regex(/^[A-Za-z0-9-]{1,60}$/, "1 to 60 letters, digits and hyphens")
          .optional()
          .meta({
            description:
              "Client id of the session for frames; that for help calls ends in -help. Left out: the gateway's id",
          }),
        version: z.enum(["5", "3.1.1"]).default("5").meta({ description: "Version of MQTT" }),
        inFlight: whole("Messages of one session that wait for their commit", 500, 1, 10000),
        sessionHours: whole("Hours the broker keeps messages for a gateway that is away (MQTT 5)", 168, 1, 8760),
      })
      .optional()
      .meta({ description: "An outside MQTT broker, instead of the embedded one" }),
    adapters: z.array(AdapterConfig).max(20).default([]).meta({
      description: "Brokers where sensors of others speak, that homes have already; see gateway/adapters",
    }),
    out: OutConfig.optional().meta({
      description:
        "A broker where the gateway tells others, such as Home Assistant, of its devices; left out: nobody is told",
    }),
    detector: z
      .strictObject({
        backend: z.enum(backendChoices).default("auto").meta({
          description:
            "What computes the classifier: auto takes the kernel, our own loops, which is fastest; wasm and native are TensorFlow.js, native with the package @tensorflow/tfjs-node",
        }),
      })
      .prefault({})
      .meta({ description: "The fall detector" }),
    limits: z
      .strictObject({
        bytesBeforeConnack: whole("Bytes a connection may send before it is let in", 2048, 256, 65536),
        packetBytes: whole("Bytes of one MQTT packet after that; the largest frame has 6,032", 65536, 8192, 1048576),
        connections: whole("Connections at one time; further ones are closed at once", 5000, 1, 100000),
        connectionsPerAddress: whole(
          "Of them, from one IPv4 address or one IPv6 network of 64 bits; more where devices come through one router",
          1000,
          1,
          100000,
        ),
        halfOpen: whole(
          "Connections that have not sent their CONNECT; beyond, the oldest of the address with most of them is closed",
          500,
          1,
          100000,
        ),
        connectSeconds: whole("Seconds for the TLS handshake, and again until the CONNECT is there", 4, 1, 60),
        packetSeconds: whole("Seconds within which a packet must have come whole", 7, 1, 60),
        publishesPerSecond: whole(
          "Messages of one device each second, once its burst is used up; beyond, it is held back",
          100,
          1,
          100000,
        ),
        publishBurst: whole(
          "Messages that one device may send at once, as after hours without contact",
          4000,
          1,
          100000,
        ),
        heldPerDevice: whole(
          "Messages of one device that are held back; beyond, it is cut off. A device that waits for acknowledgements never has so many",
          100,
          1,
          10000,
        ),
        inFlightPerDevice: whole(
          "Messages of one device that wait for their commit; beyond, it is cut off",
          2000,
          1,
          10000,
        ),
        secretChecks: whole("Secrets that wait to be checked; beyond, a device is told to come again", 5000, 1, 10000),
      })
      .prefault({})
      .meta({ description: "What one device, or one attacker, may cost" }),
    journal: z
      .strictObject({
        segmentBytes: whole("Size at which a new journal file is begun", 4 * 2 ** 20, 65536, 256 * 2 ** 20),
        maxBytes: whole(
          "Bytes of the journal on disk; beyond, the oldest is given up, but never anything undecided",
          256 * 2 ** 20,
          2 ** 20,
          64 * 2 ** 30,
        ),
        keepMinutes: whole(
          "Minutes after which frames are gone from the disk whose movement is decided, or let go of",
          60,
          5,
          1440,
        ),
        bufferSeconds: whole("Seconds of frames kept in memory, and committed when the gate opens", 10, 5, 60),
      })
      .prefault({})
      .meta({ description: "The journal of frames in which a fall may be" }),
    outbox: z
      .strictObject({
        retrySeconds: whole("Longest wait between two tries to hand on a Detection", 5, 1, 300),
        submitSeconds: whole("Seconds after which a try has failed", 10, 1, 120),
        maxEvents: whole(
          "Device events kept while alerting is away; beyond, the oldest are dropped",
          20000,
          100,
          1000000,
        ),
      })
      .prefault({})
      .meta({ description: "What waits to be handed to alerting" }),
    candidates: z
      .strictObject({
        days: whole(
          "Days that each candidate's time, features and score are kept for `fallvakt tune`, where consent is given; 0 keeps none, and deletes what there is",
          14,
          0,
          30,
        ),
        floor: z.number().min(0).max(1).default(0.3).meta({
          description:
            "Score from which the 4 s around the impact are kept too, and whether the wearer walked afterwards; 1 keeps next to none",
        }),
        maxRows: whole(
          "Candidates that are kept; beyond, the oldest of the device with the most are dropped",
          500_000,
          1000,
          10_000_000,
        ),
        maxBytes: whole("Bytes that they take, about", 256 * 2 ** 20, 2 ** 20, 64 * 2 ** 30),
      })
      .prefault({})
      .meta({ description: "The log of candidates: impacts that the classifier scored" }),
    supervision: z
      .strictObject({
        wearableMinutes: whole(
          "Minutes after which a wearable that is not heard at all is overdue; it sends a frame a second and a heartbeat a minute, and a router that starts anew takes some",
          5,
          2,
          1440,
        ),
        mainsSensorMinutes: whole(
          "The same for a presence sensor that has told of no battery: it says its state at least hourly, and a quarter of an hour is let pass. One that usually speaks more often is overdue sooner, after three of its longest gaps",
          75,
          5,
          10080,
        ),
        batterySensorMinutes: whole(
          "The same for one with a battery; more where sensors of another make speak less often",
          75,
          5,
          10080,
        ),
        buttonMinutes: whole("The same for a help button, and for what has sent only signs of life", 75, 2, 10080),
        notWornMinutes: whole("Minutes off the body, and not at its charger, until that is told", 60, 1, 1440),
        chargingMinutes: whole("Minutes at the charger until that is told", 240, 10, 1440),
        batteryPercent: whole("Charge left at which a battery is low, per cent", 15, 1, 90),
        batteryDays: whole(
          "Days left, by the trend, at which the battery of a device that is never charged is low",
          7,
          1,
          90,
        ),
      })
      .prefault({})
      .meta({ description: "When a device that is silent, not worn or short of charge is told of" }),
    control: z
      .strictObject({
        refreshSeconds: whole("Seconds between two looks at the registry", 3, 1, 10),
      })
      .prefault({})
      .meta({ description: "The registry that alerting holds" }),
    selfTest: z
      .strictObject({
        device: DeviceId.default("self-test").meta({ description: "The test device, as alerting.selfTest names it" }),
        secret: z.string().min(1).meta({
          description: "Its secret, as { file: PATH }; `fallvakt self-test device` makes it",
        }),
      })
      .optional()
      .meta({ description: "The self-test's device, by which this gateway tries the whole chain when alerting asks" }),
    intake: IntakeDoor.optional().meta({
      description: "Alerting in another process; needed where this one has the role gateway alone",
    }),
  })
  .meta({ id: "GatewayConfig", description: "The unit that hears the devices" });
export type GatewayConfig = z.infer<typeof GatewayConfig>;
export type OutsideConfig = NonNullable<GatewayConfig["outside"]>;
