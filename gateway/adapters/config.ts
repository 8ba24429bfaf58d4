import { z } from "zod";
import { DeviceId } from "../../firmware-contracts/topics.ts";

/** The ecosystems that are understood. */
export const adapterKinds = ["zigbee2mqtt", "esphome", "chirpstack", "shelly"] as const;
export type AdapterKind = (typeof adapterKinds)[number];

/** What a foreign value can stand for. */
export const meanings = ["motion", "radar", "bed", "seat", "contact", "flush", "help", "fall", "battery"] as const;
export type Meaning = (typeof meanings)[number];

const topicPart = /^[^+#]{1,200}$/;

/** A foreign device, or one value of it, and which device of ours it is. */
export const MappedDevice = z.strictObject({
  name: z.string().regex(topicPart, "1 to 200 characters without + and #").meta({
    description:
      "What it is called there: Zigbee2MQTT's friendly name, ESPHome's or Shelly's topic prefix, ChirpStack's devEui",
  }),
  entity: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,60}[:/][A-Za-z0-9_-]{1,80}$/, "as binary_sensor/presence (ESPHome) or input:0 (Shelly)")
    .optional()
    .meta({
      description:
        "Which of its values, where it has several: ESPHome's binary_sensor/ID or sensor/ID; Shelly's component as input:0",
    }),
  device: DeviceId.meta({ description: "The device's id here, as registered by `fallvakt device add`" }),
  as: z.enum(meanings).optional().meta({
    description:
      "What the value stands for; left out: by its field's name (Zigbee2MQTT, ChirpStack, Shelly's presence zones). With help, every push of it calls for help",
  }),
  room: z.string().min(1).max(40).optional().meta({ description: "The room that it looks into, for presence" }),
  sensor: z
    .string()
    .min(1)
    .max(60)
    .optional()
    .meta({ description: "Maker and model, told with a fall that it reports; left out: what the adapter knows" }),
});
export type MappedDevice = z.infer<typeof MappedDevice>;

/** A broker where an ecosystem speaks, and which of its devices are ours. */
export const AdapterConfig = z
  .strictObject({
    kind: z.enum(adapterKinds).meta({ description: "Who speaks there" }),
    url: z.url({ protocol: /^mqtts?$/ }).meta({ description: "The broker, as mqtts://host:8883" }),
    username: z.string().min(1).optional().meta({ description: "The gateway's user name there" }),
    password: z.string().min(1).optional().meta({ description: "Its password" }),
    caFile: z.string().optional().meta({
      description: "Certificate of the authority that signed the broker's, PEM; needed for a private one",
    }),
    version: z.enum(["5", "3.1.1"]).default("5").meta({ description: "Version of MQTT" }),
    base: z.string().regex(topicPart, "1 to 200 characters without + and #").optional().meta({
      description:
        "Where its topics begin; left out: zigbee2mqtt, and application for ChirpStack; the others have none",
    }),
    sessionHours: z.number().int().min(1).max(168).default(24).meta({
      description: "Hours the broker keeps messages for a gateway that is away (MQTT 5)",
    }),
    devices: z.array(MappedDevice).min(1).max(2000).meta({ description: "Which of its devices are ours" }),
  })
  .superRefine(({ kind, devices, password, username }, context) => {
    const problem = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    if (password !== undefined && username === undefined) problem(["username"], "missing: a password needs its name");
    const seen = new Set<string>();
    devices.forEach(({ name, entity, as }, at) => {
      const key = `${kind === "chirpstack" ? name.toLowerCase() : name} ${entity ?? ""}`;
      if (seen.has(key)) problem(["devices", at, "name"], "is mapped twice");
      seen.add(key);
      const needsEntity = kind === "esphome" || kind === "shelly";
      if (needsEntity && entity === undefined)
        problem(["devices", at, "entity"], `missing: ${kind} has several values`);
      if (!needsEntity && entity !== undefined) problem(["devices", at, "entity"], `${kind} has none; leave it out`);
      if (kind === "esphome" && as === undefined)
        problem(["devices", at, "as"], "missing: say what the value stands for");
      if (kind === "chirpstack" && !/^[0-9a-fA-F]{16}$/.test(name)) {
        problem(["devices", at, "name"], "a devEui has 16 hexadecimal digits");
      }
    });
  })
  .meta({ id: "AdapterConfig" });
export type AdapterConfig = z.infer<typeof AdapterConfig>;
