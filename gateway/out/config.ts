import { z } from "zod";

/** Where the gateway tells other programs what it knows of its devices. Nothing depends on it. */
export const OutConfig = z
  .strictObject({
    url: z
      .url({ protocol: /^mqtts?$/ })
      .meta({ description: "The broker that others listen at, as mqtts://host:8883" }),
    username: z.string().min(1).optional().meta({ description: "The gateway's user name there" }),
    password: z.string().min(1).optional().meta({ description: "Its password" }),
    caFile: z.string().optional().meta({
      description: "Certificate of the authority that signed the broker's, PEM; needed for a private one",
    }),
    homeAssistant: z
      .boolean()
      .default(true)
      .meta({ description: "Whether the devices are announced to Home Assistant, by MQTT discovery" }),
    discoveryPrefix: z
      .string()
      .regex(/^[A-Za-z0-9_/-]{1,60}$/, "letters, digits, _ - and /")
      .default("homeassistant")
      .meta({ description: "Where Home Assistant looks for announcements" }),
    alarmMinutes: z.number().int().min(1).max(1440).default(15).meta({
      description:
        "Minutes for which a fall or a call for help is shown; the gateway is not told when somebody has been there",
    }),
  })
  .meta({ id: "OutConfig" });
export type OutConfig = z.infer<typeof OutConfig>;
