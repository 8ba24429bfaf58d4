import type { Message } from "./admit.ts";

/** Below this a message came as fast as messages come, ms. */
const promptMs = 2000;

export interface HeldMessage {
  /** The gateway's time at its arrival. */
  arrivedAt: number;
  /** How old the device said it was when it was sent, ms. */
  ageMs: number;
  /** When it happened by the device's clock, ms since 1970. */
  deviceAt: number;
  /** An outside broker may have kept it so long, ms; 0 where none could. */
  atMostMs: number;
}

/**
 * How long an outside broker kept a message for a gateway that was away, ms. MQTT does not say it, so it is what the device's clock says, where that
 * can be: not longer than the gateway was away. A clock that is wrong by more is not believed, and the message counts as new.
 */
export function heldMs({ arrivedAt, ageMs, deviceAt, atMostMs }: HeldMessage): number {
  const held = arrivedAt - ageMs - deviceAt;
  return held > promptMs && held <= atMostMs ? Math.round(held) : 0;
}

/** The message, with the time added to its age that an outside broker kept it. */
export function withTimeHeld(message: Message, arrivedAt: number, atMostMs: number): Message {
  if (atMostMs <= 0 || message.kind === "status") return message;
  if (message.kind === "frame") {
    const { frame } = message;
    if (frame.clockUnset) return message;
    const deviceAt = frame.deviceTimeMs + (frame.samples.length / 3 - 1) * (1000 / frame.rateHz);
    const held = heldMs({ arrivedAt, ageMs: frame.ageMs, deviceAt, atMostMs });
    return held > 0 ? { kind: "frame", frame: { ...frame, ageMs: frame.ageMs + held } } : message;
  }
  const { age, t } = message.report;
  const held = heldMs({ arrivedAt, ageMs: age, deviceAt: t, atMostMs });
  return held > 0 ? ({ ...message, report: { ...message.report, age: age + held } } as Message) : message;
}
