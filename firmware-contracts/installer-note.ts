import { z } from "zod";
import { DeviceId } from "./topics.ts";

/** A broker's address as devices reach it: `mqtts://host:port`, or `mqtt://` where it has no TLS. */
export const BrokerAddress = z
  .string()
  .max(300)
  .regex(/^mqtts?:\/\/[^/\s]+$/, "write it as mqtts://larm.example.se:8883");

/**
 * What an installer's phone reads from a QR code and gives the device: one JSON object, without spaces. It holds the secret: shown once, kept nowhere.
 */
export const InstallerNote = z
  .object({
    v: z.literal(1),
    broker: BrokerAddress.meta({ description: "The broker's address, mqtts://host:port; mqtt:// where it has no TLS" }),
    id: DeviceId.meta({ description: "The device's id: MQTT user name and client id" }),
    secret: z.string().min(1).max(100).meta({ description: "Its password" }),
    ca: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .meta({
        description:
          "SHA-256 of the certificate (DER) of the authority to trust, in hexadecimal. Left out: the broker's is of a public one, or there is no TLS",
      }),
  })
  .meta({ id: "InstallerNote", description: "What a device needs to come in, as a QR code holds it" });
export type InstallerNote = z.infer<typeof InstallerNote>;

/** The text of the QR code. */
export const installerNoteText = (note: InstallerNote): string => JSON.stringify(InstallerNote.parse(note));
