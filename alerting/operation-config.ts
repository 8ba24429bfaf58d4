import { z } from "zod";
import type { selfTestLinks } from "../firmware-contracts/self-test.ts";
import { DeviceId } from "../firmware-contracts/topics.ts";
import { LocalTime } from "./rota/rota-config.ts";

/** How alarms of devices that are not in operation are told, and when it is looked whether everybody has one that is. */
export const Operation = z.strictObject({
  operatorsFirstSeconds: z.number().min(10, "give the operators at least 10 s").max(600).default(60).meta({
    description:
      "A fall of a sensor that is not in operation goes to the operators first, and to staff where none takes it in this time, seconds",
  }),
  testMinutes: z.number().int().min(1).max(60).default(15).meta({
    description: "How long a device's next alarm is a test, and its key number is awaited, minutes",
  }),
  dailyCheck: LocalTime.default("10:00").meta({
    description: "When it is looked each day whether every dwelling has a device in operation or a pause, local time",
  }),
});

const limit = (seconds: number, description: string) =>
  z.number().min(1).max(600).default(seconds).meta({ description });

const limits = {
  connect: limit(15, "The test device connects, seconds"),
  acknowledged: limit(15, "Its fall is acknowledged (PUBACK), seconds"),
  // Where the classifier fails, a fall is judged after 10 s by what follows it alone: the self-test is to find that.
  detected: limit(8, "The detector finds it, seconds; under 10, or a classifier that fails is not noticed"),
  intake: limit(30, "It is committed by alerting, seconds"),
  paged: limit(30, "The SMS provider accepts its text, seconds"),
  delivered: limit(60, "The phone has it (delivery receipt), seconds"),
} satisfies Record<(typeof selfTestLinks)[number], unknown>;

/** The self-test of the whole chain. */
export const SelfTest = z.strictObject({
  device: DeviceId.default("self-test").meta({
    description: "The test device; `fallvakt self-test device` puts it into the register",
  }),
  times: z
    .array(LocalTime)
    .max(24)
    .default(["10:05", "21:40"])
    .meta({ description: "When it is run each day, local time; none: only when it is asked for" }),
  limits: z
    .strictObject(limits)
    .prefault({})
    .meta({ description: "How long each link may take, counted from the one before" }),
});
export type SelfTestConfig = z.infer<typeof SelfTest>;
